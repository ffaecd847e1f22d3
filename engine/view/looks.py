"""The last pictures of a source, to tell how far its content moved between any two of them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from engine.types import F32, U8, Rect
from engine.view.motion import STILL, Motion, look_of, motion_between

KEPT = 16  # more than there are within the age of the oldest mask that is drawn


@dataclass(slots=True)
class _Picture:
    shown: U8
    box: Rect
    look: F32 | None = None


class Looks:
    """For one thread, or under a lock. What is not asked for costs nothing: looks are made when they are."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[int, _Picture] = OrderedDict()
        self._told: tuple[int, int, Motion] | None = None

    def add(self, number: int, shown: U8, box: Rect) -> None:
        """`shown`: what the network is given of `box` of that frame, uint8 [h, w, 3], not copied."""
        self._pictures[number] = _Picture(shown, box)
        while len(self._pictures) > KEPT:
            self._pictures.popitem(last=False)

    def between(self, before: int, now: int) -> Motion:
        """From one frame to another; `STILL` where one is not known, or another part was looked at."""
        if self._told is not None and self._told[:2] == (before, now):
            return self._told[2]
        old, new = self._pictures.get(before), self._pictures.get(now)
        motion = STILL
        if old is not None and new is not None and old.box == new.box:
            motion = motion_between(self._look(old), self._look(new))
        self._told = before, now, motion
        return motion

    @staticmethod
    def _look(picture: _Picture) -> F32:
        if picture.look is None:
            picture.look = look_of(picture.shown)
        return picture.look
