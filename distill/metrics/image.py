"""`p05_image`: probability > 0.5 at native mask size, one figure an image, mean over images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.types import U8

PROTOCOL = "p05_image"


def dice_iou(found: npt.NDArray[np.bool_], mask: U8) -> tuple[float, float]:
    """Dice and IoU of one image, 0..1. Both empty is a full hit (1, 1), one empty is a miss (0, 0).

    found: bool [h, w]; mask: uint8 [h, w], 0 is background.
    """
    there = mask > 0
    both = int(np.count_nonzero(found & there))
    total = int(np.count_nonzero(found)) + int(np.count_nonzero(there))
    if total == 0:
        return 1.0, 1.0
    return 2 * both / total, both / (total - both)


def bootstrap_interval(
    values: npt.NDArray[np.float64], groups: list[str], seed: int = 0
) -> tuple[float, float]:
    """95 % interval of the mean, resampling whole groups: images of one polyp are not independent."""
    _, which = np.unique(groups, return_inverse=True)
    sums = np.bincount(which, weights=values)
    counts = np.bincount(which)
    drawn = np.random.default_rng(seed).integers(0, len(sums), (1000, len(sums)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
