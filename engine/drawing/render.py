"""Shapes -> pixels, for overlay videos and pictures. The window paints the same shapes with Qt."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from engine.drawing.shape import Shape
from engine.types import F32, I32, U8

SCREEN_LINES = 720.0  # a shape's screen pixel is a 720th of the picture's height, and never less than a pixel
SHIFT = 4  # cv2 draws at 1/16 pixel
DASH_PX = (8.0, 5.0)  # on, off; screen pixels


def draw(picture: U8, shapes: Iterable[Shape]) -> None:
    """Draw in place on uint8 [H, W, 3 or 4], BGR or BGRA; the alpha of what is drawn becomes 255."""
    scale = max(picture.shape[0] / SCREEN_LINES, 1.0)
    for shape in shapes:
        if shape.opacity >= 1.0:
            _draw_solid(picture, shape, scale)
        else:
            _draw_translucent(picture, shape, scale)


def _draw_translucent(picture: U8, shape: Shape, scale: float) -> None:
    """Drawn solid on a copy of the shape's surroundings, and mixed back."""
    if not any(len(path) for path in shape.paths):
        return
    points = np.concatenate(shape.paths)
    room = int(scale * (shape.width_px + 2 * shape.casing_px)) + 2
    left, top = np.maximum(np.floor(points.min(axis=0)).astype(int) - room, 0)
    right, bottom = np.ceil(points.max(axis=0)).astype(int) + room
    below = picture[top:bottom, left:right]
    if not below.size:
        return
    above = below.copy()
    _draw_solid(above, shape, scale, (left, top))
    picture[top:bottom, left:right] = cv2.addWeighted(above, shape.opacity, below, 1.0 - shape.opacity, 0.0)


def _draw_solid(picture: U8, shape: Shape, scale: float, origin: tuple[int, int] = (0, 0)) -> None:
    colour = (*shape.colour[::-1], 255)[: picture.shape[2]]
    if shape.kind == "fill":
        cv2.fillPoly(picture, [_fixed(path, origin) for path in shape.paths], colour, cv2.LINE_AA, SHIFT)
        return
    whole = [_fixed(path, origin) for path in shape.paths]
    if shape.casing_px > 0:
        black = (0, 0, 0, 255)[: picture.shape[2]]
        thickness = max(round(scale * (shape.width_px + 2 * shape.casing_px)), 3)
        cv2.polylines(picture, whole, shape.closed, black, thickness, cv2.LINE_AA, SHIFT)
    thickness = max(round(scale * shape.width_px), 1)
    if shape.dashed:
        dashes = [dash for path in shape.paths for dash in _dashes(path, shape.closed, scale)]
        cv2.polylines(
            picture, [_fixed(d, origin) for d in dashes], False, colour, thickness, cv2.LINE_AA, SHIFT
        )
    else:
        cv2.polylines(picture, whole, shape.closed, colour, thickness, cv2.LINE_AA, SHIFT)


def _fixed(path: F32, origin: tuple[int, int]) -> I32:
    """Frame pixels (0 is the picture's edge) as cv2's fixed-point ones (0 is the first pixel's middle)."""
    moved: npt.NDArray[np.float64] = (path.astype(np.float64) - origin - 0.5) * (1 << SHIFT)
    return np.rint(moved).astype(np.int32)


def _dashes(path: F32, closed: bool, scale: float) -> list[F32]:
    """The path cut into strokes of equal length, corners kept."""
    points = np.concatenate([path, path[:1]]) if closed else path
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    on_px, off_px = (scale * part for part in DASH_PX)
    strokes = []
    for start in np.arange(0.0, along[-1], on_px + off_px):
        stop = min(start + on_px, along[-1])
        stops = np.concatenate([[start], along[(along > start) & (along < stop)], [stop]])
        strokes.append(
            np.stack([np.interp(stops, along, points[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)
        )
    return strokes
