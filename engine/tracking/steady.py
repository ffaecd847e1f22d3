"""Outlines that do not tremble: what was inside a moment ago needs less to stay inside (hysteresis)."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from engine.tracking.place import UNMOVED, Shift
from engine.types import U8

BAND = 0.15  # of probability, to both sides of the threshold: beyond it the frame alone decides
SHARE = 0.9  # of the band by which a value at the threshold is moved; below 1 the order of values is kept


def steadied(
    probability: U8, inside_before: U8 | None, threshold: float, motion_map_px: Shift = UNMOVED
) -> U8:
    """The map with values near the threshold moved to the side where they were. uint8 [h, w].

    `inside_before`: what was inside in the frame before, uint8 [h, w] of 0 and 1, moved here by
    `motion_map_px` (map pixels, rounded); None: nothing is known and the map stays as it is. Values farther
    than `BAND` from the threshold are not touched: a polyp that moves takes its outline with it, nothing is
    inside where this frame's own probability is low, and no peak changes.
    """
    if inside_before is None or inside_before.shape != probability.shape:
        return probability
    before = _shifted(inside_before, motion_map_px)
    stays, enters = _tables(threshold)
    steady = cv2.LUT(probability, enters)
    return np.asarray(cv2.copyTo(cv2.LUT(probability, stays), before, steady), np.uint8)


@lru_cache(maxsize=16)
def _tables(threshold: float) -> tuple[U8, U8]:
    values = np.arange(256) / 255.0
    lift = BAND * SHARE * np.clip(1.0 - np.abs(values - threshold) / BAND, 0.0, None)
    stays = np.round((values + lift) * 255.0).clip(0, 255).astype(np.uint8)
    enters = np.round((values - lift) * 255.0).clip(0, 255).astype(np.uint8)
    return stays, enters


def _shifted(inside: U8, by: Shift) -> U8:
    dx, dy = round(by.dx_px), round(by.dy_px)
    if not dx and not dy:
        return inside
    moved = np.zeros_like(inside)
    high, wide = inside.shape
    to = np.s_[max(dy, 0) : max(high + dy, 0), max(dx, 0) : max(wide + dx, 0)]
    moved[to] = inside[max(-dy, 0) : max(high - dy, 0), max(-dx, 0) : max(wide - dx, 0)]
    return moved
