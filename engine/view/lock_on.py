"""The endoscope's picture found over time: a lock that does not jump, and lets go when the picture moves.

What is lit, or changes, in any of the last two seconds is picture; panels, text and borders are not, however
bright. A dark, red or black frame takes nothing away from what was seen a moment before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from engine.types import U8, Field, Rect, Size
from engine.view.field_of_view import DARK, SATURATED, SMALLEST_FRAC, STROKE_PX, brightest_of, textured
from engine.view.outline import fitted

LONG_SIDE_PX = 208
LOOK_EVERY_S = 0.2
WINDOW_S = 2.0
AGREEING = 3
SAME_IOU = 0.95
MOVED_IOU = 0.9  # below it a look contradicts the lock
CLEAR_FIT = 0.94  # of a form: the edge of a dark part is no edge of the picture
CHANGES = 12  # levels, over the window: more than an encoder makes of a panel that stands still
WHOLE_FRAC = 0.97  # of a side, from which on it is the whole side


@dataclass(frozen=True, slots=True)
class Look:
    """`small`: the whole frame, uint8 [h, w, 3], its longer side `LONG_SIDE_PX`."""

    at_s: float
    small: U8


@dataclass(frozen=True, slots=True)
class Lock:
    """What is known of where the picture is.

    `field`: as locked, None before. `candidates`: what the last looks said, as far as they agree, and are
    not the lock. `size`: the frame's.
    """

    size: Size | None = None
    field: Field | None = None
    looks: tuple[Look, ...] = ()
    candidates: tuple[Field, ...] = ()
    looked_s: float | None = None

    def is_due(self, now_s: float) -> bool:
        """Whether it is time for another look."""
        return self.looked_s is None or not 0.0 <= now_s - self.looked_s < LOOK_EVERY_S - 1e-9


def small_of(image: U8) -> U8:
    """uint8 [h, w, 3] -> the same at the size of a look."""
    height, width = image.shape[:2]
    scale = LONG_SIDE_PX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def after(before: Lock, small: U8, size: Size, now_s: float) -> Lock:
    """One look. A frame of another size, or time that goes back, starts anew."""
    if before.size != size or (before.looked_s is not None and now_s < before.looked_s):
        before = Lock(size)
    if not _shows_something(small):
        return replace(before, looked_s=now_s)
    looks = (*(look for look in before.looks if look.at_s > now_s - WINDOW_S), Look(now_s, small))
    state = replace(before, looks=looks, looked_s=now_s)
    if len(looks) < AGREEING:
        return state
    # A lock is doubted by the newest looks alone: the old picture is still in the others.
    if before.field is not None:
        looks = looks[-AGREEING:]
    lit = _lit_part(tuple(look.small for look in looks))
    agrees = before.field is not None and _iou_small(lit, before.field.box, size) >= MOVED_IOU
    found, fit = (None, 0.0) if agrees or lit is None else _field_of(lit, size)
    if found is None or (before.field is not None and fit < CLEAR_FIT):
        return replace(state, candidates=())
    candidates: tuple[Field, ...] = (found,)
    if before.candidates and iou(found.box, before.candidates[-1].box) >= SAME_IOU:
        candidates = (*before.candidates, found)[-AGREEING:]
    if len(candidates) < AGREEING:
        return replace(state, candidates=candidates)
    return replace(state, field=found, candidates=(), looks=looks)


def field_in(looks: Sequence[U8], size: Size) -> Field:
    """The field in frame pixels of small pictures of one view; the whole frame where none is found."""
    lit = _lit_part(looks)
    return Field(Rect(0, 0, size.width_px, size.height_px)) if lit is None else _field_of(lit, size)[0]


@dataclass(frozen=True, slots=True)
class _Lit:
    """The largest lit part of a small picture: uint8 [h, w] of 0 and 1, and the box around it."""

    own: U8
    box: Rect


def _lit_part(pictures: Sequence[U8]) -> _Lit | None:
    """None where nothing large is lit."""
    top, low = pictures[0], pictures[0]
    for picture in pictures[1:]:
        top, low = np.maximum(top, picture), np.minimum(low, picture)
    brightest = brightest_of(top)
    lit = (brightest > DARK) & (textured(top) | (brightest >= SATURATED))
    if len(pictures) > 1:
        changes = brightest_of(np.asarray(cv2.subtract(top, low), np.uint8)) > CHANGES
        lit = changes | (lit & _near(changes))
    opened = cv2.morphologyEx(lit.astype(np.uint8), cv2.MORPH_OPEN, np.ones((STROKE_PX, STROKE_PX), np.uint8))
    count, labels, figures, _ = cv2.connectedComponentsWithStats(opened)
    if count < 2:
        return None
    number = 1 + int(np.argmax(figures[1:, cv2.CC_STAT_AREA]))
    x, y, w, h, area = (int(value) for value in figures[number])
    if area < SMALLEST_FRAC * opened.size:
        return None
    return _Lit((labels == number).astype(np.uint8), Rect(x, y, w, h))


def _iou_small(lit: _Lit | None, box: Rect, size: Size) -> float:
    """Of the lit part's box and one in frame pixels; 1 where nothing is lit, which contradicts nothing."""
    return 1.0 if lit is None else iou(_in_frame(lit, size), box)


def _field_of(lit: _Lit, size: Size) -> tuple[Field, float]:
    """The field in frame pixels, and how well its form fits the lit part (IoU)."""
    form, cut, fit = fitted(lit.own, lit.box)
    return Field(_in_frame(lit, size), form, cut), fit


def _in_frame(lit: _Lit, size: Size) -> Rect:
    high, wide = lit.own.shape
    left, across = _side(lit.box.x, lit.box.w, wide, size.width_px)
    upper, down = _side(lit.box.y, lit.box.h, high, size.height_px)
    return Rect(left, upper, across, down)


def _near(changes: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """What belongs to a part that changes: a still, lit panel far from it does not."""
    reach = np.ones((2 * STROKE_PX + 1, 2 * STROKE_PX + 1), np.uint8)
    near: npt.NDArray[np.bool_] = cv2.dilate(changes.astype(np.uint8), reach) > 0
    return near


def _side(start: int, length: int, small: int, full: int) -> tuple[int, int]:
    if length >= WHOLE_FRAC * small:
        return 0, full
    first = round(start * full / small)
    return first, min(round((start + length) * full / small), full) - first


def _shows_something(small: U8) -> bool:
    """Whether a frame says anything of where the picture is: not a black one, and none without texture."""
    brightest = brightest_of(small)
    lit = (brightest > DARK) & (textured(small) | (brightest >= SATURATED))
    return bool(np.count_nonzero(lit) >= SMALLEST_FRAC / 2 * lit.size)


def iou(a: Rect, b: Rect) -> float:
    wide = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    high = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    both = max(wide, 0) * max(high, 0)
    return both / max(a.w * a.h + b.w * b.h - both, 1)
