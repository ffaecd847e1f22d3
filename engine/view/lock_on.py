"""The endoscope's picture found over time: a lock that does not jump, and lets go when the picture moves.

What is lit, or changes, in any of the last two seconds is picture; panels, text and borders are not, however
bright. A dark, red or black frame takes nothing away from what was seen a moment before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.types import U8, Field, Rect, Size
from engine.view.lit import Lit, lit_part, shows_something
from engine.view.outline import fitted

LOOK_EVERY_S = 0.25
LOCKED_EVERY_S = 0.4  # while the looks agree with the lock
DOUBTED_EVERY_S = 0.12  # of a lock that the last look contradicts, so that it is let go within a second
WINDOW_S = 2.0
AGREEING = 3
DOUBTS = 4  # looks that agree against a lock
LASTING = 40  # such looks, about 5 s, after which it need not have the form of a picture: a panel covers some
SHARP_ALL = 0.2  # of its line at most may be less than sharp then
SAME_IOU = 0.95
MOVED_IOU = 0.9  # below it a look contradicts the lock
CLEAR_FIT = 0.955  # of a form: the edge of a dark part is no edge of the picture
CLEAR_EDGE = 16.0  # levels: the light of an endoscope fades by fewer from a pixel to the next


@dataclass(frozen=True, slots=True)
class Look:
    """`small`: the whole frame, uint8 [h, w, 3], as `engine.view.lit.small_of` makes it."""

    at_s: float
    small: U8


@dataclass(frozen=True, slots=True)
class Lock:
    """What is known of where the picture is.

    `field`: as locked, None before. `first`: what a single look said before there is a lock, where it was
    clear. `candidates`: what the last looks said, as far as they agree, and are not the lock. `size`: the
    frame's.
    """

    size: Size | None = None
    field: Field | None = None
    first: Field | None = None
    looks: tuple[Look, ...] = ()
    candidates: tuple[Rect, ...] = ()
    looked_s: float | None = None

    @property
    def best(self) -> Field | None:
        """Where the picture is, as far as is known."""
        return self.field or self.first

    def is_due(self, now_s: float) -> bool:
        """Whether it is time for another look. Played backwards, time goes back."""
        if self.looked_s is None:
            return True
        locked_s = DOUBTED_EVERY_S if self.candidates else LOCKED_EVERY_S
        every_s = LOOK_EVERY_S if self.field is None else locked_s
        return abs(now_s - self.looked_s) >= every_s - 1e-9


def after(before: Lock, small: U8, size: Size, now_s: float) -> Lock:
    """One look. A frame of another size starts anew."""
    if before.size != size:
        before = Lock(size)
    if not shows_something(small):
        return replace(before, looked_s=now_s)
    looks = (*(look for look in before.looks if abs(now_s - look.at_s) < WINDOW_S), Look(now_s, small))
    state = replace(before, looks=looks, looked_s=now_s)
    return _locking(state, size) if before.field is None else _doubting(state, before.field, size)


def arrived(before: Lock, small: U8, size: Size, now_s: float) -> Lock:
    """The first look behind a jump within a recording: the field is most likely where it was.

    A paused picture gets no other look, so that this one alone moves the field, where it is clear.
    """
    if before.size != size:
        return after(Lock(size), small, size, now_s)
    seen = _clear(small, size) if shows_something(small) else None
    held = before.best
    if seen is None or (held is not None and iou(seen.box, held.box) >= MOVED_IOU):
        return replace(before, looks=(), candidates=(), looked_s=now_s)
    return Lock(size, first=seen, looks=(Look(now_s, small),), looked_s=now_s)


def field_in(looks: Sequence[U8], size: Size) -> Field:
    """The field in frame pixels of small pictures of one view; the whole frame where none is found."""
    lit = lit_part(looks)
    return Field(Rect(0, 0, size.width_px, size.height_px)) if lit is None else _field_of(lit, size)[0]


def box_in(looks: Sequence[U8], size: Size) -> Rect:
    """The box of `field_in` alone, in half the time."""
    lit = lit_part(looks)
    return Rect(0, 0, size.width_px, size.height_px) if lit is None else lit.box_in(size)


def _locking(state: Lock, size: Size) -> Lock:
    if state.first is None:
        state = replace(state, first=_clear(state.looks[-1].small, size))
    if len(state.looks) < AGREEING:
        return state
    lit = lit_part([look.small for look in state.looks])
    if lit is None:
        return replace(state, candidates=())
    candidates = _agreeing(state.candidates, lit.box_in(size), AGREEING)
    if len(candidates) < AGREEING:
        return replace(state, candidates=candidates)
    return replace(state, field=_field_of(lit, size)[0], first=None, candidates=())


def _doubting(state: Lock, held: Field, size: Size) -> Lock:
    """A lock is doubted by the newest looks, each by itself: together they still hold the old picture.

    Where time tells that what moves is where it was, the rest is a panel.
    """
    alone = lit_part([state.looks[-1].small])
    # Where nothing is lit, nothing is contradicted.
    if alone is None or iou(alone.box_in(size), held.box) >= MOVED_IOU or not alone.is_sharp(CLEAR_EDGE):
        return replace(state, candidates=())
    found, fit = _field_of(alone, size)
    candidates = _agreeing(state.candidates, found.box, LASTING)
    lasts = len(candidates) == LASTING and alone.is_sharp(CLEAR_EDGE, SHARP_ALL)
    if len(candidates) < DOUBTS or (fit < CLEAR_FIT and not lasts):
        return replace(state, candidates=candidates)
    looks = state.looks[-DOUBTS:]
    together = lit_part([look.small for look in looks])
    if together is not None and iou(together.box_in(size), held.box) >= MOVED_IOU:
        return replace(state, candidates=())
    return replace(state, field=found, candidates=(), looks=looks)


def _agreeing(before: tuple[Rect, ...], box: Rect, most: int) -> tuple[Rect, ...]:
    agrees = bool(before) and iou(box, before[-1]) >= SAME_IOU
    return (*before, box)[-most:] if agrees else (box,)


def _clear(small: U8, size: Size) -> Field | None:
    """The field of a single look, where it has the form of one and a sharp edge."""
    lit = lit_part([small])
    if lit is None or not lit.is_sharp(CLEAR_EDGE):
        return None
    found, fit = _field_of(lit, size)
    return found if fit >= CLEAR_FIT else None


def _field_of(lit: Lit, size: Size) -> tuple[Field, float]:
    """The field in frame pixels, and how well its form fits the lit part (IoU)."""
    form, cut, fit = fitted(lit.own, lit.box)
    return Field(lit.box_in(size), form, cut), fit


def iou(a: Rect, b: Rect) -> float:
    wide = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    high = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    both = max(wide, 0) * max(high, 0)
    return both / max(a.w * a.h + b.w * b.h - both, 1)
