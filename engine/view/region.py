"""What of a frame a network is shown, and its answer put back into the frame: one for training and use."""

from __future__ import annotations

import cv2
import numpy as np

from engine.types import F32, U8, Field, Rect, Region, Size
from engine.view.lit import small_of
from engine.view.lock_on import box_in, field_in


def box_of(image: U8, region: Region) -> Rect:
    """The part of a frame uint8 [h, w, 3], in any order of its channels, that is that region."""
    size = Size(image.shape[1], image.shape[0])
    if region == "field":
        return even(box_in([small_of(image)], size), size)
    return Rect(0, 0, size.width_px, size.height_px)


def still_field(small: U8, size: Size) -> Field:
    """Of a frame of `size` that is alone, by its look `small`: as `box_of`, with the outline."""
    found = field_in([small], size)
    return Field(even(found.box, size), found.form, found.cut)


def even(box: Rect, size: Size) -> Rect:
    """The same on even pixels, as chroma is stored; to the frame's end where it reaches that."""
    x, y = box.x // 2 * 2, box.y // 2 * 2
    right = size.width_px if box.x + box.w >= size.width_px - 1 else -(-(box.x + box.w) // 2) * 2
    low = size.height_px if box.y + box.h >= size.height_px - 1 else -(-(box.y + box.h) // 2) * 2
    return Rect(x, y, right - x, low - y)


def placed(probability: F32, box: Rect, frame: Size) -> F32:
    """A map float32 [h, w] of a box of a frame: as it is when that is all of it, else at the frame's size.

    Nothing is found outside of the box.
    """
    if box == Rect(0, 0, frame.width_px, frame.height_px):
        return probability
    full = np.zeros((frame.height_px, frame.width_px), np.float32)
    full[box.y : box.y + box.h, box.x : box.x + box.w] = cv2.resize(
        probability, (box.w, box.h), interpolation=cv2.INTER_LINEAR
    )
    return full
