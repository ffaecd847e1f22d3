"""What the protocols need to know of an image's pixels, counted once: the maps themselves can go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from engine.types import F32, U8

F64 = npt.NDArray[np.float64]
LEVELS = 256
# float32 holds 29/255 a little too low: without this, flooring would move a level of an 8-bit map down.
ROUND_OFF = 1e-4


@dataclass(frozen=True, slots=True)
class Pixels:
    """Counts of n images, float64 [n] unless said; `there` is the mask, `hit` what is found and there.

    `found`, `hit`: probability > 0.5. `stretched_*`: the min-max map > 0.5. `soft_*`: sums of the min-max
    map. `curve_*` [n, 256]: the min-max map in 8 bits, at level t and over it.
    """

    there: F64
    found: F64
    hit: F64
    stretched_found: F64
    stretched_hit: F64
    soft_found: F64
    soft_hit: F64
    curve_found: F64
    curve_hit: F64


def at_native_size(probability: F32, mask: U8) -> F32:
    """The map at the mask's size, float32 [h, w]."""
    height, width = mask.shape
    if probability.shape == mask.shape:
        return probability
    native = cv2.resize(probability, (width, height), interpolation=cv2.INTER_LINEAR)
    return native.astype(np.float32, copy=False)


def count_pixels(probability: F32, mask: U8) -> Pixels:
    """The counts of one image. probability: float32 [h, w] in 0..1; mask: uint8 [h, w], 0 is background."""
    there = mask > 0
    found = probability > 0.5
    full = stretched(probability)
    over_half = full > 0.5
    inside = full[there]
    histogram = np.bincount(levels(full).ravel() + LEVELS * there.ravel(), minlength=2 * LEVELS)
    # Counts at a level and over it: a running sum from the top.
    outside_px, inside_px = histogram.reshape(2, LEVELS)[:, ::-1].cumsum(1)[:, ::-1]
    return Pixels(
        there=_one(np.count_nonzero(there)),
        found=_one(np.count_nonzero(found)),
        hit=_one(np.count_nonzero(found & there)),
        stretched_found=_one(np.count_nonzero(over_half)),
        stretched_hit=_one(np.count_nonzero(over_half & there)),
        soft_found=_one(full.sum()),
        soft_hit=_one(inside.sum()),
        curve_found=(outside_px + inside_px).astype(np.float64)[None],
        curve_hit=inside_px.astype(np.float64)[None],
    )


def joined(parts: Sequence[Pixels]) -> Pixels:
    """The counts of all images, in order; there must be at least one."""
    return Pixels(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Pixels)
        }
    )


def stretched(probability: F32) -> F64:
    """The map with its lowest value at 0 and its highest at 1, float64 [h, w]. A constant one stays as it is.

    Source: PraNet's test script; for a constant map pysodmetrics (the script would make it 0).
    """
    wide = probability.astype(np.float64)
    low, high = float(wide.min()), float(wide.max())
    return (wide - low) / (high - low) if high > low else wide


def levels(full: F64) -> npt.NDArray[np.int64]:
    """0..1 in 256 levels, rounded down: `level >= t` is then `value >= t / 255`."""
    return np.floor(full * (LEVELS - 1) + ROUND_OFF).astype(np.int64)


def _one(value: float | np.number[Any]) -> F64:
    return np.array([value], np.float64)
