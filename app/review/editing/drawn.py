"""Frames that a person has changed, drawn as they are now: in place of what the model marked."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import replace

import numpy as np

from app.review.editing.frames import Frames
from app.review.editing.masks import decoded
from engine.review.acts import FrameEdits, FrameState
from engine.review.editing.polyps import component_of
from engine.types import Frame, Mask, OperatingPoint, Rect, Result

KEPT = 64  # frames round the one that is looked at
PERSON = "person"


class Drawn:
    """The same value for the same edits and marks: nothing is painted twice."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._made: OrderedDict[int, tuple[FrameEdits, Result | None, Result]] = OrderedDict()

    def of(self, frame: Frame, marks: Result | None) -> Result | None:
        """`marks`: the model's."""
        edits = self._frames.of(frame.index)
        if edits.state is FrameState.MACHINE:
            return marks
        known = self._made.get(frame.index)
        if known is not None and known[0] is edits and known[1] is marks:
            return known[2]
        found = (component_of(label, decoded(one)) for label, one in edits.masks.items())
        components = tuple(component for component in found if component is not None)
        result = replace(marks or _blank(frame), components=components, candidates=())
        self._made[frame.index] = edits, marks, result
        while len(self._made) > KEPT:
            self._made.popitem(last=False)
        return result


def _blank(frame: Frame) -> Result:
    size = frame.size
    everywhere = Rect(0, 0, size.width_px, size.height_px)
    return Result(
        number=frame.index,
        index=frame.index,
        pts_s=frame.pts_s,
        captured_s=math.nan,
        seek_serial=frame.seek_serial,
        size=size,
        mask=Mask(frame.index, np.zeros((1, 1), np.uint8), everywhere),
        components=(),
        point=OperatingPoint(0.5, 0.0),
        model_id=PERSON,
        runtime="",
    )
