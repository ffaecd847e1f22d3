"""Blobs of stored maps, remembered while the threshold stands: area, peak and times need no others."""

from __future__ import annotations

from dataclasses import replace

from engine.drawing.components import find_components
from engine.types import Component, Mask, OperatingPoint

LEAST_AREA_FRAC = 0.0005  # the slider's first step: whoever goes on from there needs nothing new
MOST = 60_000  # maps looked at: half an hour in which there is something everywhere


class Blobs:
    """Answers as `find_components` of the maps of one recording, of points whose threshold is the same.

    For one thread at a time.
    """

    def __init__(self) -> None:
        self._threshold = -1.0
        self._found: dict[tuple[int, float], tuple[Component, ...]] = {}

    def begin(self, point: OperatingPoint) -> None:
        """What comes next is looked for at this point: outlines are steadied by its threshold."""
        if point.threshold != self._threshold:
            self._threshold = point.threshold
            self._found = {}

    def find(self, mask: Mask, width_px: int, height_px: int, point: OperatingPoint) -> tuple[Component, ...]:
        key = (mask.number, point.threshold)
        found = self._found.get(key)
        if found is None or point.min_area_frac < LEAST_AREA_FRAC:
            least = min(LEAST_AREA_FRAC, point.min_area_frac)
            found = find_components(mask, width_px, height_px, replace(point, min_area_frac=least))
            if len(self._found) < MOST:
                self._found[key] = found
        least_px = max(point.min_area_frac * width_px * height_px, 1.0)
        return tuple(c for c in found if c.area_px >= least_px and c.peak >= point.min_peak)
