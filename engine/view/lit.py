"""Which part of a small picture was filmed: lit, and not painted as panels, text and a scope guide are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from engine.types import U8, Rect, Size

LONG_SIDE_PX = 208
STEP_PX = 16  # swscale leaves columns out where a side is none of its whole steps
DARK = 28  # of 255 in the brightest channel: what is brighter is lit, whatever the recorder's black is
ABOVE_BLACK = 10  # levels over the recorder's own black, from which on a dim edge of the picture is lit
BLACK_FRAC = 0.01  # of the frame, at least, that has to be dark for it to have a black of its own
SATURATED = 250  # over-exposed mucosa is flat, too
PATCH_PX, FLAT = 7, 3  # a patch in which no channel differs by more levels was painted and not filmed
STROKE_PX = 5  # text and the edges of panels are thinner
EAR_PX = 17  # what is joined to the picture and thinner does not belong to it: a line of text, a guide's edge
BAR_FRAC = 0.06  # of the frame's height: a recorder's status bar at its edge is not thicker
HALF = 0.6  # of the light two pixels further in: less is a pixel that is partly recorder
SMALLEST_FRAC = 0.2  # of the frame; what is smaller is no field of view
CHANGES = 12  # levels, over the looks: more than an encoder makes of a panel that stands still


@dataclass(frozen=True, slots=True)
class Lit:
    """The largest lit part of a small picture: uint8 [h, w] of 0 and 1 without holes, and the box around it.

    `brightest`: of all the small picture's pixels, uint8 [h, w].
    """

    own: U8
    box: Rect
    brightest: U8

    def box_in(self, size: Size) -> Rect:
        """In pixels of the frame that it is a small picture of; a pixel from its edge is its edge."""
        high, wide = self.own.shape
        left, across = _side(self.box.x, self.box.w, wide, size.width_px)
        upper, down = _side(self.box.y, self.box.h, high, size.height_px)
        return Rect(left, upper, across, down)

    def is_sharp(self, levels: float, but_frac: float = 0.5) -> bool:
        """Whether it ends by a step of so many levels: where light fades, or a shadow lies, is no edge of it.

        `but_frac` of its line may have less of a step. What ends with the frame has no edge, and is sharp.
        """
        inner = cv2.erode(self.own, _square(3), borderType=cv2.BORDER_CONSTANT, borderValue=1)
        line = cv2.subtract(self.own, inner) > 0
        steps = cv2.morphologyEx(self.brightest, cv2.MORPH_GRADIENT, _square(3))[line]
        return not steps.size or float(np.quantile(steps, but_frac)) >= levels


def small_size(size: Size) -> Size:
    """The size of a look, about: its longer side is `LONG_SIDE_PX`."""
    scale = LONG_SIDE_PX / max(size.width_px, size.height_px)
    sides = (
        max(STEP_PX, round(side * scale / STEP_PX) * STEP_PX) for side in (size.width_px, size.height_px)
    )
    return Size(*sides)


def small_of(image: U8) -> U8:
    """uint8 [h, w, 3] -> the same at the size of a look."""
    size = small_size(Size(image.shape[1], image.shape[0]))
    small = cv2.resize(image, (size.width_px, size.height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def lit_part(pictures: Sequence[U8]) -> Lit | None:
    """Of looks at one view, uint8 [h, w, 3] in any order of their channels; None where nothing large is lit.

    What is lit in any of them is: a frame that is dark takes nothing away.
    """
    top = pictures[0].copy()
    for picture in pictures[1:]:
        cv2.max(top, picture, dst=top)
    brightest = brightest_of(top)
    lit = _filmed(top, brightest)
    if len(pictures) > 1:
        low = pictures[0].copy()
        for picture in pictures[1:]:
            cv2.min(low, picture, dst=low)
        changes = _above(brightest_of(np.asarray(cv2.subtract(top, low), np.uint8)), CHANGES)
        if cv2.countNonZero(changes) >= SMALLEST_FRAC * changes.size:
            # Time tells: a still, lit panel far from what changes is none of it.
            near = cv2.dilate(changes, _square(2 * STROKE_PX + 1))
            lit = np.asarray(cv2.bitwise_or(changes, cv2.bitwise_and(lit, near)), np.uint8)
    opened = cv2.morphologyEx(lit, cv2.MORPH_OPEN, _square(STROKE_PX))
    return _largest(np.asarray(opened, np.uint8), brightest)


def shows_something(small: U8) -> bool:
    """Whether a frame says anything of where the picture is: not a black one, and none without texture."""
    brightest = brightest_of(small)
    steps = np.asarray(cv2.morphologyEx(brightest, cv2.MORPH_GRADIENT, _square(3)), np.uint8)
    textured = cv2.bitwise_or(_above(steps, FLAT), _above(brightest, SATURATED - 1))
    lit = cv2.bitwise_and(textured, _above(brightest, DARK))
    return bool(cv2.countNonZero(lit) >= SMALLEST_FRAC / 2 * brightest.size)


def brightest_of(image: U8) -> U8:
    """Each pixel's highest channel, of uint8 [h, w, 3]: uint8 [h, w], in a tenth of the time of `max(2)`."""
    first, second, third = cv2.split(image)
    return np.asarray(cv2.max(cv2.max(first, second), third), np.uint8)


