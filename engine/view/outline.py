"""The outline of the endoscope's picture in its box: clipped circle, octagon, rounded or plain rectangle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from engine.types import I32, U8, Field, Form, Rect

# Of each form, how much of the corners is missing: see `silhouette`.
CUTS = {
    Form.RECTANGLE: (0.0,),
    Form.ROUNDED: (0.1, 0.2, 0.3),
    Form.OCTAGON: (0.06, 0.1, 0.15, 0.2, 0.25, 0.3),
    Form.CIRCLE: (0.0, 0.15, 0.3, 0.5, 0.7),
}

FIT_PX = 96  # of the longer side, at which forms are compared: 1 px is 1 % of it
NEARLY = 0.01  # of an IoU


def silhouette(form: Form, cut: float, width_px: int, height_px: int) -> U8:
    """What is picture in a box of this size: uint8 [h, w] of 0 and 1. Of a `Field`, its form and cut.

    `cut`: of the shorter side, the rounded corners' radius or the octagon's legs. Of a circle: 0 touches the
    longer sides' ends, 1 passes through the corners.
    """
    inside = np.zeros((height_px, width_px), np.uint8)
    w, h, short = width_px, height_px, min(width_px, height_px)
    if form is Form.RECTANGLE:
        inside[:] = 1
    elif form is Form.OCTAGON:
        leg = round(cut * short)
        right, low = w - 1, h - 1
        corners = [(leg, 0), (right - leg, 0), (right, leg), (right, low - leg)]
        corners += [(right - leg, low), (leg, low), (0, low - leg), (0, leg)]
        cv2.fillPoly(inside, [np.array(corners, np.int32)], 1)
    elif form is Form.ROUNDED:
        r = round(cut * short)
        cv2.rectangle(inside, (r, 0), (w - 1 - r, h - 1), 1, -1)
        cv2.rectangle(inside, (0, r), (w - 1, h - 1 - r), 1, -1)
        for x in (r, w - 1 - r):
            for y in (r, h - 1 - r):
                cv2.circle(inside, (x, y), r, 1, -1)
    else:
        least, most = max(w, h) / 2, math.hypot(w, h) / 2
        radius = least + cut * (most - least)
        rows, columns = np.ogrid[:h, :w]
        far = (columns - (w - 1) / 2) ** 2 + (rows - (h - 1) / 2) ** 2
        inside[far <= radius**2] = 1
    return inside


@lru_cache(maxsize=16)
def outside(form: Form, cut: float, width_px: int, height_px: int) -> U8 | None:
    """255 where a box of this size shows no picture, read-only; None: it is all picture."""
    if form is Form.RECTANGLE:
        return None
    away = ((1 - silhouette(form, cut, width_px, height_px)) * np.uint8(255)).astype(np.uint8)
    away.flags.writeable = False
    return away


@lru_cache(maxsize=512)
def _inside(form: Form, cut: float, width_px: int, height_px: int) -> U8:
    return silhouette(form, cut, width_px, height_px)


@lru_cache(maxsize=16)
def _outside_on_map(form: Form, cut: float, width_px: int, height_px: int, on: tuple[int, int]) -> U8 | None:
    """The same of a box on a map of another shape, [h, w] = `on`: a round picture is none on a square map."""
    away = outside(form, cut, width_px, height_px)
    if away is None:
        return None
    share = cv2.resize(away, on[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.threshold(share, 127, 255, cv2.THRESH_BINARY)[1], np.uint8)


def within(probability: U8, field: Field) -> U8:
    """A map uint8 [h, w] over the field's box, with nothing in the corners that are no picture."""
    high, wide = probability.shape
    away = _outside_on_map(field.form, field.cut, field.box.w, field.box.h, (high, wide))
    return probability if away is None else np.asarray(cv2.subtract(probability, away), np.uint8)


def holds(field: Field, points: Sequence[I32]) -> bool:
    """Whether all of these outlines, int32 [n, 2] of (x, y) in frame pixels, lie on the picture."""
    box = field.box
    away = outside(field.form, field.cut, box.w, box.h)
    for line in points:
        x, y = line[:, 0] - box.x, line[:, 1] - box.y
        if min(x.min(), y.min()) < 0 or x.max() >= box.w or y.max() >= box.h:
            return False
        if away is not None and away[y, x].any():
            return False
    return True


def fitted(lit: U8, box: Rect) -> tuple[Form, float, float]:
    """The form that is likest to the lit part of `box`, its cut, and their IoU. `lit`: uint8 [h, w] of 0, 1.

    The lumen is dark and still picture, so it is the lit part's convex hull that is compared. Between forms
    that are nearly as like the larger one is taken: a mark must not be lost at a dark edge.
    """
    part = lit[box.y : box.y + box.h, box.x : box.x + box.w]
    scale = FIT_PX / max(box.w, box.h)
    wide, high = (max(1, round(side * scale)) for side in (box.w, box.h))
    part = np.asarray(cv2.resize(part, (wide, high), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
    lines, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not lines:
        return Form.RECTANGLE, 0.0, 0.0
    hull = np.zeros_like(part)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.concatenate(lines)), 1)
    hull_px = cv2.countNonZero(hull)
    found = []
    for form, cuts in CUTS.items():
        for cut in cuts:
            shape = _inside(form, cut, wide, high)
            both, area = cv2.countNonZero(cv2.bitwise_and(hull, shape)), cv2.countNonZero(shape)
            found.append((both / (hull_px + area - both), area, form, cut))
    best = max(iou for iou, _, _, _ in found)
    iou, _, form, cut = max((row for row in found if row[0] >= best - NEARLY), key=lambda row: row[1])
    return form, cut, iou
