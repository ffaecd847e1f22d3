"""What preparation leaves behind: pools of clouded liquid between two folds and foam on the wall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.scene import texture
from assets.scene.colon import Colon
from assets.scene.polyp import Polyp
from engine.types import F32

_LIQUID = np.array([0.35, 0.175, 0.036], np.float32)
_FILTER = np.array([0.95, 0.9, 0.75], np.float32)  # what a thin layer lets through
_MENISCUS = np.array([0.74, 0.46, 0.20], np.float32)


@dataclass(frozen=True, slots=True)
class Pool:
    """Liquid below a level surface: `middle` [3] lies on it, `up` [3] is its normal; `half_cm` along z."""

    middle: F32
    up: F32
    half_cm: float

    def distance(self, x: F32, y: F32, z: F32) -> F32:
        """Height over the surface in cm; it sinks away beyond the pool's ends."""
        rise = (
            (x - self.middle[0]) * self.up[0]
            + (y - self.middle[1]) * self.up[1]
            + (z - self.middle[2]) * self.up[2]
        )
        beyond = np.maximum(np.abs(z - self.middle[2]) - np.float32(0.8 * self.half_cm), 0)
        sunk = np.minimum(np.float32(0.35) * beyond * beyond, beyond)
        return np.asarray(np.float32(0.75) * (rise + sunk), np.float32)


@dataclass(frozen=True, slots=True)
class Foam:
    """A patch of bubbles: rows of `axes` are two directions along the wall and the normal."""

    middle: F32
    axes: F32
    radius_cm: float


def pools(
    rng: np.random.Generator, colon: Colon, polyps: tuple[Polyp, ...], up: F32, length_cm: float, share: float
) -> tuple[Pool, ...]:
    """Pools in about `share` of the haustra that hold no polyp."""
    found = []
    for first, second in zip(colon.fold_s_cm[:-1], colon.fold_s_cm[1:], strict=True):
        taken = any(first - 0.8 < polyp.s_cm < second + 0.8 for polyp in polyps)
        if rng.random() > share or taken or not 3.0 < first < length_cm + 8:
            continue
        s_cm = float(first + second) / 2
        centre, _, _, _ = colon.frame(s_cm)
        # As high as the lower of the two folds that dam it, if they leave any depth at all.
        level_cm = 0.03 + max(_dam_cm(colon, float(fold), up) for fold in (first, second))
        if level_cm > 1.0 * colon.radius_cm:
            continue
        found.append(
            Pool((centre - np.float32(level_cm) * up).astype(np.float32), up, float(second - first) / 2)
        )
    return tuple(found)


def _dam_cm(colon: Colon, fold_s_cm: float, up: F32) -> float:
    """How far below the centreline the tissue begins at a fold."""
    down_cm = np.linspace(0.3, 1.5, 60, dtype=np.float32) * np.float32(colon.radius_cm)
    line = colon.frame(fold_s_cm)[0] - down_cm[:, None] * up
    tissue = colon.distance(*np.ascontiguousarray(line.T)) < 0.02
    return float(down_cm[int(np.argmax(tissue))]) if tissue.any() else float("inf")


def foam_patches(
    rng: np.random.Generator,
    colon: Colon,
    polyps: tuple[Polyp, ...],
    some_pools: tuple[Pool, ...],
    length_cm: float,
    every_cm: float,
) -> tuple[Foam, ...]:
    """Patches on the wall, one in `every_cm`, and one at the edge of each pool."""
    places = [
        (rng.uniform(3, length_cm + 6), rng.uniform(0, 2 * np.pi)) for _ in range(int(length_cm / every_cm))
    ]
    spots = [colon.wall_point(s_cm, angle) for s_cm, angle in places]
    spots += [
        (
            (pool.middle + np.array([rng.uniform(-0.8, 0.8), 0, rng.uniform(-0.5, 0.5)])).astype(np.float32),
            pool.up,
        )
        for pool in some_pools
    ]
    patches = []
    for middle, normal in spots:
        if any(np.linalg.norm(middle - polyp.base) < 1.6 for polyp in polyps):
            continue
        first = np.cross(normal, np.array([0.31, 0.2, 0.93]))
        first /= np.linalg.norm(first)
        axes = np.stack([first, np.cross(normal, first), normal]).astype(np.float32)
        patches.append(Foam(middle, axes, float(rng.uniform(0.5, 1.1))))
    return tuple(patches)


def colour_of(depth_cm: F32, wall: F32) -> F32:
    """Albedo of liquid [n, 3] so deep over a wall of albedo `wall` [n, 3]: clear at the rim, then cloudy."""
    through = np.exp(-2.2 * np.maximum(depth_cm, 0))[:, None]
    return np.asarray(wall * through * _FILTER + _LIQUID * (1 - through), np.float32)


def cover_with_foam(
    patches: tuple[Foam, ...],
    bubbles: texture.Texture,
    point: F32,
    footprint_cm: F32,
    albedo: F32,
    film_slope: F32,
    rough: F32,
) -> None:
    """Lay the patches over the surface, in place: meniscus rings, and a film that arches over each bubble."""
    for patch in patches:
        away = point - patch.middle
        here: npt.NDArray[np.intp] = np.flatnonzero(
            np.einsum("ij,ij->i", away, away) < (1.3 * patch.radius_cm) ** 2
        )
        if here.size == 0:
            continue
        local = np.asarray(away[here] @ patch.axes.T, np.float32)
        got = bubbles.sample(local[:, 0], local[:, 1], footprint_cm[here])
        edge = np.hypot(local[:, 0], local[:, 1]) / patch.radius_cm
        # Channel 3 is the bubble's own rank: whole bubbles drop out towards the patch's edge, none is cut.
        shown = np.clip((got[:, 3] - edge) * 12, 0, 1) * (np.abs(local[:, 2]) < 0.8)
        rim = (got[:, 2] * shown)[:, None]
        albedo[here] = albedo[here] * (1 - 0.18 * shown[:, None]) * (1 - 0.55 * rim) + _MENISCUS * 0.55 * rim
        arch = got[:, :1] * patch.axes[0] + got[:, 1:2] * patch.axes[1]
        film_slope[here] = film_slope[here] * (1 - shown[:, None]) - 0.5 * arch * shown[:, None]
        rough[here] = rough[here] * (1 - shown) + 0.035 * shown
