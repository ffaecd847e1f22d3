"""Masks as outlines and back, to a fraction of a pixel: polygons, and an outline that is dragged softly."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engine.types import F32, U8


def outlines_of(mask: U8) -> tuple[F32, ...]:
    """The edges of a mask, uint8 [h, w]: closed lines, float32 [n, 2] in frame pixels, two points a pixel.

    They run a quarter of a pixel inside of the mask, holes too, so that `pixels_inside_all` gives back
    the same mask.
    """
    x, y, w, h = cv2.boundingRect(mask)
    if not w:
        return ()
    part = (mask[y : y + h, x : x + w] != 0).view(np.uint8)
    fine = cv2.resize(part, (2 * w, 2 * h), interpolation=cv2.INTER_NEAREST)
    lines, _ = cv2.findContours(fine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    corner = np.array([x, y], np.float32)
    return tuple((line[:, 0].astype(np.float32) * 0.5 + 0.25 + corner) for line in lines)


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
