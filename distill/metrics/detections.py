"""What a threshold finds in an image, counted so that every smallest area can be asked afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.metrics.lesions import MIN_AREA_FRAC, blobs, ious_of, matches
from distill.metrics.pixels import F64
from engine.types import F32, U8

HIT_IOU = 0.1  # a contour that points at the polyp; how well it fits is Dice's matter


@dataclass(frozen=True, slots=True)
class Detections:
    """The blobs of one image at one threshold, and its lesions.

    `ious` float64 [lesions, blobs]. A number a blob: `areas_frac` of the picture; `peaks`, the highest
    probability; `areas_px`, `hits_px`, all its pixels and those in the mask. `there_px`: the mask's.
    """

    ious: F64
    areas_frac: F64
    peaks: F64
    areas_px: F64
    hits_px: F64
    there_px: int

    @property
    def lesions(self) -> int:
        return len(self.ious)


def detections(native: F32, mask: U8, threshold: float) -> Detections:
    """native: the map float32 [h, w] in 0..1; mask: uint8 [h, w], 0 is background.

    Lesions under MIN_AREA_FRAC do not count.
    """
    part = _occupied((native >= threshold) | (mask > 0))  # the rest of most pictures is empty
    size_px, native, mask = native.size, native[part], mask[part]
    found, there = native >= threshold, mask > 0
    truth, lesions = blobs(there, MIN_AREA_FRAC * size_px / there.size)
    guess, large = blobs(found, 0.0)
    areas_px = np.bincount(guess.ravel(), minlength=len(large) + 1)[large].astype(np.float64)
    hits_px = np.bincount(guess[there].ravel(), minlength=len(large) + 1)[large].astype(np.float64)
    peaks = np.zeros(len(large) + 1)
    np.maximum.at(peaks, guess[found], native[found])
    return Detections(
        ious=ious_of(truth, lesions, guess, large),
        areas_frac=areas_px / size_px,
        peaks=peaks[large],
        areas_px=areas_px,
        hits_px=hits_px,
        there_px=int(np.count_nonzero(there)),
    )


def _occupied(anything: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    """The smallest part of bool [h, w] that holds all of it, of one pixel at least."""
    down, across = np.flatnonzero(anything.any(1)), np.flatnonzero(anything.any(0))
    if not len(down):
        return slice(0, 1), slice(0, 1)
    return slice(int(down[0]), int(down[-1]) + 1), slice(int(across[0]), int(across[-1]) + 1)


@dataclass(frozen=True, slots=True)
class Point:
    """Figures of one operating point over many images; NaN where no image has the figure."""

    sensitivity: float  # lesions hit, of all
    dice_polyp_images: float
    false_per_polyp_image: float
    false_per_polyp_free_image: float
    alarm_share_polyp_free: float


@dataclass(frozen=True, slots=True)
class Counts:
    """What is left of the detections of n images, by m pairs of a smallest area and a lowest peak.

    `lesions` float64 [n]; `hits`, `false` and `dice` float64 [n, m], Dice of those with a `polyp`, bool [n].
    """

    polyp: npt.NDArray[np.bool_]
    lesions: F64
    hits: F64
    false: F64
    dice: F64


def counts_of(images: Sequence[Detections], limits: Sequence[tuple[float, float]]) -> Counts:
    """All images at one threshold. limits: (smallest part of the picture, lowest peak), float both."""
    areas, peaks = np.array(limits, np.float64).T
    hits, false, dice = (np.zeros((len(images), len(limits))) for _ in range(3))
    for row, image in enumerate(images):
        kept = (image.areas_frac >= areas[:, None]) & (image.peaks >= peaks[:, None])
        known: dict[bytes, tuple[int, int, float]] = {}  # most pairs leave the same of an image
        for column, some in enumerate(kept):
            key = some.tobytes()
            if key not in known:
                known[key] = _counted(image, some)
            hits[row, column], false[row, column], dice[row, column] = known[key]
    return Counts(
        polyp=np.array([image.there_px > 0 for image in images], bool),
        lesions=np.array([image.lesions for image in images], np.float64),
        hits=hits,
        false=false,
        dice=dice,
    )


def _counted(image: Detections, kept: npt.NDArray[np.bool_]) -> tuple[int, int, float]:
    hits = matches(image.ious[:, kept], HIT_IOU)
    total = image.there_px + image.areas_px[kept].sum()
    dice = 2 * image.hits_px[kept].sum() / total if total else 1.0
    return hits, int(kept.sum()) - hits, float(dice)


def points_of(counts: Counts, rows: npt.NDArray[np.bool_] | None = None) -> list[Point]:
    """A point for each pair of limits, of the images that `rows`, bool [n], chooses; None: of all."""
    rows = np.ones(len(counts.polyp), bool) if rows is None else rows
    polyp, free = rows & counts.polyp, rows & ~counts.polyp
    lesions = counts.lesions[polyp].sum()
    return [
        Point(
            sensitivity=float(counts.hits[polyp, column].sum() / lesions) if lesions else float("nan"),
            dice_polyp_images=_mean(counts.dice[polyp, column]),
            false_per_polyp_image=_mean(counts.false[polyp, column]),
            false_per_polyp_free_image=_mean(counts.false[free, column]),
            alarm_share_polyp_free=_mean(counts.false[free, column] > 0),
        )
        for column in range(counts.hits.shape[1])
    ]


def point_of(images: Sequence[Detections], min_area_frac: float, min_peak: float = 0.0) -> Point:
    """All images at one threshold, without blobs under that part of the picture or that peak."""
    return points_of(counts_of(images, [(min_area_frac, min_peak)]))[0]


def _mean(values: npt.NDArray[Any]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
