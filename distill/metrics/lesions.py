"""Lesions found and false detections: what a person at the screen would count."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
MIN_AREA_FRAC = 0.0005
HIT_IOUS = (0.5, 0.1)


@dataclass(frozen=True, slots=True)
class LesionCounts:
    """Of one image: lesions in the mask, those hit, and detections that hit none."""

    lesions: int
    hits: int
    false_detections: int


def count_lesions(
    found: Mask, there: Mask, min_area_frac: float = MIN_AREA_FRAC
) -> dict[float, LesionCounts]:
    """The counts at each IoU of HIT_IOUS. bool [h, w] both.

    Blobs are 8-connected; smaller ones than that part of the picture do not count, on either side. A
    detection hits at most one lesion and the other way round, best pairs first.
    """
    truth, lesions = blobs(there, min_area_frac)
    guess, detections = blobs(found, min_area_frac)
    ious = ious_of(truth, lesions, guess, detections)
    counts = {}
    for least in HIT_IOUS:
        hits = matches(ious, least)
        counts[least] = LesionCounts(len(lesions), hits, len(detections) - hits)
    return counts


def blobs(mask: Mask, min_area_frac: float) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Labels int32 [h, w], and which of them are large enough."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= min_area_frac * mask.size
    large[0] = False  # the background
    return np.asarray(labels, np.int32), np.flatnonzero(large)


def ious_of(
    truth: npt.NDArray[np.int32],
    lesions: npt.NDArray[np.int64],
    guess: npt.NDArray[np.int32],
    detections: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """IoU of every lesion with every detection, float64 [lesions, detections]."""
    rows, columns = int(truth.max()) + 1, int(guess.max()) + 1
    both = np.bincount((truth * columns + guess).ravel(), minlength=rows * columns).reshape(rows, columns)
    union = both.sum(1, keepdims=True) + both.sum(0, keepdims=True) - both
    return np.asarray((both / np.maximum(union, 1))[np.ix_(lesions, detections)])


def matches(ious: npt.NDArray[np.float64], least: float) -> int:
    """How many pairs of a lesion and a detection have that IoU at least, each in one pair, best first."""
    left = ious.copy()
    hits = 0
    while left.size and left.max() >= least:
        row, column = np.unravel_index(left.argmax(), left.shape)
        left[row, :] = left[:, column] = -1.0
        hits += 1
    return hits
