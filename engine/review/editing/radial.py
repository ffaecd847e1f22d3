"""A closed outline round a click: the path over all directions that follows the strongest edges.

Dynamic programming in polar coordinates (as Sun 2003, "Fast optimal circular shortest path", but twice round
instead of exactly closed). A polyp is seen from its middle in every direction.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engine.review.editing.clicks import SURE_FRAC, Click, as_clicked, grabcut
from engine.types import F32, U8

# Tuned on 60 labelled images of six sets, the click up to 0.3 radii beside the middle.
ANGLES, RADII = 120, 80
NEAREST_FRAC, FARTHEST_FRAC = 0.03, 0.42  # of the frame's shorter side
USUAL_FRAC, SIZE_WEIGHT = 0.15, 0.1  # how large a polyp is taken to be, where edges do not say
BLUR_FRAC, BAND_FRAC = 0.008, 0.05  # what an edge is looked for in: the mean of a band on both sides of it
CHANNELS = np.array(
    (0.5, 1.5, 1.5), np.float32
)  # weights of Lab: light falls off across a polyp, its colour does not
OTHER_WEIGHT, OTHER_MOST = 0.3, 40.0  # of how far what is enclosed differs from what was clicked
BEYOND_COST = 0.3  # outside of the frame
SAID_COST = 50.0  # against what a person clicked
JUMP, JUMP_WEIGHT = 2, 0.3  # steps of the radius from one direction to the next


def radial(picture: U8, before: U8 | None, clicks: Sequence[Click]) -> U8:
    """As `grabcut`: uint8 [H, W], 0 and 1. A mask that is there already is corrected by colour instead."""
    inside = [click for click in clicks if click.inside]
    if before is not None or not inside:
        return grabcut(picture, before, clicks)
    high, wide = picture.shape[:2]
    side_px = min(wide, high)
    x, y = float(np.mean([one.x for one in inside])), float(np.mean([one.y for one in inside]))
    reach_px = max(float(np.hypot(one.x - x, one.y - y)) for one in inside) + USUAL_FRAC * side_px
    farthest_px = max(FARTHEST_FRAC * side_px, reach_px)
    radii = np.linspace(NEAREST_FRAC * side_px, farthest_px, RADII, dtype=np.float32)
    angles = np.arange(ANGLES, dtype=np.float32) * np.float32(2 * np.pi / ANGLES)
    cost = _edges(picture, (x, y), angles, radii) + SIZE_WEIGHT * np.log(radii / (USUAL_FRAC * side_px)) ** 2
    for click in clicks:
        _heed(cost, click, (x, y), angles, radii, SURE_FRAC * side_px)
    found = radii[_closed(cost)]
    outline = np.stack([x + np.cos(angles) * found, y + np.sin(angles) * found], axis=1)
    mask = np.zeros((high, wide), np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1, shift=4)
    return as_clicked(mask, clicks)


def _edges(picture: U8, middle: tuple[float, float], angles: F32, radii: F32) -> F32:
    """What it costs to end there, float32 [angles, radii]: little where the colour changes."""
    high, wide = picture.shape[:2]
    step = float(radii[1] - radii[0])
    every = np.concatenate([np.arange(0.0, radii[0], step, dtype=np.float32), radii])
    first = len(every) - len(radii)
    across = (middle[0] + np.cos(angles)[:, None] * every).astype(np.float32)
    down = (middle[1] + np.sin(angles)[:, None] * every).astype(np.float32)
    blur_px = BLUR_FRAC * min(wide, high)
    smooth = cv2.GaussianBlur(np.ascontiguousarray(picture[..., :3]), (0, 0), blur_px)
    colours = cv2.cvtColor(smooth, cv2.COLOR_BGR2Lab).astype(np.float32) * CHANNELS
    seen = cv2.remap(colours, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    sums = np.concatenate([np.zeros((len(angles), 1, 3), np.float32), np.cumsum(seen, axis=1)], axis=1)
    at = np.arange(first, len(every))
    band = max(2, int(BAND_FRAC * min(wide, high) / step))
    low, top = np.maximum(at - band, 0), np.minimum(at + band, len(every))
    within = (sums[:, at] - sums[:, low]) / np.maximum(at - low, 1)[None, :, None]
    behind = (sums[:, top] - sums[:, at]) / np.maximum(top - at, 1)[None, :, None]
    edge = np.linalg.norm(within - behind, axis=2)
    clicked = np.median(seen[:, : max(first, 2)].reshape(-1, 3), axis=0)
    other = np.linalg.norm(seen - clicked, axis=2)
    enclosed = np.cumsum(np.minimum(other, OTHER_MOST), axis=1)[:, first:] / (at + 1)
    beyond = (across < 0) | (down < 0) | (across > wide - 1) | (down > high - 1)
    cost = OTHER_WEIGHT * enclosed / (np.median(other) + 1e-6) - edge / (np.percentile(edge, 95) + 1e-6)
    return np.asarray(cost + BEYOND_COST * beyond[:, first:], np.float32)


def _heed(
    cost: F32, click: Click, middle: tuple[float, float], angles: F32, radii: F32, sure_px: float
) -> None:
    """In place: the outline passes behind a click inside, and before one outside."""
    dx, dy = click.x - middle[0], click.y - middle[1]
    away_px = float(np.hypot(dx, dy))
    turn = np.abs((angles - np.arctan2(dy, dx) + np.pi) % (2 * np.pi) - np.pi)
    towards = turn <= np.arctan2(2 * sure_px, max(away_px, sure_px))
    if not click.inside:
        cost[np.ix_(towards, radii > away_px - sure_px)] += SAID_COST
    elif away_px > sure_px:
        cost[np.ix_(towards, radii < away_px + sure_px)] += SAID_COST


def _closed(cost: F32) -> np.ndarray:
    """The cheapest radius in each direction, int [angles]: the middle of a path that goes round twice."""
    twice = np.concatenate([cost, cost])
    total = twice[0]
    came_from = np.zeros(twice.shape, np.int32)
    steps = np.arange(-JUMP, JUMP + 1)
    places = np.arange(cost.shape[1])
    for row in range(1, len(twice)):
        padded = np.pad(total, JUMP, constant_values=np.inf)
        ways = np.stack(
            [padded[JUMP + step : JUMP + step + len(places)] + JUMP_WEIGHT * step**2 for step in steps]
        )
        best = ways.argmin(axis=0)
        came_from[row] = places + steps[best]
        total = ways[best, places] + twice[row]
    path = np.zeros(len(twice), np.int64)
    path[-1] = int(total.argmin())
    for row in range(len(twice) - 1, 0, -1):
        path[row - 1] = came_from[row, path[row]]
    half = len(cost) // 2
    return np.roll(path[half : half + len(cost)], half)
