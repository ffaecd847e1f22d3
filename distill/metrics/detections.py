"""What a threshold finds in an image, counted so that every smallest area can be asked afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
    found = native >= threshold
    there = mask > 0
    truth, lesions = blobs(there, MIN_AREA_FRAC)
    guess, large = blobs(found, 0.0)
    areas_px = np.bincount(guess.ravel(), minlength=len(large) + 1)[large].astype(np.float64)
    hits_px = np.bincount(guess[there].ravel(), minlength=len(large) + 1)[large].astype(np.float64)
    peaks = np.zeros(len(large) + 1)
    np.maximum.at(peaks, guess[found], native[found])
    return Detections(
        ious=ious_of(truth, lesions, guess, large),
        areas_frac=areas_px / found.size,
        peaks=peaks[large],
        areas_px=areas_px,
        hits_px=hits_px,
        there_px=int(np.count_nonzero(there)),
    )


@dataclass(frozen=True, slots=True)
class Point:
    """Figures of one operating point over many images; NaN where no image has the figure."""

    sensitivity: float  # lesions hit, of all
    dice_polyp_images: float
    false_per_polyp_image: float
    false_per_polyp_free_image: float
    alarm_share_polyp_free: float


def point_of(images: Sequence[Detections], min_area_frac: float, min_peak: float = 0.0) -> Point:
    """All images at one threshold, without blobs under that part of the picture or that peak."""
    lesions = hits = 0
    dice, false_polyp, false_free = [], [], []
    for image in images:
        kept = (image.areas_frac >= min_area_frac) & (image.peaks >= min_peak)
        hit = matches(image.ious[:, kept], HIT_IOU)
        false = int(kept.sum()) - hit
        if not image.there_px:
            false_free.append(false)
            continue
        lesions += image.lesions
        hits += hit
        false_polyp.append(false)
        total = image.there_px + image.areas_px[kept].sum()
        dice.append(2 * image.hits_px[kept].sum() / total)
    return Point(
        sensitivity=hits / lesions if lesions else float("nan"),
        dice_polyp_images=_mean(dice),
        false_per_polyp_image=_mean(false_polyp),
        false_per_polyp_free_image=_mean(false_free),
        alarm_share_polyp_free=_mean([float(count > 0) for count in false_free]),
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
