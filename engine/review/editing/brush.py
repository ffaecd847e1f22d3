"""A round brush or eraser along a path, to a fraction of a pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.types import U8, Rect

Point = tuple[float, float]


def stroked(mask: U8, path: Sequence[Point], radius_px: float, value: int) -> U8:
    """The mask, uint8 [h, w], with `value` on all pixels whose middle is within the radius of the path.

    `path`: one point or more, frame pixels; they may lie outside of the frame.
    """
    painted = mask.copy()
    for start, end in zip(path, path[1:] or path, strict=False):
        paint(painted, start, end, radius_px, value)
    return painted


def paint(mask: U8, start: Point, end: Point, radius_px: float, value: int) -> Rect:
    """One straight piece, in place; the part of the mask that was looked at."""
    high, wide = mask.shape
    left = max(int(min(start[0], end[0]) - radius_px), 0)
    top = max(int(min(start[1], end[1]) - radius_px), 0)
    right = min(int(max(start[0], end[0]) + radius_px) + 2, wide)
    bottom = min(int(max(start[1], end[1]) + radius_px) + 2, high)
    if right <= left or bottom <= top:
        return Rect(0, 0, 0, 0)
    x = np.arange(left, right, dtype=np.float32)[None] + np.float32(0.5 - start[0])
    y = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5 - start[1])
    dx, dy = end[0] - start[0], end[1] - start[1]
    length2 = dx * dx + dy * dy
    if length2:
        along = np.clip((x * dx + y * dy) / length2, 0.0, 1.0)
        x, y = x - along * dx, y - along * dy
    mask[top:bottom, left:right][x * x + y * y <= radius_px * radius_px] = value
    return Rect(left, top, right - left, bottom - top)
