"""A preset as `model.json` has it: an operating point with its times, and what was measured of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from engine.types import OperatingPoint

LONGEST_MS = 60_000.0


def between(low: float, high: float) -> Callable[[float], float]:
    """A number outside silently finds nothing, or everything."""

    def check(value: float) -> float:
        if not low <= value <= high:  # NaN, too
            raise ValueError(f"must be from {low:g} to {high:g}, not {value:g}")
        return value

    return check


Share = Annotated[float, AfterValidator(between(0, 1))]
Milliseconds = Annotated[float, AfterValidator(between(0, LONGEST_MS))]


class Part(BaseModel):
    """Of a card: nothing unknown, nothing infinite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Preset(Part):
    """An operating point.

    In a still a finding is what lies over `threshold`, is no smaller than `min_area_frac` of the frame and
    reaches `min_peak` somewhere. `hit_peak`: findings of a video are followed over time; what reaches it is a
    hit, `keep` (lower than the threshold) continues a finding, and one is confirmed after `hit_ms` of hits
    inside `window_ms`. None: each frame is judged as a still, as by cards from before it was measured.
    `measured`: what it costs and brings on images and recordings left out of the training, by the names that
    docs/bundled-models.md explains; what is not there was not measured. `by_set`: the still point's by set,
    the lowest mean of sensitivity and Dice being `worst_set`'s.
    """

    threshold: Annotated[float, AfterValidator(between(0.01, 0.99))]
    keep: Share
    min_area_frac: Annotated[float, AfterValidator(between(0, 0.25))]
    min_peak: Annotated[float, AfterValidator(between(0, 0.99))] = 0.0
    hit_peak: Annotated[float, AfterValidator(between(0, 0.99))] | None = None
    hit_ms: Milliseconds
    window_ms: Annotated[float, AfterValidator(between(1, LONGEST_MS))]
    measured: dict[str, float] = {}
    by_set: dict[str, dict[str, float]] = {}
    worst_set: str | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Preset:
        if self.keep > self.threshold:
            raise ValueError(f"keep {self.keep:g} must be no higher than threshold {self.threshold:g}")
        if self.hit_ms > self.window_ms:
            raise ValueError(f"hit_ms {self.hit_ms:g} must be no longer than window_ms {self.window_ms:g}")
        return self

    @property
    def point(self) -> OperatingPoint:
        """What the window starts with."""
        return self.over_time if self.hit_peak is not None else self.still

    @property
    def still(self) -> OperatingPoint:
        """Of a picture by itself."""
        return OperatingPoint(self.threshold, self.min_area_frac, self.min_peak)

    @property
    def over_time(self) -> OperatingPoint:
        """Of a video whose findings are followed."""
        return replace(
            self.still,
            keep=self.keep,
            hit_peak=self.min_peak if self.hit_peak is None else self.hit_peak,
            hit_s=self.hit_ms / 1000.0,
            window_s=self.window_ms / 1000.0,
        )
