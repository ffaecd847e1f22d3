"""How far the picture's content moved from one look to the next: phase correlation of very small pictures."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.types import F32, U8

SIDE_PX = 80
LEAST_RESPONSE = 0.05  # below it the correlation has no peak: another scene, or nothing but noise
FARTHEST_FRAC = 0.4  # of the side: beyond it hardly anything of the picture before is left to compare


@dataclass(frozen=True, slots=True)
class Motion:
    """From the look before, as fractions of the picture's width and height; right and down are positive."""

    dx_frac: float = 0.0
    dy_frac: float = 0.0


STILL = Motion()
_WINDOW = cv2.createHanningWindow((SIDE_PX, SIDE_PX), cv2.CV_32F)


def look_of(picture: U8) -> F32:
    """What two looks are compared by: the green of uint8 [h, w, 3], float32 [80, 80]."""
    small = cv2.resize(picture[..., 1], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def motion_between(before: F32, now: F32) -> Motion:
    """Of two looks of one source. `STILL` where a shift explains the picture no better than none does.

    A shift alone: a turn or a zoom of the endoscope is one for the few hundredths of a second between looks.
    """
    (dx, dy), response = cv2.phaseCorrelate(before, now, _WINDOW)
    if response < LEAST_RESPONSE or max(abs(dx), abs(dy)) > FARTHEST_FRAC * SIDE_PX:
        return STILL
    shift = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    moved = np.asarray(
        cv2.warpAffine(before, shift, (SIDE_PX, SIDE_PX), borderMode=cv2.BORDER_REPLICATE), np.float32
    )
    if _difference(moved, now) >= _difference(before, now):
        return STILL
    return Motion(dx / SIDE_PX, dy / SIDE_PX)


def _difference(a: F32, b: F32) -> float:
    edge = SIDE_PX // 8  # what came in at the border was nowhere before
    inner = np.s_[edge:-edge, edge:-edge]
    return float(cv2.norm(a[inner], b[inner], cv2.NORM_L1))
