"""CLICKS: a mask from clicks on what belongs to a polyp and on what does not. The ways that are built in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from engine.types import U8, Rect

LOOKED_PX = 320  # of the longer side of what is looked at: GrabCut takes 0.1 s there
AROUND = 1.6  # how far beyond the mask is looked, of its own size
FIRST_FRAC = 0.32  # of the frame's shorter side: how large a polyp is taken to be at the first click
SURE_FRAC = 0.02  # of the frame's shorter side: the disc round a click that is what the person says
ROUNDS = 3
FLOOD_RANGE = 14  # levels of Lab round the clicked colour
SMOOTH_PX = 5


@dataclass(frozen=True, slots=True)
class Click:
    """Frame pixels; `inside`: of the polyp, or not of it."""

    x: float
    y: float
    inside: bool


Way = Callable[[U8, U8 | None, Sequence[Click]], U8]


def grabcut(picture: U8, before: U8 | None, clicks: Sequence[Click]) -> U8:
    """GrabCut (Rother 2004) of the part round the clicks; a mask that is there already is its first guess.

    `picture`: uint8 [H, W, 3 or 4] BGR(A); `before`: uint8 [H, W]; `clicks`: one inside at least, unless
    there is a mask. Gives uint8 [H, W], 0 and 1; outside of the part the mask stays as it was.
    """
    high, wide = picture.shape[:2]
    part = _part(wide, high, before, clicks)
    scale = min(1.0, LOOKED_PX / max(part.w, part.h))
    small = max(1, round(part.w * scale)), max(1, round(part.h * scale))
    window = np.s_[part.y : part.y + part.h, part.x : part.x + part.w]
    colours = cv2.resize(picture[window][..., :3], small, interpolation=cv2.INTER_AREA)
    guess = _guess(part, small, before, clicks, min(wide, high))
    if {cv2.GC_FGD, cv2.GC_PR_FGD}.isdisjoint(guess.flat) or {cv2.GC_BGD, cv2.GC_PR_BGD}.isdisjoint(
        guess.flat
    ):
        found = np.isin(guess, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    else:
        cv2.setRNGSeed(0)  # the same clicks give the same mask
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(colours, guess, (0, 0, 1, 1), *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
        found = np.isin(guess, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    kept = _smooth_and_touched(found, part, scale, clicks, before)
    _say(kept, part, scale, clicks, min(wide, high), 1, 0)
    answer = np.zeros((high, wide), np.uint8) if before is None else (before != 0).view(np.uint8).copy()
    grown = cv2.resize(kept.astype(np.float32), (part.w, part.h), interpolation=cv2.INTER_LINEAR)
    answer[window] = grown >= 0.5
    return answer


def flood(picture: U8, before: U8 | None, clicks: Sequence[Click]) -> U8:
    """What is connected with the clicks and of their colour (cv2.floodFill in Lab), added or taken away."""
    high, wide = picture.shape[:2]
    colours = cv2.GaussianBlur(
        cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_BGR2Lab), (0, 0), 2
    )
    answer = np.zeros((high, wide), np.uint8) if before is None else (before != 0).view(np.uint8).copy()
    levels = (FLOOD_RANGE,) * 3
    for click in clicks:
        if not (0 <= click.x < wide and 0 <= click.y < high):
            continue
        region = np.zeros((high + 2, wide + 2), np.uint8)
        flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (1 << 8)
        cv2.floodFill(colours, region, (int(click.x), int(click.y)), 0, levels, levels, flags)
        own = cv2.morphologyEx(region[1:-1, 1:-1], cv2.MORPH_CLOSE, np.ones((SMOOTH_PX, SMOOTH_PX), np.uint8))
        answer[own != 0] = click.inside
    return answer


CLICKS: Mapping[str, Way] = {"grabcut": grabcut, "flood": flood}


def as_clicked(mask: U8, clicks: Sequence[Click]) -> U8:
    """The mask, in place, with the disc round each click as the person said."""
    high, wide = mask.shape
    _say(mask, Rect(0, 0, wide, high), 1.0, clicks, min(wide, high), 1, 0)
    return mask


def _part(wide: int, high: int, before: U8 | None, clicks: Sequence[Click]) -> Rect:
    """What of the frame is looked at: round the mask and the clicks."""
    boxes = [(click.x, click.y, click.x, click.y) for click in clicks]
    if before is not None and before.any():
        x, y, w, h = cv2.boundingRect(before)
        boxes.append((x, y, x + w, y + h))
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    least = FIRST_FRAC * min(wide, high)
    half_w, half_h = (max(side * AROUND, least * AROUND) / 2 for side in (right - left, bottom - top))
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    first_x, first_y = max(int(middle_x - half_w), 0), max(int(middle_y - half_h), 0)
    last_x, last_y = min(int(middle_x + half_w) + 1, wide), min(int(middle_y + half_h) + 1, high)
    return Rect(first_x, first_y, last_x - first_x, last_y - first_y)


def _guess(
    part: Rect, small: tuple[int, int], before: U8 | None, clicks: Sequence[Click], side_px: int
) -> U8:
    guess = np.full((small[1], small[0]), cv2.GC_PR_BGD, np.uint8)
    scale = small[0] / part.w
    if before is not None and before.any():
        own = before[part.y : part.y + part.h, part.x : part.x + part.w]
        guess[cv2.resize(own, small, interpolation=cv2.INTER_AREA) != 0] = cv2.GC_PR_FGD
    else:
        radius = max(round(FIRST_FRAC / 2 * side_px * scale), 1)
        for click in clicks:
            if click.inside:
                cv2.circle(guess, _on(click, part, scale), radius, cv2.GC_PR_FGD, cv2.FILLED)
        edge = max(round(0.04 * min(small)), 1)  # what lies at the rim of the part is of the wall
        for side in (guess[:edge], guess[-edge:], guess[:, :edge], guess[:, -edge:]):
            side[:] = cv2.GC_BGD
    _say(guess, part, scale, clicks, side_px, cv2.GC_FGD, cv2.GC_BGD)
    return guess


def _say(
    values: U8, part: Rect, scale: float, clicks: Sequence[Click], side_px: int, inside: int, outside: int
) -> None:
    """A person is right about the disc round a click, whatever the colours say."""
    sure = max(round(SURE_FRAC * side_px * scale), 1)
    for click in clicks:
        value = inside if click.inside else outside
        cv2.circle(values, _on(click, part, scale), sure, value, cv2.FILLED)


def _smooth_and_touched(
    found: U8, part: Rect, scale: float, clicks: Sequence[Click], before: U8 | None
) -> U8:
    """Without specks: what holds a click inside, or was of the mask before."""
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (SMOOTH_PX, SMOOTH_PX))
    smooth = cv2.morphologyEx(cv2.morphologyEx(found, cv2.MORPH_OPEN, round_), cv2.MORPH_CLOSE, round_)
    _, numbers = cv2.connectedComponents(smooth, connectivity=4)
    wanted = set()
    for click in clicks:
        if click.inside:
            x, y = _on(click, part, scale)
            if 0 <= x < numbers.shape[1] and 0 <= y < numbers.shape[0]:
                wanted.add(int(numbers[y, x]))
    if before is not None:
        own = before[part.y : part.y + part.h, part.x : part.x + part.w]
        small = cv2.resize(own, numbers.shape[::-1], interpolation=cv2.INTER_AREA)
        wanted.update(int(one) for one in np.unique(numbers[small != 0]))
    kept = np.isin(numbers, list(wanted - {0})).astype(np.uint8)
    filled = cv2.findContours(kept, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    cv2.drawContours(kept, filled, -1, 1, cv2.FILLED)
    return kept


def _on(click: Click, part: Rect, scale: float) -> tuple[int, int]:
    return int((click.x - part.x) * scale), int((click.y - part.y) * scale)
