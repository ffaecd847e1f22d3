"""One synthetic colonoscopy: a colon, its polyps and a camera's way through it, all from one seed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from assets.scene import film, fluids, hits
from assets.scene.camera import Lens, Path
from assets.scene.colon import Colon, smooth_min
from assets.scene.grow import planted
from assets.scene.light import between_walls, direct
from assets.scene.march import Distance, trace
from assets.scene.polyp import Polyp
from assets.scene.tissue import Tissue
from engine.types import F32, U8

Bool = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]

SPEED_CM_S = 1.5
_SHUTTER_S = 1 / 90
_SIGHT_CM = 16.0  # polyps further away are round several folds
_GRAVITY = np.array([0.25, -0.97, 0.0], np.float32)
_MIRROR = np.array([1.0, 0.98, 0.94], np.float32)  # the lamps' colour on the wet film


class Scene:
    """Renders frames with exact polyp masks; the same seed gives the same frames.

    `duration_s` is how long the camera is on its way, `polyps` how many it meets (None: about one in five
    seconds), `texture_px` the side of the wall's texture (1024 for pictures, less for quick tests).
    """

    def __init__(
        self, seed: int = 0, duration_s: float = 24.0, polyps: int | None = None, texture_px: int = 1024
    ) -> None:
        self.seed = seed
        self.duration_s = duration_s
        # A generator for each part: a change to one leaves the others as they were.
        shape, growth, rest, way, skin = (np.random.default_rng((seed, part)) for part in range(1, 6))
        length_cm = SPEED_CM_S * duration_s
        self.colon = Colon(shape, length_cm)
        count = max(1, round(duration_s / 5)) if polyps is None else polyps
        self.polyps = planted(growth, self.colon, count, length_cm, _GRAVITY)
        self._pools = fluids.pools(rest, self.colon, self.polyps, -_GRAVITY, length_cm, share=0.6)
        self._foam = fluids.foam_patches(rest, self.colon, self.polyps, self._pools, length_cm, every_cm=3.0)
        self.path = Path(
            way, self.colon, self.polyps, self._distance(self.polyps, ()), duration_s, SPEED_CM_S
        )
        self._tissue = Tissue(skin, texture_px)

    def render(self, t_s: float, width_px: int, height_px: int) -> tuple[U8, Bool]:
        """The frame at t_s: uint8 RGB [h, w, 3] and its polyp mask, bool [h, w]."""
        size = (height_px, width_px)
        lens = _lens(width_px, height_px)
        unit = min(width_px / 640, height_px / 480)  # blurs are given for 640x480
        pose = self.path.pose(t_s)
        polyps = tuple(p for p in self.polyps if np.linalg.norm(p.middle - pose.position) < _SIGHT_CM)
        pools = tuple(p for p in self._pools if abs(p.middle[2] - pose.position[2]) < _SIGHT_CM)
        foam = tuple(p for p in self._foam if np.linalg.norm(p.middle - pose.position) < 0.6 * _SIGHT_CM)
        distance = self._distance(polyps, pools)

        rays = (lens.rays.reshape(-1, 3) @ pose.axes).astype(np.float32)
        depth_cm = trace(distance, pose.position, rays.reshape(lens.rays.shape), lens.angle_px)
        seen = np.flatnonzero(lens.visible.ravel() > 0)
        met = hits.gather(
            self.colon,
            polyps,
            pools,
            distance,
            pose.position,
            rays[seen],
            depth_cm.ravel()[seen],
            lens.angle_px,
        )
        surface = self._tissue.surface(met, polyps, foam)

        diffuse, mirror = direct(surface, pose)
        matt = surface.albedo * diffuse[:, None]
        other = between_walls(_picture(matt, seen, size), unit).reshape(-1, 3)[seen]
        # What is bright on the picture lies beside it in space only where both are near.
        reach = (met.open / (1 + (met.along_cm / 4.0) ** 2))[:, None]
        light = matt * (0.5 + 0.5 * met.open[:, None]) + surface.albedo * other * reach
        light = (light + mirror[:, None] * _MIRROR) * film.gain(light)
        picture = film.moved(_picture(light, seen, size), *self._flow(lens, t_s, met.point, seen))
        picture = film.focused(picture, depth_cm, unit)
        noise = np.random.default_rng((self.seed, 9, round(t_s * 1000)))
        frame = film.developed(picture, lens.visible, unit, noise)
        mask = np.zeros(height_px * width_px, bool)
        mask[seen] = met.owner >= 0
        return frame, mask.reshape(size) & (lens.visible > 0.5)

    def _distance(self, polyps: tuple[Polyp, ...], pools: tuple[fluids.Pool, ...]) -> Distance:
        def distance(x: F32, y: F32, z: F32) -> F32:
            d = self.colon.distance(x, y, z)
            for polyp in polyps:
                d = smooth_min(d, polyp.distance(x, y, z), polyp.contact_cm)
            for pool in pools:
                d = smooth_min(d, pool.distance(x, y, z), 0.06)
            return d

        return distance

    def _flow(self, lens: Lens, t_s: float, point: F32, seen: Index) -> tuple[F32, F32]:
        """How far each pixel's surface moves while the shutter is open, [h, w] pixels along x and y."""
        size = (lens.height_px, lens.width_px)
        x0, y0 = lens.project(self.path.pose(t_s - _SHUTTER_S / 2), point)
        x1, y1 = lens.project(self.path.pose(t_s + _SHUTTER_S / 2), point)
        return _picture(x1 - x0, seen, size), _picture(y1 - y0, seen, size)


def _picture(values: F32, seen: Index, size: tuple[int, int]) -> F32:
    """Values of the visible pixels back on the whole picture, zero elsewhere."""
    flat = np.zeros((size[0] * size[1], *values.shape[1:]), np.float32)
    flat[seen] = values
    return flat.reshape(*size, *values.shape[1:])


@lru_cache(maxsize=4)
def _lens(width_px: int, height_px: int) -> Lens:
    return Lens.of(width_px, height_px)
