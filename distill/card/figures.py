"""What a model card says of one model on its validation images, measured through the live path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.export.calibration import LogitCounts, cooled, count_logits
from distill.judging.live_path import PRECISION, judged, rows_of, validation_images
from distill.metrics.detections import HIT_IOU, Detections, detections
from distill.metrics.gallery import Gallery
from distill.metrics.lesions import matches
from distill.metrics.measure import Case, Measured, Sample, measure
from distill.metrics.pixels import F64, at_native_size
from engine.intervals import group_draws, percentile_interval
from engine.model_card import Metric
from engine.model_folder import ModelFolder
from engine.runtime import usual_runtime
from engine.types import OperatingPoint, Region


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, what bounds 95 % of it (whole groups drawn), and over how many images."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class PresetRow:
    """What a preset finds; false detections an image."""

    name: str
    point: OperatingPoint
    sensitivity: Estimate
    false_polyp: Estimate
    false_free: Estimate | None
    field_false_free: Estimate | None  # the endoscope's picture alone


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is measured of one model, on the region that it was made for unless said."""

    rows: tuple[Metric, ...]
    frame_rows: tuple[Metric, ...]
    field_rows: tuple[Metric, ...]
    presets: tuple[PresetRow, ...]
    logits: LogitCounts  # at temperature 1
    worst: bytes  # a PNG of the images with the lowest Dice; their terms forbid to publish it


def measure_model(model: ModelFolder, data_root: Path, tick: Callable[[int, int], None]) -> Figures:
    """Judge every validation image, whole and its field of view alone. Raises FaultError as `judged`."""
    images = validation_images(model, data_root)
    temperature = model.card.output.temperature
    presets = model.card.presets
    measured: dict[Region, list[Measured]] = {"frame": [], "field": []}
    found: dict[Region, dict[str, list[Detections]]] = {
        region: {name: [] for name in presets} for region in measured
    }
    counts: list[LogitCounts] = []
    gallery = Gallery()
    for rank, region in enumerate(measured):
        for sample in judged(model, images, usual_runtime(), PRECISION, region):
            image = measure(sample)
            measured[region].append(image)
            for name, preset in presets.items():
                found[region][name].append(_detected(sample, preset.point))
            if region == model.card.region:
                if image.polyp:
                    gallery.add(sample, image.dice)
                counts.append(count_logits([cooled(sample.probability, 1 / temperature)], [sample.mask]))
            tick(rank * len(images) + len(measured[region]), 2 * len(images))
    own = measured[model.card.region]
    cases = [image.case for image in own]
    return Figures(
        rows=rows_of(own),
        frame_rows=rows_of(measured["frame"]),
        field_rows=rows_of(measured["field"]),
        presets=tuple(
            _preset_row(name, preset.point, found[model.card.region][name], found["field"][name], cases)
            for name, preset in presets.items()
        ),
        logits=LogitCounts(np.sum([c.all for c in counts], 0), np.sum([c.polyp for c in counts], 0)),
        worst=gallery.sheet(),
    )


def estimate(values: F64, cases: Sequence[Case], weights: F64 | None = None) -> Estimate:
    """The mean of one value an image, or the sum of values by the sum of weights."""
    weights = np.ones(len(values)) if weights is None else weights
    draws = group_draws([case.group for case in cases])
    low, high = percentile_interval((draws @ values) / np.maximum(draws @ weights, 1e-9))
    return Estimate(float(values.sum() / weights.sum()), low, high, len(values))


def _preset_row(
    name: str,
    point: OperatingPoint,
    found: Sequence[Detections],
    field_found: Sequence[Detections],
    cases: Sequence[Case],
) -> PresetRow:
    hits = _hits(found)
    lesions = np.array([float(image.lesions) for image in found])
    false, field_false = _contours(found) - hits, _contours(field_found) - _hits(field_found)
    polyp = np.array([image.there_px > 0 for image in found])

    def of(rows: np.ndarray, values: F64, weights: F64 | None = None) -> Estimate:
        chosen = [case for case, inside in zip(cases, rows, strict=True) if inside]
        return estimate(values[rows], chosen, None if weights is None else weights[rows])

    return PresetRow(
        name=name,
        point=point,
        sensitivity=of(polyp, hits, lesions),
        false_polyp=of(polyp, false),
        false_free=of(~polyp, false) if not polyp.all() else None,
        field_false_free=of(~polyp, field_false) if not polyp.all() else None,
    )


def _hits(found: Sequence[Detections]) -> F64:
    return np.array([float(matches(image.ious, HIT_IOU)) for image in found])


def _contours(found: Sequence[Detections]) -> F64:
    return np.array([float(len(image.areas_px)) for image in found])


def _detected(sample: Sample, point: OperatingPoint) -> Detections:
    native = at_native_size(sample.probability, sample.mask)
    return _kept(detections(native, sample.mask, point.threshold), point)


def _kept(image: Detections, point: OperatingPoint) -> Detections:
    kept = (image.areas_frac >= point.min_area_frac) & (image.peaks >= point.min_peak)
    return Detections(
        ious=image.ious[:, kept],
        areas_frac=image.areas_frac[kept],
        peaks=image.peaks[kept],
        areas_px=image.areas_px[kept],
        hits_px=image.hits_px[kept],
        there_px=image.there_px,
    )
