"""Measured images become the JSON of `score` and `evaluate`: one object a protocol at the top level.

`n`, `mae`, every protocol and `structure` are of the images with a polyp; an image whose mask is all black is
a negative and counts in `negatives` alone. `interval` bounds 95 % (2,000 draws of whole groups). `lesions`
and `negatives` count blobs over `counting.threshold`; HD95 and the p05 protocols are at 0.5 whatever it is.
`shown` has the same of what the window draws, at the model's own operating point.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from distill.metrics import PROTOCOLS
from distill.metrics.lesions import HIT_IOUS, LesionCounts
from distill.metrics.measure import Counting, Measured
from distill.metrics.pixels import F64, joined
from distill.metrics.sizes import SIZES, size_of
from distill.metrics.structure import structure_figures
from engine.intervals import group_draws, percentile_interval
from engine.table import load_named
from engine.types import OperatingPoint

SCHEMA = 1
DIGITS = 6


def report(
    images: Sequence[Measured], counting: Counting = Counting(), shown: OperatingPoint | None = None
) -> dict[str, Any]:
    """The figures of all images, and under `sets` those of each set where there is more than one.

    `shown` is the operating point of what the window draws; None leaves that part out.
    """
    names = sorted({image.case.set for image in images})
    values = _figures(images, counting, shown)
    if len(names) > 1:
        values["sets"] = {
            name: _figures([image for image in images if image.case.set == name], counting, shown)
            for name in names
        }
    return {"schema": SCHEMA, **values}


def _figures(images: Sequence[Measured], counting: Counting, shown: OperatingPoint | None) -> dict[str, Any]:
    polyps = [image for image in images if image.polyp]
    negatives = [image for image in images if not image.polyp]
    values: dict[str, Any] = {
        "n": len(polyps),
        "groups": len({image.case.group for image in polyps}),
        "counting": {"threshold": counting.threshold, "min_area_frac": counting.min_area_frac},
    }
    if polyps:
        values |= _polyp_figures(polyps)
    if negatives:
        mae = np.array([image.mae for image in negatives])
        values["negatives"] = _negative_figures(negatives, [i.lesions for i in negatives], {"mae": mae})
    if shown is not None:
        point = {"threshold": shown.threshold, "min_area_frac": shown.min_area_frac}
        values["shown"] = {**point, **_shown_figures(polyps, negatives)}
    return values


def _shown_figures(polyps: Sequence[Measured], negatives: Sequence[Measured]) -> dict[str, Any]:
    drawn = [image.shown for image in polyps if image.shown is not None]
    values: dict[str, Any] = {}
    if drawn:
        draws = _draws(polyps)
        values = _means(
            {name: np.array([getattr(i, name) for i in drawn]) for name in ("dice", "iou")}, draws
        )
        values["lesions"] = _lesions([image.lesions for image in drawn], draws)
    free = [image.shown.lesions for image in negatives if image.shown is not None]
    if free:
        values["negatives"] = _negative_figures(negatives, free)
    return values


def _polyp_figures(polyps: Sequence[Measured]) -> dict[str, Any]:
    draws = _draws(polyps)
    pixels = joined([image.pixels for image in polyps])
    structures = [image.structure for image in polyps if image.structure is not None]
    distance = np.array([image.hd95_px for image in polyps], np.float64)
    diagonal = np.array([image.diagonal_px for image in polyps])
    protocols = {name: _of(load_named(PROTOCOLS, name, "protocol")(pixels, draws)) for name in PROTOCOLS}
    return {
        "mae": round(float(np.mean([image.mae for image in polyps])), DIGITS),
        **protocols,
        "structure": _of(structure_figures(structures, draws)),
        "hd95": _means({"px": distance, "share_of_diagonal": distance / diagonal}, draws),
        "lesions": _lesions([image.lesions for image in polyps], draws),
        "sizes": dict(_sizes(polyps)),
    }


def _sizes(polyps: Sequence[Measured]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Dice and the share of images whose polyps are missed whole, of each size that there is."""
    for name in SIZES:
        inside = [image for image in polyps if size_of(image.polyp_share) == name]
        if inside:
            figures = {
                "dice": np.array([image.dice for image in inside]),
                "missed_whole": np.array([float(image.missed) for image in inside]),
            }
            groups = len({image.case.group for image in inside})
            yield name, {"n": len(inside), "groups": groups, **_means(figures, _draws(inside))}


def _lesions(images: Sequence[Mapping[float, LesionCounts]], draws: F64) -> dict[str, Any]:
    """Sensitivity is absent where no mask has a lesion that is large enough to count."""
    values: dict[str, Any] = {}
    for least in HIT_IOUS:
        counts = [image[least] for image in images]
        lesions = np.array([count.lesions for count in counts], np.float64)
        hits = np.array([count.hits for count in counts], np.float64)
        false = np.array([count.false_detections for count in counts], np.float64)
        figures = {"false_detections_per_image": draws @ false / draws.sum(1)}
        drawn = draws @ lesions
        if drawn[0] > 0:
            figures["sensitivity"] = np.where(drawn > 0, draws @ hits / np.maximum(drawn, 1), np.nan)
        values[f"iou_{least}"] = {"lesions": int(lesions.sum()), **_of(figures)}
    return values


def _negative_figures(
    images: Sequence[Measured],
    lesions: Sequence[Mapping[float, LesionCounts]],
    more: Mapping[str, F64] = MappingProxyType({}),
) -> dict[str, Any]:
    # No lesion to hit: the same at every IoU.
    false = np.array([counts[HIT_IOUS[0]].false_detections for counts in lesions], np.float64)
    figures = {"false_detections_per_image": false, "false_positive_rate": (false > 0).astype(float), **more}
    return {"n": len(images), **_means(figures, _draws(images))}


def _draws(images: Sequence[Measured]) -> F64:
    """The images themselves in the first row, then the draws of the bootstrap."""
    drawn = group_draws([image.case.group for image in images])
    return np.concatenate([np.ones((1, len(images))), drawn])


def _means(values: Mapping[str, F64], draws: F64) -> dict[str, Any]:
    """Means over images of float64 [n] each, with intervals."""
    return _of({name: draws @ value / draws.sum(1) for name, value in values.items()})


def _of(figures: dict[str, F64]) -> dict[str, Any]:
    """Each figure, and its interval under `interval`."""
    return {
        **{name: round(float(values[0]), DIGITS) for name, values in figures.items()},
        "interval": {
            name: [round(bound, DIGITS) for bound in percentile_interval(values[1:])]
            for name, values in figures.items()
        },
    }
