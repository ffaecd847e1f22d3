"""The operating point: chosen on the validation split, with what it costs and brings."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from distill.data.dataset import Pictures
from distill.evaluate import FALSE_ALARMS, POOLED, Decide, Report, evaluate
from engine.model_folder import Preset
from engine.types import F32

THRESHOLDS = (0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
MIN_AREAS_FRAC = (0.0005, 0.001, 0.002, 0.004)
MAX_POLYP_DICE_LOSS = 0.005  # what fewer false alarms may cost where there is a polyp
KEEP_FACTOR = 0.7  # a weaker answer than the threshold may continue a finding, never start one
HIT_MS, WINDOW_MS = 165.0, 265.0  # "standard" of the product's presets: milliseconds, not frames


def decide_at(threshold: float, min_area_frac: float) -> Decide:
    """Pixels at or over the threshold, without 8-connected blobs smaller than that part of the frame."""

    def decide(probability: F32) -> npt.NDArray[np.bool_]:
        found = probability >= threshold
        if not found.any():
            return found
        _, labels, stats, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8), connectivity=8)
        large = stats[:, cv2.CC_STAT_AREA] >= min_area_frac * found.size
        large[0] = False  # the background
        return np.asarray(large[labels])

    return decide


def standard_preset(pictures: Pictures, maps: Sequence[F32]) -> Preset:
    """The threshold and smallest area with the best Dice over all images, polyp-free ones included.

    One false pixel costs a polyp-free image all of its Dice, so alone that would trade polyps for silence:
    only points whose Dice on polyp images is within half a point of the best one are looked at.
    """
    reports = {
        (threshold, area): evaluate(pictures, maps, decide_at(threshold, area))
        for threshold in THRESHOLDS
        for area in MIN_AREAS_FRAC
    }
    best = max(_polyp_dice(report) for report in reports.values())
    good = {
        point: report
        for point, report in reports.items()
        if _polyp_dice(report) >= best - MAX_POLYP_DICE_LOSS
    }
    (threshold, area), report = max(good.items(), key=lambda item: item[1].value(POOLED, "dice"))
    measured = {
        name: report.value(POOLED, name)
        for name in ("dice", "dice_polyp_images", "hit_share_polyp_images", FALSE_ALARMS)
        if any(m.set == POOLED and m.name == name for m in report.metrics)
    }
    return Preset(
        threshold=threshold,
        keep=round(threshold * KEEP_FACTOR, 2),
        min_area_frac=area,
        hit_ms=HIT_MS,
        window_ms=WINDOW_MS,
        measured=measured,
    )


def _polyp_dice(report: Report) -> float:
    return report.value(POOLED, "dice_polyp_images")
