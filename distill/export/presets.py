"""The operating points: chosen on the validation split, with what each costs and brings there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from distill.data.dataset import Pictures
from distill.metrics.detections import HIT_IOU, Point, detections, point_of
from distill.metrics.pixels import at_native_size
from engine.preset import Preset
from engine.types import F32

THRESHOLDS = (0.3, 0.4, 0.5, 0.55, 0.6, 0.65)
MIN_PEAKS = (0.0, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995)
MIN_AREAS_FRAC = (0.0005, 0.001, 0.002, 0.003)
KEEP_FACTOR = 0.7  # a weaker answer than the threshold may continue a finding, never start one
DIGITS = 4
Key = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Wish:
    """False detections an image that a preset may have, and how long a finding must last."""

    most_false: float
    hit_ms: float
    window_ms: float


# Where no image says which: area and peak as in the middle of what is chosen for trained ones.
USUAL: Mapping[str, Key] = {
    "sensitive": (0.4, 0.0005, 0.0),
    "standard": (0.5, 0.001, 0.8),
    "quiet": (0.6, 0.002, 0.95),
}


class Judged(NamedTuple):
    """Pictures, and a map float32 in 0..1 for each."""

    pictures: Pictures
    maps: Sequence[F32]


# Other recordings have more false detections than the validation's: `standard` aims well below the 0.1 that
# it is allowed. The times: a finding is one when it was hit
# for so long within such a window.
WISHES: Mapping[str, Wish] = {
    "sensitive": Wish(0.20, 100.0, 165.0),
    "standard": Wish(0.06, 165.0, 265.0),
    "quiet": Wish(0.045, 330.0, 500.0),
}


def choose_presets(pictures: Pictures, maps: Sequence[F32], field: Judged | None = None) -> dict[str, Preset]:
    """Of each wish: of the points within its false detections, the best mean of sensitivity and Dice.

    maps: float32 in 0..1, one a picture. All kinds of false detections have to stay within the wish: those on
    polyp-free images, those beside polyps, and those on polyp-free images of `field`, the same images without
    what a recorder adds. A wish that no point fulfils gets the one with the fewest.
    """
    points = measured_points(pictures, maps)
    alone = measured_points(field.pictures, field.maps) if field else {}
    free = {key: point.false_per_polyp_free_image for key, point in alone.items()}
    return {name: _preset(points, free, wish) for name, wish in WISHES.items()}


def usual_presets() -> dict[str, Preset]:
    """Of each wish a point that nothing was measured for: `measured` is empty."""
    return {name: _made(point, WISHES[name], {}) for name, point in USUAL.items()}


def measured_points(pictures: Pictures, maps: Sequence[F32]) -> dict[Key, Point]:
    """Figures by threshold, smallest area and lowest peak."""
    points: dict[Key, Point] = {}
    for threshold in THRESHOLDS:
        found = [
            detections(at_native_size(probability, mask), mask, threshold)
            for mask, probability in zip(pictures.masks, maps, strict=True)
        ]
        for area in MIN_AREAS_FRAC:
            for peak in MIN_PEAKS:
                points[threshold, area, peak] = point_of(found, area, peak)
    return points


def _preset(points: Mapping[Key, Point], field_free: Mapping[Key, float], wish: Wish) -> Preset:
    false = {key: _false(point, field_free.get(key, math.nan)) for key, point in points.items()}
    allowed = {key: point for key, point in points.items() if false[key] <= wish.most_false}
    if allowed:
        threshold, area, peak = max(allowed, key=lambda key: _worth(allowed[key]))
    else:
        threshold, area, peak = min(points, key=lambda key: false[key])
    chosen = (threshold, area, peak)
    return _made(chosen, wish, _rounded(points[chosen], field_free.get(chosen, math.nan)))


def _made(point: Key, wish: Wish, measured: dict[str, float]) -> Preset:
    threshold, area, peak = point
    return Preset(
        threshold=threshold,
        keep=round(threshold * KEEP_FACTOR, 2),
        min_area_frac=area,
        min_peak=peak,
        hit_ms=wish.hit_ms,
        window_ms=wish.window_ms,
        measured=measured,
    )


def _false(point: Point, field_free: float) -> float:
    kinds = (point.false_per_polyp_free_image, point.false_per_polyp_image, field_free)
    return max(kind for kind in kinds if not math.isnan(kind))


def _worth(point: Point) -> float:
    values = [value for value in (point.sensitivity, point.dice_polyp_images) if not math.isnan(value)]
    return sum(values)


def _rounded(point: Point, field_free: float) -> dict[str, float]:
    named = {
        f"sensitivity_iou_{HIT_IOU}": point.sensitivity,
        "dice_polyp_images": point.dice_polyp_images,
        "false_detections_per_polyp_image": point.false_per_polyp_image,
        "false_detections_per_polyp_free_image": point.false_per_polyp_free_image,
        "false_alarm_share_polyp_free": point.alarm_share_polyp_free,
        "false_detections_per_polyp_free_field": field_free,
    }
    return {name: round(value, DIGITS) for name, value in named.items() if not math.isnan(value)}
