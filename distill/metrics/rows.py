"""Rows of a model card: `p05_image` per set and pooled, and false alarms on images without a polyp."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from distill.metrics.image import PROTOCOL
from distill.metrics.intervals import bootstrap_interval
from engine.model_card import Metric

POOLED = "pooled"
FALSE_ALARMS = "false_alarm_share_polyp_free"
DIGITS = 4


class Place(Protocol):
    """Where an image belongs: a Record, a Case."""

    @property
    def set(self) -> str: ...
    @property
    def group(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ImageResult:
    """Of one image, one mask for each map. `hit`: what was found touches the polyp."""

    dice: float  # both empty counts 1
    iou: float
    found: bool
    hit: bool
    polyp: bool


def card_rows(
    places: Sequence[Place], outcomes: Sequence[ImageResult], protocol: str = PROTOCOL
) -> Iterator[Metric]:
    """A set appears only where it has images for the figure."""
    polyp = np.array([outcome.polyp for outcome in outcomes])
    columns = {
        name: np.array([getattr(outcome, field) for outcome in outcomes], np.float64)
        for name, field in _FIELDS.items()
    }
    sets = np.array([place.set for place in places])
    groups = np.array([place.group for place in places])
    for set_name in [*sorted(set(sets.tolist())), POOLED]:
        inside = (sets == set_name) | (set_name == POOLED)
        for name, values in columns.items():
            rows = inside & _counted(name, polyp)
            if not rows.any():
                continue
            low, high = bootstrap_interval(values[rows], groups[rows].tolist())
            yield Metric(
                set=set_name,
                protocol=protocol,
                name=name,
                value=round(float(values[rows].mean()), DIGITS),
                low=round(low, DIGITS),
                high=round(high, DIGITS),
                n=int(rows.sum()),
            )


_FIELDS = {
    "dice": "dice",
    "iou": "iou",
    "dice_polyp_images": "dice",
    "hit_share_polyp_images": "hit",
    FALSE_ALARMS: "found",
}


def _counted(name: str, polyp: np.ndarray) -> np.ndarray:
    if name == FALSE_ALARMS:
        return ~polyp
    return polyp if name.endswith("polyp_images") else np.ones_like(polyp)
