"""Where a low-resolution map lies on the picture: half-pixel aligned, as every resize in the project."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from engine.types import F32

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a map of `map_px` values laid over `covers_px` picture pixels.

    Value `i` sits at the middle of its share, so picture pixel `X` reads the map at
    `(X + 0.5) * map_px / covers_px - 0.5`, clamped at both ends: the rule of cv2.resize and of torch's
    `align_corners=False`.
    """

    map_px: int
    covers_px: int

    @property
    def step(self) -> float:
        """Map values from one picture pixel to the next."""
        return self.map_px / self.covers_px

    def reach(self, first: int, last: int) -> tuple[int, int]:
        """Half-open range of the picture pixels that read any of the values `first..last` at all."""
        start = math.floor((first - 0.5) / self.step - 0.5) + 1
        stop = math.ceil((last + 1.5) / self.step - 0.5)
        return max(start, 0), min(stop, self.covers_px)

    def taps(self, start: int, stop: int) -> tuple[I64, I64, F32]:
        """For pixels `start..stop - 1`: the two values each lies between, and the weight of the second.

        Read-only: maps lie where they lay in the frame before.
        """
        lower, upper, weight = _taps(self)
        return lower[start:stop], upper[start:stop], weight[start:stop]


@lru_cache(maxsize=64)
def _taps(axis: Axis) -> tuple[I64, I64, F32]:
    at = (np.arange(axis.covers_px, dtype=np.float64) + 0.5) * axis.step - 0.5
    np.clip(at, 0.0, axis.map_px - 1, out=at)
    lower = at.astype(np.int64)
    upper = np.minimum(lower + 1, axis.map_px - 1)
    weight = (at - lower).astype(np.float32)
    for values in (lower, upper, weight):
        values.setflags(write=False)
    return lower, upper, weight
