"""Polyps: sessile, pedunculated, flat and lobulated shapes as signed distances in their own frame.

A polyp is a smooth union of ellipsoids (the head) and capsules (a stalk) in local centimetres: axis 2 points
from the wall into the lumen. Its pixels are those where the polyp is nearer than the wall: exact masks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from assets.scene.colon import smooth_min
from engine.types import F32


class PolypKind(StrEnum):
    SESSILE = "sessile"  # Paris 0-Is
    PEDUNCULATED = "pedunculated"  # 0-Ip
    FLAT = "flat"  # 0-IIa
    LOBULATED = "lobulated"


@dataclass(frozen=True, slots=True)
class Polyp:
    """One polyp on the wall. `axes` rows are its local directions; `blobs` [k, 6] centre and half-axes,
    `stalk` [m, 8] capsule ends and radii (x, y, z, radius twice)."""

    kind: PolypKind
    s_cm: float
    base: F32
    axes: F32
    blobs: F32
    stalk: F32
    soft_cm: float  # between its own parts
    contact_cm: float  # between polyp and wall
    lump_cm: float
    lump_hz: float  # lumps a centimetre, in radians
    bound_cm: float  # radius of a sphere around `middle` that holds it all
    middle: F32
    redness: float  # 0 as the wall, 1 deep red
    gyri: float  # strength of the gland pattern

    def local(self, point: F32) -> F32:
        """[n, 3] in the scene -> [n, 3] in the polyp's frame."""
        return np.asarray((point - self.base) @ self.axes.T, np.float32)

    def distance(self, x: F32, y: F32, z: F32) -> F32:
        """Distance in cm; far away only the distance to its bounding sphere."""
        dx, dy, dz = x - self.middle[0], y - self.middle[1], z - self.middle[2]
        far = np.sqrt(dx * dx + dy * dy + dz * dz) - np.float32(self.bound_cm)
        near = np.flatnonzero(far < 0.35)
        if near.size:
            p = self.local(np.column_stack([x[near], y[near], z[near]]))
            far[near] = self._near(p[:, 0], p[:, 1], p[:, 2])
        return np.asarray(far, np.float32)

    def headness(self, local: F32) -> F32:
        """1 on the head, 0 on the stalk, for local points [n, 3]."""
        if not len(self.stalk):
            return np.ones(len(local), np.float32)
        centre, radius = self.blobs[0, :3], self.blobs[0, 3:].max()
        far = np.linalg.norm(local - centre, axis=1) / radius
        return np.asarray(np.clip((1.75 - far) / 0.5, 0, 1), np.float32)

    def _near(self, x: F32, y: F32, z: F32) -> F32:
        best: F32 | None = None
        stem: F32 | None = None
        for cx, cy, cz, rx, ry, rz in self.blobs:
            px, py, pz = (x - cx) / rx, (y - cy) / ry, (z - cz) / rz
            scaled = np.sqrt(px * px + py * py + pz * pz)
            slope = np.sqrt((px / rx) ** 2 + (py / ry) ** 2 + (pz / rz) ** 2)
            d = (scaled * (scaled - 1) / np.maximum(slope, 1e-4)).astype(np.float32)
            best = d if best is None else smooth_min(best, d, self.soft_cm)
        for ax, ay, az, ar, bx, by, bz, br in self.stalk:
            ex, ey, ez = bx - ax, by - ay, bz - az
            along = ((x - ax) * ex + (y - ay) * ey + (z - az) * ez) / (ex * ex + ey * ey + ez * ez)
            along = np.clip(along, 0, 1)
            d = np.sqrt((x - ax - along * ex) ** 2 + (y - ay - along * ey) ** 2 + (z - az - along * ez) ** 2)
            d = (d - (ar + (br - ar) * along)).astype(np.float32)
            # A plain minimum along the stalk: blending its overlapping pieces would swell every joint.
            stem = d if stem is None else np.minimum(stem, d)
        assert best is not None
        if stem is not None:
            best = smooth_min(best, stem, self.soft_cm)
        k = np.float32(self.lump_hz)
        lumps = np.sin(k * x + 1.3) * np.sin(k * y + 0.4)
        lumps += np.sin(0.83 * k * z + 0.61 * k * x) * np.sin(0.9 * k * y - 0.5 * k * z)
        return np.asarray(best - np.float32(self.lump_cm) * lumps, np.float32)
