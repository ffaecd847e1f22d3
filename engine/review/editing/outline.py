"""Masks as outlines and back, to a fraction of a pixel: polygons, and an outline that is dragged softly."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engine.types import F32, U8, Size


def outlines_of(mask: U8) -> tuple[F32, ...]:
    """The edges of a mask, uint8 [h, w]: closed lines, float32 [n, 2] in frame pixels, two points a pixel.

    They run a quarter of a pixel inside of the mask, holes too, so that `filled` gives back the same mask.
    """
    x, y, w, h = cv2.boundingRect(mask)
    if not w:
        return ()
    part = (mask[y : y + h, x : x + w] != 0).view(np.uint8)
    fine = cv2.resize(part, (2 * w, 2 * h), interpolation=cv2.INTER_NEAREST)
    lines, _ = cv2.findContours(fine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    corner = np.array([x, y], np.float32)
    return tuple((line[:, 0].astype(np.float32) * 0.5 + 0.25 + corner) for line in lines)


def filled(outlines: Sequence[F32], size: Size) -> U8:
    """uint8 [h, w] of a frame, 1 where a pixel's middle is inside of the closed lines, even-odd.

    `outlines`: float [n, 2] in frame pixels, 0 the frame's left edge; they may leave the frame. cv2.fillPoly
    would count every pixel that a line touches, half a pixel too many all around.
    """
    mask = np.zeros((size.height_px, size.width_px), np.uint8)
    edges = [np.stack([line, np.roll(line, -1, axis=0)], axis=1) for line in outlines if len(line) > 2]
    if not edges:
        return mask
    (x0, y0), (x1, y1) = np.concatenate(edges).astype(np.float64).transpose(1, 2, 0)
    # An edge crosses the middles of rows `first .. last - 1`; both of its ends are not counted.
    first = np.ceil(np.minimum(y0, y1) - 0.5).clip(0, size.height_px).astype(np.int64)
    last = np.ceil(np.maximum(y0, y1) - 0.5).clip(0, size.height_px).astype(np.int64)
    counts = last - first
    of = np.repeat(np.arange(len(counts)), counts)
    row = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts) + first[of]
    along = (row + 0.5 - y0[of]) / (y1 - y0)[of]
    crossing = x0[of] + along * (x1 - x0)[of]
    column = np.ceil(crossing - 0.5).clip(0, size.width_px).astype(np.int64)
    # Every crossing turns inside to outside for the rest of its row.
    top, bottom = int(row.min(initial=0)), int(row.max(initial=-1)) + 1
    turns = np.zeros((bottom - top, size.width_px + 1), np.uint8)
    np.add.at(turns, (row - top, column), 1)
    mask[top:bottom] = np.cumsum(turns, axis=1, dtype=np.uint8)[:, :-1] & 1
    return mask


def dragged(
    outlines: Sequence[F32], start: tuple[float, float], end: tuple[float, float], reach_px: float
) -> tuple[F32, ...]:
    """The lines after one of their points was dragged from `start` to `end`, frame pixels.

    What is near goes all the way and what is `reach_px` away or farther stays, cosine between them.
    """
    by = np.subtract(end, start).astype(np.float32)
    moved = []
    for line in outlines:
        distance = np.hypot(*(line - np.asarray(start, np.float32)).T)
        share = 0.5 + 0.5 * np.cos(np.pi * np.minimum(distance / reach_px, 1.0))
        moved.append(line + share[:, None].astype(np.float32) * by)
    return tuple(moved)


def nearest(outlines: Sequence[F32], x: float, y: float) -> tuple[float, float] | None:
    """The point of the lines that is nearest to a point; None without lines."""
    if not outlines:
        return None
    points = np.concatenate(outlines)
    at = points[int(np.hypot(points[:, 0] - x, points[:, 1] - y).argmin())]
    return float(at[0]), float(at[1])