def _filmed(small: U8, brightest: U8) -> U8:
    """uint8 [h, w] of 0 and 1."""
    bright = _above(brightest, _black_of(brightest))
    steps = brightest_of(np.asarray(cv2.morphologyEx(small, cv2.MORPH_GRADIENT, _square(PATCH_PX)), np.uint8))
    moves = cv2.bitwise_or(_above(steps, FLAT), _above(brightest, SATURATED - 1))
    painted = cv2.dilate(cv2.subtract(np.ones_like(moves), moves), _square(PATCH_PX))
    return _without_bars(bright, np.asarray(cv2.subtract(bright, painted), np.uint8))


def _above(plane: U8, level: int) -> U8:
    return np.asarray(cv2.threshold(plane, level, 1, cv2.THRESH_BINARY)[1], np.uint8)


def _black_of(brightest: U8) -> int:
    """The level up to which a pixel is not lit: a little over the recorder's black, if it shows any."""
    dark = np.bincount(brightest.ravel(), minlength=DARK)[:DARK]
    if dark.sum() < BLACK_FRAC * brightest.size:
        return DARK
    return min(DARK, int(dark.argmax()) + ABOVE_BLACK)


def _without_bars(bright: U8, lit: U8) -> U8:
    """The same without bars from side to side along the frame's upper or lower edge.

    No picture is wider there than a little further in, so that it is a bar and not its end.
    """
    high, wide = bright.shape
    for rows, own in ((bright, lit), (bright[::-1], lit[::-1])):
        most = round(BAR_FRAC * high)
        covered = np.count_nonzero(rows[: most + 2], axis=1) >= wide - 1
        thick = int(np.argmin(covered)) if not covered.all() else 0
        if 0 < thick <= most:
            own[: thick + 1] = 0
    return lit


def _largest(lit: U8, brightest: U8) -> Lit | None:
    """The largest part, filled, and without what is thin and only joined to it."""
    lines, _ = cv2.findContours(lit, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not lines:
        return None
    part = np.zeros_like(lit)
    cv2.drawContours(part, [max(lines, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    thick = cv2.morphologyEx(
        part, cv2.MORPH_OPEN, _square(EAR_PX), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    count, labels, figures, _ = cv2.connectedComponentsWithStats(thick)
    if count < 2:
        return None
    number = 1 + int(np.argmax(figures[1:, cv2.CC_STAT_AREA]))
    if figures[number, cv2.CC_STAT_AREA] < SMALLEST_FRAC * lit.size:
        return None
    near = cv2.dilate((labels == number).astype(np.uint8), _square(3))  # a circle's sides are thin at first
    own = np.asarray(cv2.bitwise_and(part, near), np.uint8)
    box = _without_halves(own, brightest, Rect(*cv2.boundingRect(own)))
    return Lit(own, box, brightest)


def _without_halves(own: U8, brightest: U8, box: Rect) -> Rect:
    """The box without the lines at its sides that are picture in part only, and much darker by that."""
    rows, columns = np.s_[box.y : box.y + box.h], np.s_[box.x : box.x + box.w]
    own, light = own[rows, columns], brightest[rows, columns]
    left, right, upper, lower = (
        _mean(own, light, at) < HALF * _mean(own, light, further)
        for at, further in (
            (np.s_[:, 0], np.s_[:, 2]),
            (np.s_[:, -1], np.s_[:, -3]),
            (np.s_[0], np.s_[2]),
            (np.s_[-1], np.s_[-3]),
        )
    )
    return Rect(box.x + left, box.y + upper, box.w - left - right, box.h - upper - lower)


def _mean(own: U8, light: U8, line: Any) -> float:
    """Of one line's lit pixels."""
    return float(np.dot(own[line].astype(np.float32), light[line])) / max(1, cv2.countNonZero(own[line]))


def _square(side_px: int) -> U8:
    return np.ones((side_px, side_px), np.uint8)


def _side(start: int, length: int, small: int, full: int) -> tuple[int, int]:
    """Start and length in the frame's own pixels."""
    first = 0 if start <= 1 else round(start * full / small)
    end = full if start + length >= small - 1 else round((start + length) * full / small)
    return first, end - first
