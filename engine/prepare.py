"""The network's picture where no source has made it: after a change of the model, or of a part of a frame."""

from __future__ import annotations

import cv2
import numpy as np

from engine.sources.base import Picture
from engine.types import U8, Frame, Rect, Size


def network_image(frame: Frame, size: Size) -> U8:
    """uint8 [h, w, 3] RGB: the whole frame squashed to `size`, the decoder's own picture where it fits.

    The fallback from BGRA costs about 5 ms at 1080p, so it runs only for the first frame after a change.
    """
    made = frame.network_image
    if made is not None and made.shape[:2] == (size.height_px, size.width_px):
        return made
    assert frame.image is not None  # a frame without both pictures is of no use to anybody
    small = cv2.resize(frame.image, (size.width_px, size.height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGRA2RGB), np.uint8)


def image_of_box(picture: Picture, box: Rect, size: Size) -> U8:
    """uint8 [h, w, 3] RGB: a part of the frame squashed to `size`, as the source squashes all of it."""
    across, down = size.width_px / box.w, size.height_px / box.h
    whole = Size(
        max(size.width_px, round(picture.width_px * across)),
        max(size.height_px, round(picture.height_px * down)),
    )
    left = min(round(box.x * across), whole.width_px - size.width_px)
    top = min(round(box.y * down), whole.height_px - size.height_px)
    part = picture.rgb(whole)[top : top + size.height_px, left : left + size.width_px]
    return np.ascontiguousarray(part)
