"""Rows of a model card: `p05_image` per set, pooled and by size, and false alarms on polyp-free images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from distill.metrics.image import PROTOCOL
from distill.metrics.pixels import F64
from distill.metrics.sizes import SIZES, size_of
from engine.intervals import bootstrap_interval
from engine.model_card import Metric

POOLED = "pooled"
MISSED = "missed_whole_share_polyp_images"
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
    """Of one image, one mask for each map. `hit`: what was found touches the polyp, which is `polyp_share` of
    the picture; 0: there is none.
    """

    dice: float  # both empty counts 1
    iou: float
    found: bool
    hit: bool
    polyp_share: float

    @property
    def polyp(self) -> bool:
        return self.polyp_share > 0


def card_rows(
    places: Sequence[Place], outcomes: Sequence[ImageResult], protocol: str = PROTOCOL
) -> Iterator[Metric]:
    """A set, or a size of the polyps of all sets, appears only where it has images for the figure."""
    polyp = np.array([outcome.polyp for outcome in outcomes])
    columns = {
        name: np.array([getattr(outcome, field) for outcome in outcomes], np.float64)
        for name, field in _FIELDS.items()
    }
    sets = np.array([place.set for place in places])
    groups = np.array([place.group for place in places])

    def row(set_name: str, name: str, values: F64, rows: np.ndarray) -> Iterator[Metric]:
        if rows.any():
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

    for set_name in [*sorted(set(sets.tolist())), POOLED]:
        inside = (sets == set_name) | (set_name == POOLED)
        for name, values in columns.items():
            yield from row(set_name, name, values, inside & _counted(name, polyp))
    sizes = np.array([size_of(o.polyp_share) if o.polyp else "" for o in outcomes])
    for size in SIZES:
        yield from row(of_size(size), "dice_polyp_images", columns["dice"], sizes == size)
        yield from row(of_size(size), MISSED, 1 - columns["hit_share_polyp_images"], sizes == size)


def of_size(size: str) -> str:
    """What such a row has for its set; `size` is a key of SIZES."""
    return f"polyps {size}"


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
