"""What a person marks because the network missed it: a finding of its own kind, at one moment of a source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.types import Rect, Size

LEAST_PX = 4  # of a side: what is smaller is a slip of the mouse
MOST = 1000


@dataclass(frozen=True, slots=True)
class PersonFinding:
    """`box`: frame pixels, inside of the picture. `number`: tells it from the source's others."""

    number: int
    pts_s: float
    box: Rect
    kind: Literal["person"] = "person"


def with_missed(
    before: Sequence[PersonFinding], box: Rect, pts_s: float, size: Size
) -> tuple[PersonFinding, ...]:
    """One more, cut to the picture. A box of which nothing is left adds none; the oldest leave first."""
    left, top = max(box.x, 0), max(box.y, 0)
    right, bottom = min(box.x + box.w, size.width_px), min(box.y + box.h, size.height_px)
    if min(right - left, bottom - top) < LEAST_PX:
        return tuple(before)
    number = before[-1].number + 1 if before else 1
    new = PersonFinding(number, pts_s, Rect(left, top, right - left, bottom - top))
    return (*before, new)[-MOST:]


def without_missed(before: Sequence[PersonFinding], number: int) -> tuple[PersonFinding, ...]:
    """A person takes one back."""
    return tuple(one for one in before if one.number != number)


def missed_at(missed: Sequence[PersonFinding], pts_s: float, within_s: float) -> tuple[PersonFinding, ...]:
    """Those of the frame at `pts_s`; `within_s`: half of the frame interval."""
    return tuple(one for one in missed if abs(one.pts_s - pts_s) <= within_s)
