"""What of a frame a network is shown, and its answer put back into the frame: one for training and use."""

from __future__ import annotations

import cv2
import numpy as np

from engine.types import F32, U8, Rect, Region, Size
from engine.view.field_of_view import field_of_view


def box_of(image: U8, region: Region) -> Rect:
    """The part of a frame uint8 [h, w, 3], in any order of its channels, that is that region."""
    if region == "field":
        return field_of_view(image)
    return Rect(0, 0, image.shape[1], image.shape[0])


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
