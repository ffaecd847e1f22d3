"""GESTURES: what the mouse does to one polyp's mask with each tool, from a press to what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from engine.drawing.polygon import pixels_inside_all
from engine.review.editing.brush import Point, paint
from engine.review.editing.outline import dragged, nearest, outlines_of
from engine.types import F32, U8

TRACED_PX = 1.0  # from corner to corner of a line that is traced
CLOSE_FACTOR = 0.6  # of the brush's radius: so near to its first corner a polygon is closed


class Gesture(Protocol):
    """One stroke. Positions are frame pixels, to a fraction.

    `mask`: uint8 [H, W], as it would be if the stroke ended now. `guide`: a line to show beside it, float32
    [n, 2]. `outlines`: what the stroke drew, where it drew lines.
    """

    mask: U8
    guide: F32 | None
    outlines: tuple[F32, ...]

    def move(self, x: float, y: float) -> None: ...

    def press(self, x: float, y: float) -> bool:
        """Another press of the button; whether the stroke is done."""

    def release(self) -> bool:
        """The button came up; whether the stroke is done."""

    def back(self) -> bool:
        """Take the last step back; False: there is none left."""


class Brush:
    """Paints (or erases) along the way."""

    def __init__(self, mask: U8, x: float, y: float, radius_px: float, value: int) -> None:
        self.mask = mask.copy()
        self.guide: F32 | None = None
        self.outlines: tuple[F32, ...] = ()
        self._radius_px = radius_px
        self._value = value
        self._at: Point = (x, y)
        paint(self.mask, self._at, self._at, radius_px, value)

    def move(self, x: float, y: float) -> None:
        paint(self.mask, self._at, (x, y), self._radius_px, self._value)
        self._at = x, y

    def press(self, x: float, y: float) -> bool:
        return False

    def release(self) -> bool:
        return True

    def back(self) -> bool:
        return False


class Polygon:
    """Corner by corner; a press near the first one closes it, and adds it to the mask.

    Traced with the button held, it is closed when that comes up.
    """

    def __init__(self, mask: U8, x: float, y: float, radius_px: float, value: int) -> None:
        self.mask = mask
        self.guide: F32 | None = np.array([(x, y), (x, y)], np.float32)
        self.outlines: tuple[F32, ...] = ()
        self._before = mask
        self._near_px = max(CLOSE_FACTOR * radius_px, 2.0)
        self._value = value
        self._corners: list[Point] = [(x, y)]
        self._held_from: int | None = 0  # the corner that the button went down on
        self._is_traced = False

    def move(self, x: float, y: float) -> None:
        if self._held_from is not None:
            self._trace(x, y)
        self.guide = np.array([*self._corners, (x, y)], np.float32)

    def press(self, x: float, y: float) -> bool:
        first = self._corners[0]
        if len(self._corners) > 2 and np.hypot(x - first[0], y - first[1]) <= self._near_px:
            return self.close()
        self._held_from = len(self._corners)
        self._corners.append((x, y))
        self.move(x, y)
        return False

    def close(self) -> bool:
        """Back to the first corner; False with fewer than three."""
        if len(self._corners) < 3:
            return False
        self.outlines = (np.array(self._corners, np.float32),)
        high, wide = self._before.shape
        self.mask = self._before.copy()
        self.mask[pixels_inside_all(self.outlines, wide, high) != 0] = self._value
        return True

    def release(self) -> bool:
        traced, self._is_traced, self._held_from = self._is_traced, False, None
        return traced and self.close()

    def back(self) -> bool:
        if len(self._corners) < 2:
            return False
        self._corners.pop()
        self.move(*self._corners[-1])
        return True

    def _trace(self, x: float, y: float) -> None:
        """A click whose mouse slips a little is a click."""
        assert self._held_from is not None
        from_x, from_y = self._corners[self._held_from]
        self._is_traced = self._is_traced or np.hypot(x - from_x, y - from_y) > 2 * self._near_px
        last_x, last_y = self._corners[-1]
        if self._is_traced and np.hypot(x - last_x, y - last_y) >= TRACED_PX:
            self._corners.append((x, y))


class Drag:
    """Grabs the mask's outline where it is nearest, and takes along what is within the radius."""

    def __init__(self, mask: U8, x: float, y: float, radius_px: float, value: int) -> None:
        del value
        self.mask = mask
        self.guide: F32 | None = None
        self.outlines: tuple[F32, ...] = ()
        self._before = outlines_of(mask)
        self._grabbed = nearest(self._before, x, y)
        self._from: Point = (x, y)
        self._radius_px = radius_px

    def move(self, x: float, y: float) -> None:
        if self._grabbed is None:
            return
        to = self._grabbed[0] + x - self._from[0], self._grabbed[1] + y - self._from[1]
        moved = dragged(self._before, self._grabbed, to, self._radius_px)
        high, wide = self.mask.shape
        self.mask = pixels_inside_all(moved, wide, high)

    def press(self, x: float, y: float) -> bool:
        return False

    def release(self) -> bool:
        return True

    def back(self) -> bool:
        return False


# Made of the mask, the place of the press, the radius in frame pixels, and 1 to add or 0 to take away.
GESTURES: Mapping[str, Callable[[U8, float, float, float, int], Gesture]] = {
    "brush": Brush,
    "eraser": lambda mask, x, y, radius_px, value: Brush(mask, x, y, radius_px, 1 - value),
    "polygon": Polygon,
    "drag": Drag,
}
