"""The polyps of one frame as masks of the frame's own size, and as they are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import cv2
import numpy as np

from engine.drawing.components import patch_of, pixels_of
from engine.types import U8, Component, Rect, Size, TrackState


def masks_of(components: Iterable[Component], size: Size) -> dict[int, U8]:
    """What is marked on a frame, one mask a track: uint8 [H, W], 0 and 1. What is of no track is left out."""
    own: dict[int, list[Component]] = {}
    for component in components:
        if component.contours and component.track is not None:
            own.setdefault(component.track, []).append(component)
    return {
        track: pixels_of(map(patch_of, some), size.width_px, size.height_px).view(np.uint8)
        for track, some in own.items()
    }


def component_of(label: int, mask: U8) -> Component | None:
    """A person's mask as it is drawn, who is sure of it; None when nothing is inside."""
    x, y, w, h = cv2.boundingRect(mask)
    if not w:
        return None
    # Round the mask alone: over all of a 1080p frame it would take 3 ms.
    part = np.ascontiguousarray(mask[y : y + h, x : x + w])
    lines, _ = cv2.findContours(part, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE, offset=(x, y))
    contours = tuple(line[:, 0].astype(np.int32) for line in lines)
    area_px = cv2.countNonZero(part)
    return Component(Rect(x, y, w, h), area_px, 1.0, 1.0, contours, label, TrackState.CONFIRMED)


def polyp_at(masks: Mapping[int, U8], x: float, y: float) -> int | None:
    """Whose pixel that is, frame pixels; the last one is on top."""
    for label, mask in reversed(list(masks.items())):
        if 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and mask[int(y), int(x)]:
            return label
    return None
