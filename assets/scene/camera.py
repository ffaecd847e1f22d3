"""The endoscope: its way through the colon, where it looks, and its wide-angle lens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.scene.colon import Colon
from assets.scene.march import Distance
from assets.scene.polyp import Polyp
from engine.types import F32

_RATE_HZ = 60  # samples of the path
_START_CM = 2.0


@dataclass(frozen=True, slots=True)
class Pose:
    """Camera position in cm and its axes: rows of `axes` are right, up and forward."""

    position: F32
    axes: F32


@dataclass(frozen=True, slots=True)
class Lens:
    """Equidistant fish-eye (barrel distortion), 140 degrees across the picture's diagonal.

    `rays` float32 [h, w, 3] in camera axes, `visible` float32 [h, w] 0..1: the octagonal field of view.
    """

    width_px: int
    height_px: int
    rays: F32
    visible: F32
    angle_px: float  # radians a pixel

    @classmethod
    def of(cls, width_px: int, height_px: int) -> Lens:
        unit = min(width_px / 640, height_px / 480)
        angle_px = float(np.deg2rad(68) / (305 * unit))
        x = (np.arange(width_px, dtype=np.float32) + 0.5 - width_px / 2)[None, :]
        y = (np.arange(height_px, dtype=np.float32) + 0.5 - height_px / 2)[:, None]
        rho = np.hypot(x, y) + np.float32(1e-6)
        theta = np.minimum(rho * angle_px, np.pi * 0.9)
        radial = np.sin(theta) / rho
        rays = np.stack([x * radial, -y * radial, np.cos(theta)], -1).astype(np.float32)
        half_w, half_h, cut = 276 * unit, 226 * unit, 392 * unit
        edge = np.minimum(
            np.minimum(half_w - np.abs(x), half_h - np.abs(y)), (cut - np.abs(x) - np.abs(y)) * 0.7071
        )
        return cls(
            width_px, height_px, rays, np.clip(edge / max(unit, 0.3), 0, 1).astype(np.float32), angle_px
        )

    def project(self, pose: Pose, point: F32) -> tuple[F32, F32]:
        """Pixel coordinates of points [n, 3]; the inverse of `rays`."""
        local = (point - pose.position) @ pose.axes.T
        side = np.hypot(local[:, 0], local[:, 1]) + 1e-9
        rho = np.arctan2(side, local[:, 2]) / self.angle_px
        return (
            (local[:, 0] / side * rho + self.width_px / 2 - 0.5).astype(np.float32),
            (-local[:, 1] / side * rho + self.height_px / 2 - 0.5).astype(np.float32),
        )


class Path:
    """Where the camera is at each moment: it advances, slows down at a polyp and turns towards it."""

    def __init__(
        self,
        rng: np.random.Generator,
        colon: Colon,
        polyps: tuple[Polyp, ...],
        distance: Distance,
        duration_s: float,
        speed_cm_s: float,
    ) -> None:
        count = int(duration_s * _RATE_HZ) + 2 * _RATE_HZ
        time_s = np.arange(count) / _RATE_HZ
        position = np.zeros((count, 3))
        forward = np.zeros((count, 3))
        wander = _sway(rng, time_s, 2, (0.05, 0.45)) * 0.24
        offset = _sway(rng, time_s, 2, (0.04, 0.2)) * 0.30 * colon.radius_cm
        tremor = _sway(rng, time_s, 2, (0.5, 2.2)) * 0.028
        hurry = 1 + 0.45 * _sway(rng, time_s, 1, (0.06, 0.3))[:, 0]
        s_cm = _START_CM
        for i in range(count):
            centre, _, across, up = (v.astype(np.float64) for v in colon.frame(s_cm))
            at = centre + offset[i, 0] * across + offset[i, 1] * up
            ahead, _, _, _ = colon.frame(s_cm + 4.0)
            gaze = (ahead - at) / np.linalg.norm(ahead - at)
            interest = 0.0
            for polyp in polyps:
                weight = _interest(polyp.s_cm - s_cm)
                toward = polyp.middle - at
                gaze = gaze + 1.1 * weight * toward / np.linalg.norm(toward)
                interest = max(interest, weight)
            gaze /= np.linalg.norm(gaze)
            sway = wander[i] * (1 - 0.5 * interest) + tremor[i]
            position[i] = at
            forward[i] = gaze + sway[0] * across + sway[1] * up
            s_cm += max(0.1, hurry[i]) * speed_cm_s * (1 - 0.48 * interest) / _RATE_HZ
        self._position = _smooth(position, 0.20)
        self._forward = _smooth(forward, 0.16)
        self._roll = 0.35 * _sway(rng, time_s, 1, (0.03, 0.12))[:, 0]
        self._position = _kept_clear(distance, self._position)

    def pose(self, t_s: float) -> Pose:
        """The camera at t_s, clamped to the path."""
        at = float(np.clip(t_s * _RATE_HZ, 0, len(self._roll) - 1.001))
        i, part = int(at), at - int(at)
        position = (1 - part) * self._position[i] + part * self._position[i + 1]
        forward = (1 - part) * self._forward[i] + part * self._forward[i + 1]
        roll = (1 - part) * self._roll[i] + part * self._roll[i + 1]
        forward = forward / np.linalg.norm(forward)
        right = np.cross(np.array([0.0, 1.0, 0.0]), forward)
        right /= np.linalg.norm(right)
        up = np.cross(forward, right)
        right, up = np.cos(roll) * right + np.sin(roll) * up, np.cos(roll) * up - np.sin(roll) * right
        return Pose(position.astype(np.float32), np.stack([right, up, forward]).astype(np.float32))


def _interest(ahead_cm: float) -> float:
    """How much a polyp so far ahead draws the gaze, 0..1: full from 3.2 to 1.3 cm, none beyond 5.5."""
    rise = np.clip((5.5 - ahead_cm) / 2.3, 0, 1)
    fall = np.clip((ahead_cm - 0.2) / 1.1, 0, 1)
    both = float(rise * fall)
    return both * both * (3 - 2 * both)


def _sway(
    rng: np.random.Generator, time_s: npt.NDArray[np.float64], axes: int, band_hz: tuple[float, float]
) -> npt.NDArray[np.float64]:
    """[n, axes] slow random motion, about -1..1."""
    total = np.zeros((time_s.size, axes))
    for axis in range(axes):
        for hz in np.geomspace(band_hz[0], band_hz[1], 5):
            total[:, axis] += (
                np.sin(2 * np.pi * hz * rng.uniform(0.85, 1.15) * time_s + rng.uniform(0, 2 * np.pi)) / 2.2
            )
    return total


def _smooth(values: npt.NDArray[np.float64], sigma_s: float) -> npt.NDArray[np.float64]:
    half = int(4 * sigma_s * _RATE_HZ)
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / (sigma_s * _RATE_HZ)) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(values, ((half, half), (0, 0)), mode="edge")
    return np.stack([np.convolve(padded[:, k], kernel, mode="valid") for k in range(values.shape[1])], 1)


def _kept_clear(distance: Distance, position: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The path pushed off folds that it would touch, then smoothed again."""
    position = position.copy()
    for _ in range(10):
        p = position.astype(np.float32)
        d = distance(p[:, 0].copy(), p[:, 1].copy(), p[:, 2].copy())
        push = np.zeros_like(position)
        for axis in range(3):
            step = np.zeros(3, np.float32)
            step[axis] = 0.05
            a, b = p + step, p - step
            push[:, axis] = distance(*a.T.copy()) - distance(*b.T.copy())
        push /= np.linalg.norm(push, axis=1, keepdims=True) + 1e-6
        position += push * np.maximum(0.95 - d, 0)[:, None] * 0.6
        position = _smooth(position, 0.12)
    return position
