"""What a preset costs and brings, by the names that a card has (docs/bundled-models.md)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from distill.export.preset_choice import Figures, Key, StillImage, standing, worth
from distill.judging.over_time import LONG_S, Behaviour
from distill.metrics.detections import HIT_IOU, Point, point_of

LEAST_S = 300.0  # of polyp-free video, for rates
DIGITS = 4


def of_stills(images: Sequence[StillImage], key: Key) -> dict[str, float]:
    """Of the validation split, all sets together, and of further folders."""
    own = _point([image for image in images if not image.further], key)
    further = _point([image for image in images if image.further], key)
    return _named(own) | _known({"false_detections_per_further_image": further.false_per_polyp_free_image})


def by_set(images: Sequence[StillImage], key: Key) -> dict[str, dict[str, float]]:
    """The same of each set by itself, further ones too, with the number of its images."""
    found = {}
    for name in dict.fromkeys(image.set for image in images):
        some = [image for image in images if image.set == name]
        found[name] = {"images": float(len(some)), **_named(_point(some, key))}
    return found


def worst_of(found: Figures) -> str | None:
    """The set with the lowest mean of sensitivity and Dice."""
    return min(found.sets, key=lambda name: worth(found.sets[name]), default=None)


def of_recordings(recordings: Sequence[Behaviour], at_hit_peak: Figures) -> dict[str, float]:
    """Of all recordings. `at_hit_peak`: the stills at the peak that a hit has to reach."""
    free = [one for one in recordings if one.false_activations is not None]
    polyps = [one for one in recordings if one.polyp_frames]
    first_ms = [one.first_mark_ms for one in polyps if one.first_mark_ms is not None]
    confirmation_ms = [ms for one in recordings for ms in one.confirmation_ms]
    found = {
        "false_share_standing_view": standing(at_hit_peak),
        "changes_per_s": sum(one.changes for one in recordings) / sum(one.seconds for one in recordings),
    }
    if free:
        seconds = sum(one.seconds for one in free)
        found["polyp_free_s"] = seconds
        for least_s in LONG_S:
            name = "false_activations" + (f"_{least_s:g}s" if least_s else "")
            found[name] = sum((one.false_activations or {})[least_s] for one in free)
            if seconds >= LEAST_S:
                found[f"{name}_per_min"] = found[name] * 60.0 / seconds
    if polyps:
        frames = sum(one.polyp_frames for one in polyps)
        found["polyps"] = len(polyps)
        found["polyp_sensitivity"] = len(first_ms) / len(polyps)
        found["polyp_frames"] = frames
        found["frame_sensitivity"] = sum(one.hit_frames for one in polyps) / frames
    found["first_confirmed_ms"] = _of(np.median, first_ms)
    found["first_confirmed_p90_ms"] = _of(lambda values: np.percentile(values, 90), first_ms)
    found["confirmation_ms"] = _of(np.median, confirmation_ms)
    return _known(found)


def _of(figure: Callable[[Sequence[float]], object], values: Sequence[float]) -> float:
    return float(figure(values)) if values else math.nan  # type: ignore[arg-type]


def _point(images: Sequence[StillImage], key: Key) -> Point:
    return point_of([image.found[key.threshold] for image in images], key.min_area_frac, key.min_peak)


def _named(point: Point) -> dict[str, float]:
    return _known(
        {
            f"sensitivity_iou_{HIT_IOU}": point.sensitivity,
            "dice_polyp_images": point.dice_polyp_images,
            "false_detections_per_polyp_image": point.false_per_polyp_image,
            "false_detections_per_polyp_free_image": point.false_per_polyp_free_image,
            "false_alarm_share_polyp_free": point.alarm_share_polyp_free,
        }
    )


def _known(values: dict[str, float]) -> dict[str, float]:
    return {name: round(float(value), DIGITS) for name, value in values.items() if not math.isnan(value)}
