"""Polygons and masks: pixels inside an outline, and outlines that give the same pixels again.

Coordinates are those of COCO: 0, 0 is the picture's top left corner, the first pixel reaches from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from engine.types import U8

F64 = npt.NDArray[np.float64]
STEPS = 3  # of a pixel: an outline lies a sixth inside its border, so that the middle is on its own side


def pixels_inside(corners: F64, width_px: int, height_px: int) -> U8:
    """Pixels whose centre is inside the polygon [n, 2] of x and y, even-odd. uint8 [h, w] of 0 and 1.

    Not cv2.fillPoly: it paints every pixel that the outline touches, 20 % too much of a polyp of 10 px.
    """
    return pixels_inside_all((corners,), width_px, height_px)


def pixels_inside_all(lines: Sequence[npt.NDArray[np.floating[Any]]], width_px: int, height_px: int) -> U8:
    """The same of several closed lines together, even-odd: outlines and holes; they may leave the picture."""
    mask = np.zeros((height_px, width_px), np.uint8)
    edges = [np.stack([line, np.roll(line, -1, axis=0)], axis=1) for line in lines if len(line) > 2]
    if not edges:
        return mask
    (x0, y0), (x1, y1) = np.concatenate(edges).astype(np.float64).transpose(1, 2, 0)
    # Always downwards: a line there and back meets the same pixels both times.
    up = y1 < y0
    x0, y0, x1, y1 = (np.where(up, two, one) for one, two in ((x0, x1), (y0, y1), (x1, x0), (y1, y0)))
    first, last = ((np.ceil(y - 0.5)).clip(0, height_px).astype(np.int64) for y in (y0, y1))
    counts = last - first
    if not counts.any():
        return mask
    of = np.repeat(np.arange(len(counts)), counts)
    row = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts) + first[of]
    x = x0[of] + (row + 0.5 - y0[of]) * (x1 - x0)[of] / (y1 - y0)[of]
    column = np.ceil(x - 0.5).clip(0, width_px).astype(np.int64)
    # Every crossing turns inside to outside for the rest of its row; behind the last one all is outside.
    (top, bottom), (left, right) = ((int(one.min()), int(one.max()) + 1) for one in (row, column))
    wide = right - left
    turns = np.bincount((row - top) * wide + column - left, minlength=(bottom - top) * wide)
    inside = np.cumsum(turns.reshape(bottom - top, wide), axis=1) & 1
    mask[top:bottom, left : min(right, width_px)] = inside[:, : width_px - left]
    return mask


def outlines_of(mask: U8) -> tuple[F64, ...]:
    """A polygon float64 [n, 2] for each blob of uint8 [h, w]: `pixels_inside` of all of them is the mask.

    Blobs that touch by a corner are one. A hole hangs on its outline by a line there and back, for formats
    that know none.
    """
    x, y, w, h = cv2.boundingRect(mask)
    if not w:
        return ()
    part = np.repeat(np.repeat(mask[y : y + h, x : x + w], STEPS, axis=0), STEPS, axis=1)
    lines, tree = cv2.findContours((part > 0).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for number, line in enumerate(lines):
        if tree[0, number, 3] >= 0:
            continue
        holes = [lines[hole] for hole in range(len(lines)) if tree[0, hole, 3] == number]
        points = [_points(line)]
        for hole in holes:
            inner = _points(hole)
            points += [inner, inner[:1], points[0][-1:]]
        found.append((np.concatenate(points) + 0.5) / STEPS + np.array([x, y], np.float64))
    return tuple(found)


def outline_of(mask: U8) -> F64:
    """One polygon float64 [n, 2] of all that is in uint8 [h, w]; `pixels_inside` of it is the mask.

    Blobs hang together by lines there and back, each from the nearest corners, as those who convert several
    polygons for YOLO join them. Empty [0, 2] without a pixel.
    """
    whole, *rest = outlines_of(mask) or (np.zeros((0, 2)),)
    while rest:
        apart = [np.linalg.norm(whole[:, None] - line[None], axis=2) for line in rest]
        nearest = min(range(len(rest)), key=lambda number: float(apart[number].min()))
        near, far = np.unravel_index(int(apart[nearest].argmin()), apart[nearest].shape)
        line = np.roll(rest.pop(nearest), -int(far), axis=0)
        whole = np.concatenate([whole[: near + 1], line, line[:1], whole[near:]])
    return whole


def _points(line: npt.NDArray[np.int32] | cv2.typing.MatLike) -> F64:
    return np.asarray(line, np.float64).reshape(-1, 2)
