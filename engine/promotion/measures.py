"""What a candidate is compared by: a table of measures, and a row of figures of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

PERCENT = 100.0


class Where(StrEnum):
    """What was measured on."""

    DEMONSTRATION = "demonstration"
    RECORDINGS = "locked recordings"
    IMAGES = "locked images"
    MACHINE = "this machine"


class Outcome(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    UNSURE = "no sure difference"
    UNTOLD = "too few for an interval"


@dataclass(frozen=True, slots=True)
class Measure:
    """`said` names it in a table, behind it its unit; `scale`: from the counted to the told."""

    said: str
    unit: str
    lower_is_better: bool
    scale: float = 1.0
    digits: int = 1


FALSE_S = (0.0, 0.5, 1.0, 2.0)


def false_of(least_s: float) -> str:
    """The measure of false activations that last so long at least."""
    return f"false_{least_s:g}s"


# TABLE of measures by key, in the order in which they are told.
MEASURES: Mapping[str, Measure] = {
    false_of(0.0): Measure("false activations", "a minute", True, 60.0, 2),
    false_of(0.5): Measure("of these from 0.5 s on", "a minute", True, 60.0, 2),
    false_of(1.0): Measure("of these from 1 s on", "a minute", True, 60.0, 2),
    false_of(2.0): Measure("of these from 2 s on", "a minute", True, 60.0, 2),
    "polyps_met": Measure("polyps met", "%", False, PERCENT),
    "first_mark": Measure("until the first mark on a polyp", "ms", True, 1000.0, 0),
    "frames_marked": Measure("frames with a polyp that are marked", "%", False, PERCENT),
    "dice": Measure("Dice on frames with a polyp", "%", False, PERCENT),
    "images_met": Measure("images whose polyp is met", "%", False, PERCENT),
    "image_dice": Measure("Dice on images with a polyp", "%", False, PERCENT),
    "images_false": Measure("polyp-free images that are marked", "%", True, PERCENT),
    "latency_p50": Measure("network, median of 500 frames", "ms", True, 1.0, 2),
    "latency_p95": Measure("network, 95 % of 500 frames", "ms", True, 1.0, 2),
}
OF_IMAGES = frozenset({"images_met", "image_dice", "images_false"})
FOUND = frozenset({"polyps_met", "frames_marked", "dice", "images_met", "image_dice"})
IN_VAIN = frozenset({false_of(0.0), "images_false"})


def _known(key: str) -> str:
    if key not in MEASURES:
        raise ValueError(f"there is no measure {key}")
    return key


class Part(BaseModel):
    """Of an acceptance: nothing unknown, nothing infinite, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Row(Part):
    """A measure of MEASURES of both models; `low` and `high` bound 95 % of candidate minus
    in use, None: fewer units (moments, polyps, images) than carry an interval."""

    where: Where
    measure: Annotated[str, AfterValidator(_known)]
    in_use: float
    candidate: float
    low: float | None
    high: float | None
    units: int
    clusters: int

    @property
    def said(self) -> str:
        return MEASURES[self.measure].said

    @property
    def outcome(self) -> Outcome:
        if self.low is None or self.high is None:
            return Outcome.UNTOLD
        if self.low <= 0.0 <= self.high:
            return Outcome.UNSURE
        return (
            Outcome.BETTER if (self.high < 0.0) == MEASURES[self.measure].lower_is_better else Outcome.WORSE
        )
