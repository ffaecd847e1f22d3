"""`p05_image` of one image: what training and export look at while they work."""

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


ROUNDING = 0.0015  # 0.15 points: what figures of one decimal may be off


def is_suspect(dice: float, iou: float) -> bool:
    """Whether a mean IoU is lower than any images with that mean Dice can have, 0..1 both.

    IoU = D / (2 - D) of an image is convex in D, so its mean is at least that of the mean Dice (Jensen).
    """
    return iou < dice / (2 - dice) - ROUNDING
