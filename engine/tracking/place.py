"""Whether two blobs of different frames are at one place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.types import Component

SAME_IOU = 0.2
SAME_DISTANCE = 0.6  # of the larger one's diameter, as that of a disc of its area
PART_FRAC = 0.5
DRIFT_AREA = 3.0  # what moved far and is more than so many times larger or smaller is something else


@dataclass(frozen=True, slots=True)
class Shift:
    """How far the picture's content moved since the look before, frame pixels."""

    dx_px: float = 0.0
    dy_px: float = 0.0


UNMOVED = Shift()


@dataclass(frozen=True, slots=True)
class Place:
    """A box in frame pixels, whole or not, and the area of what is in it."""

    x: float
    y: float
    w: float
    h: float
    area_px: float

    def moved(self, by: Shift) -> Place:
        return Place(self.x + by.dx_px, self.y + by.dy_px, self.w, self.h, self.area_px)

    @property
    def diameter_px(self) -> float:
        return 2.0 * math.sqrt(self.area_px / math.pi)


def place_of(component: Component) -> Place:
    box = component.box
    return Place(box.x, box.y, box.w, box.h, component.area_px)


def overlap_px(a: Place, b: Place) -> float:
    """Area that both boxes cover."""
    wide = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    high = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    return max(wide, 0.0) * max(high, 0.0)


def likeness(a: Place, b: Place, drift_px: float = 0.0) -> float:
    """0: not at one place. Above: the boxes' IoU, and behind every overlap nearness, as a small number.

    `drift_px`: how far one may have moved from the other without anybody having seen it.
    """
    far_px = max(a.w, b.w, a.h, b.h) + drift_px  # beyond it nothing is at one place: most pairs are there
    if abs(a.x - b.x + (a.w - b.w) / 2) > far_px or abs(a.y - b.y + (a.h - b.h) / 2) > far_px:
        return 0.0
    both = overlap_px(a, b)
    iou = both / max(a.w * a.h + b.w * b.h - both, 1e-9)
    if iou >= SAME_IOU:
        return iou
    apart_px = math.hypot(a.x + a.w / 2 - b.x - b.w / 2, a.y + a.h / 2 - b.y - b.h / 2)
    reach_px = SAME_DISTANCE * max(a.diameter_px, b.diameter_px)
    if max(a.area_px, b.area_px) <= DRIFT_AREA * min(a.area_px, b.area_px):
        reach_px += drift_px
    return SAME_IOU * (1.0 - apart_px / reach_px) if apart_px < reach_px else 0.0


def is_part(piece: Place, whole: Place) -> bool:
    """Whether most of a blob lies where a larger one was: a finding that came apart is one finding."""
    return overlap_px(piece, whole) >= PART_FRAC * piece.w * piece.h


def around(places: Sequence[Place]) -> Place:
    """One box about them all, and the area of what is in them."""
    left, top = min(p.x for p in places), min(p.y for p in places)
    right, bottom = max(p.x + p.w for p in places), max(p.y + p.h for p in places)
    return Place(left, top, right - left, bottom - top, sum(p.area_px for p in places))


def is_compact(places: Sequence[Place]) -> bool:
    """Whether the boxes fill what lies about them all: parts of one thing, and not things far apart."""
    whole = around(places)
    return sum(p.w * p.h for p in places) >= PART_FRAC * whole.w * whole.h
