"""What the rays of one picture met, before it has colour: points, normals, owners, occlusion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.scene.colon import Colon
from assets.scene.fluids import Pool
from assets.scene.march import Distance, facing_viewer, in_pieces, normals
from assets.scene.polyp import Polyp
from engine.types import F32

WALL = -1
LIQUID = -2
# How far from the wall, along the normal, room is looked for, and how much its lack counts.
_OPEN_STEPS = ((0.10, 0.3), (0.30, 0.45), (0.8, 0.35))


@dataclass(frozen=True, slots=True)
class Hits:
    """One row a visible pixel. Lengths in cm."""

    point: F32  # [n, 3]
    view: F32  # [n, 3] unit direction of the ray
    along_cm: F32  # [n] distance from the lens
    footprint_cm: F32  # [n] what the pixel covers there
    shape: F32  # [n, 3] normal, without relief
    owner: npt.NDArray[np.int32]  # [n] rank of the polyp, WALL or LIQUID
    wall_cm: F32  # [n] distance to the wall: the depth where it is liquid
    margin_cm: tuple[F32, ...]  # for each polyp [n]: how much nearer it is than the wall
    open: F32  # [n] 1 in the open, towards 0 in crevices


def gather(
    colon: Colon,
    polyps: tuple[Polyp, ...],
    pools: tuple[Pool, ...],
    distance: Distance,
    origin: F32,
    rays: F32,
    along_cm: F32,
    angle_px: float,
) -> Hits:
    """Everything at the ends of `rays` [n, 3], `along_cm` [n] from `origin`; `distance`: the scene's."""
    point = (origin + rays * along_cm[:, None]).astype(np.float32)
    footprint_cm = along_cm * np.float32(angle_px)
    shape = facing_viewer(normals(distance, point, np.maximum(0.6 * footprint_cm, 0.006)), rays)
    x, y, z = (np.ascontiguousarray(point[:, k]) for k in range(3))
    wall_cm = in_pieces(colon.distance, x, y, z)
    owner = np.full(x.size, WALL, np.int32)
    best = wall_cm
    margins = []
    for rank, polyp in enumerate(polyps):
        d = in_pieces(polyp.distance, x, y, z)
        margins.append(wall_cm - d)
        owner[d < best] = rank
        best = np.minimum(best, d)
    for pool in pools:
        d = in_pieces(pool.distance, x, y, z)
        owner[d < best] = LIQUID
        best = np.minimum(best, d)
    open_ = _openness(distance, point, shape)
    return Hits(point, rays, along_cm, footprint_cm, shape, owner, wall_cm, tuple(margins), open_)


def _openness(distance: Distance, point: F32, normal: F32) -> F32:
    """How much of three steps outward is really free."""
    shut = np.zeros(point.shape[0], np.float32)
    for step_cm, weight in _OPEN_STEPS:
        p = point + normal * np.float32(step_cm)
        d = in_pieces(distance, *(np.ascontiguousarray(p[:, k]) for k in range(3)))
        shut += np.float32(weight) * np.maximum(1 - d / np.float32(step_cm), 0)
    return np.clip(1 - shut, 0.05, 1).astype(np.float32)
