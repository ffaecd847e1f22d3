"""The colon: a winding tube with haustral folds, as a signed distance.

Centimetres. The centreline runs along z; a point is described by `s` (the centreline's z at its nearest
point) and its offset there. Folds are thin plates across the tube with a rounded triangular opening, each
side of the triangle drawn in by its own amount: one deep side is a semilunar fold, three are the triangular
lumen of the transverse colon. Plate and wall are joined by a smooth minimum (Quilez, "smooth minimum", 2013).
"""

from __future__ import annotations

import numpy as np

from engine.types import F32

SPACING_CM = 2.5
_FIRST_FOLD = -4


def smooth_min(a: F32, b: F32, width: float | F32) -> F32:
    """Polynomial smooth minimum; `width` is how far apart the two may be and still blend."""
    near = np.maximum(width - np.abs(a - b), 0.0) / width
    return np.asarray(np.minimum(a, b) - near * near * width * np.float32(0.25), np.float32)


class Colon:
    """Geometry of one colon, all from its seed. Distances are positive inside the lumen."""

    def __init__(self, rng: np.random.Generator, length_cm: float) -> None:
        self.length_cm = length_cm
        self.radius_cm = float(rng.uniform(2.1, 2.4))
        # Two bends of about 22 and 9 cm; slopes stay under 1 so that the nearest point is found in one step.
        wave = 2 * np.pi / np.array([rng.uniform(20, 26), rng.uniform(8, 11)])
        self._kx, self._ax = wave, np.array([rng.uniform(0.55, 0.8), rng.uniform(0.1, 0.2)]) / wave
        wave = 2 * np.pi / np.array([rng.uniform(26, 34), rng.uniform(9, 13)])
        self._ky, self._ay = wave, np.array([rng.uniform(0.2, 0.4), rng.uniform(0.08, 0.16)]) / wave
        self._px, self._py = rng.uniform(0, 2 * np.pi, 2), rng.uniform(0, 2 * np.pi, 2)

        count = int(length_cm / SPACING_CM) + 24
        self.fold_s_cm = (
            (_FIRST_FOLD + np.arange(count) + rng.uniform(-0.24, 0.24, count)) * SPACING_CM
        ).astype(np.float32)
        turn = np.cumsum(rng.normal(0.0, 0.35, count)) + rng.uniform(0, 2 * np.pi)
        self._side: list[tuple[F32, F32, F32]] = []
        sides = np.array([rng.permutation(3) for _ in range(count)])
        deep, second, shallow = (
            rng.uniform(0.42, 0.62, count),
            rng.uniform(0.5, 0.92, count),
            rng.uniform(0.6, 1.1, count),
        )
        for k in range(3):
            angle = turn + 2 * np.pi / 3 * k + rng.normal(0, 0.13, count)
            opening = np.choose(sides[:, k], [deep, second, shallow]) * self.radius_cm
            self._side.append(
                (
                    np.cos(angle).astype(np.float32),
                    np.sin(angle).astype(np.float32),
                    opening.astype(np.float32),
                )
            )
        self._tilt_u = rng.normal(0, 0.13, count).astype(np.float32)
        self._tilt_v = rng.normal(0, 0.13, count).astype(np.float32)
        self._thick = rng.uniform(0.09, 0.15, count).astype(np.float32)
        # Rounding of the triangle's corners: sharp in some stretches, nearly a ring in others.
        drift = np.sin(np.arange(count) * rng.uniform(0.35, 0.6) + rng.uniform(0, 2 * np.pi))
        self._soft = (0.36 + 0.18 * drift + rng.uniform(-0.05, 0.05, count)).astype(np.float32)
        self._swell = rng.uniform(-0.10, 0.12, count).astype(np.float32)  # wider and narrower haustra
        self._triangle = (float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.0, 0.5)))

    def centre(self, s: F32) -> tuple[F32, F32, F32, F32]:
        """x, y of the centreline at s and its slopes dx/ds, dy/ds."""
        s = np.asarray(s, np.float32)
        a0, a1 = (
            s * np.float32(self._kx[0]) + np.float32(self._px[0]),
            s * np.float32(self._kx[1]) + np.float32(self._px[1]),
        )
        b0, b1 = (
            s * np.float32(self._ky[0]) + np.float32(self._py[0]),
            s * np.float32(self._ky[1]) + np.float32(self._py[1]),
        )
        ax, ay = self._ax.astype(np.float32), self._ay.astype(np.float32)
        kx, ky = (self._ax * self._kx).astype(np.float32), (self._ay * self._ky).astype(np.float32)
        x = ax[0] * np.sin(a0) + ax[1] * np.sin(a1)
        y = ay[0] * np.sin(b0) + ay[1] * np.sin(b1)
        return x, y, kx[0] * np.cos(a0) + kx[1] * np.cos(a1), ky[0] * np.cos(b0) + ky[1] * np.cos(b1)

    def frame(self, s: float) -> tuple[F32, F32, F32, F32]:
        """Centre [3], tangent [3] and the two cross directions [3] each, at s."""
        x, y, dx, dy = (float(value) for value in self.centre(np.array(s, np.float32)))
        tangent = np.array([dx, dy, 1.0]) / np.sqrt(1 + dx * dx + dy * dy)
        across = np.array([1.0, 0.0, -dx]) / np.sqrt(1 + dx * dx)
        up = np.cross(tangent, across)
        centre = np.array([x, y, s], np.float32)
        return centre, tangent.astype(np.float32), across.astype(np.float32), up.astype(np.float32)

    def tube(self, x: F32, y: F32, z: F32) -> tuple[F32, F32, F32]:
        """s and the offset (u, v) from the centreline, one Newton step from s = z."""
        cx, cy, dx, dy = self.centre(z)
        s = np.asarray(z + ((x - cx) * dx + (y - cy) * dy) / (1 + dx * dx + dy * dy), np.float32)
        cx, cy, dx, dy = self.centre(s)
        along = z - s
        u: F32 = ((x - cx) - along * dx) / np.sqrt(1 + dx * dx)
        v: F32 = ((y - cy) - along * dy) / np.sqrt(1 + dy * dy)
        return s, u, v

    def distance(self, x: F32, y: F32, z: F32) -> F32:
        """Distance to the wall in cm for float32 [n] coordinates; a lower bound where it is large."""
        s, u, v = self.tube(x, y, z)
        r = np.sqrt(u * u + v * v) + np.float32(1e-6)
        c, w = u / r, v / r
        cos3, sin3 = c * (4 * c * c - 3), w * (3 - 4 * w * w)
        turn = np.float32(self._triangle[0]) + np.float32(self._triangle[1] * 0.1) * s
        index = np.clip(
            np.floor(s / np.float32(SPACING_CM)).astype(np.int32) - _FIRST_FOLD, 0, len(self.fold_s_cm) - 2
        )
        part = s / np.float32(SPACING_CM)
        part = part - np.floor(part)
        part = part * part * (3 - 2 * part)
        swell = self._swell[index] * (1 - part) + self._swell[index + 1] * part
        radius = self.radius_cm * (1 + swell + np.float32(0.06) * (cos3 * np.cos(turn) + sin3 * np.sin(turn)))
        radius += np.float32(0.05) * np.sin(2.1 * s + 2.7 * u) + np.float32(0.05) * np.sin(1.3 * s - 2.3 * v)
        wall = radius - r
        wall = smooth_min(wall, self._fold(index, s, u, v), 0.55)
        wall = smooth_min(wall, self._fold(index + 1, s, u, v), 0.55)
        return np.minimum(wall, np.float32(0.7 * SPACING_CM))

    def _fold(self, index: np.ndarray, s: F32, u: F32, v: F32) -> F32:
        """Distance to the plate of one fold for each point: `index` int32 [n] picks the fold."""
        total = np.zeros_like(s)
        soft = self._soft[index]
        for cos, sin, opening in self._side:
            inside = u * cos[index] + v * sin[index] - opening[index]
            total += np.exp(np.minimum(inside / soft, 12.0))
        into = soft * np.log(total + np.float32(1e-9))  # > 0 within the plate's tissue
        bow = np.float32(0.10) * np.sin(1.9 * u + index) + np.float32(0.08) * np.sin(2.3 * v + 2.0 * index)
        bow += np.float32(0.025) * np.sin(5.3 * u - index) * np.sin(4.7 * v + index)
        along = s - self.fold_s_cm[index] - self._tilt_u[index] * u - self._tilt_v[index] * v - bow
        thick = self._thick[index] + np.float32(0.10) * np.clip(into, 0.0, 1.2)
        return np.asarray(np.sqrt(along * along + np.minimum(into, 0.0) ** 2) - thick, np.float32)

    def wall_point(self, s: float, angle: float) -> tuple[F32, F32]:
        """The wall in direction `angle` from the centreline: point [3] and normal [3] into the lumen."""
        centre, _, across, up = self.frame(s)
        out = np.float32(np.cos(angle)) * across + np.float32(np.sin(angle)) * up
        reach = np.linspace(0.0, 1.6 * self.radius_cm, 400, dtype=np.float32)
        line = centre[None] + reach[:, None] * out[None]
        d = self.distance(line[:, 0], line[:, 1], line[:, 2])
        hit = int(np.argmax(d < 0.004)) if (d < 0.004).any() else 399
        point = line[hit]
        eps = np.float32(0.05)
        probe = np.repeat(point[None], 6, 0)
        for axis in range(3):
            probe[2 * axis, axis] += eps
            probe[2 * axis + 1, axis] -= eps
        d = self.distance(probe[:, 0], probe[:, 1], probe[:, 2])
        normal = np.array([d[0] - d[1], d[2] - d[3], d[4] - d[5]], np.float32)
        return point, normal / np.float32(np.linalg.norm(normal) + 1e-9)
