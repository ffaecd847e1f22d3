"""One of two that are compared: an analysis at an operating point, and all that it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.review.findings import read_findings, read_sightings
from engine.review.recording import Analysis
from engine.review.remaking.blobs import Blobs
from engine.review.remaking.remake import Remade, SoFar, Wanted, made_again
from engine.review.store import SideCar
from engine.review.timeline import EMPTY
from engine.types import OperatingPoint

LAST_RANK = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Side:
    """The same analysis at two points makes two sides: no network is asked for either."""

    analysis: Analysis
    point: OperatingPoint


def found_by(car: SideCar, side: Side, wanted: Callable[[], bool] = lambda: True) -> Remade | None:
    """All that it found, as far as it is analysed: what is stored, or made again of the maps at its point.

    None once it is not `wanted` any more. Raises FaultError.
    """
    analysis, recording = car.analysis(side.analysis.id), car.recording
    if side.point == analysis.point:
        findings = read_findings(car.database, analysis.id, confirmed=False)
        sightings = read_sightings(car.database, analysis.id, 0, LAST_RANK)
        return Remade(side.point, _frames(car, analysis), findings, sightings)
    last: SoFar | None = None
    for so_far in made_again(car.database, Wanted(analysis, recording, EMPTY, side.point), Blobs()):
        if not wanted():
            return None
        last = so_far
    return Remade(side.point, 0, (), {}) if last is None else last()  # of a size that is not known yet


def _frames(car: SideCar, analysis: Analysis) -> int:
    row = car.database.row("SELECT coalesce(sum(frames), 0) FROM chunk WHERE analysis = ?", analysis.id)
    return int(row[0]) if row else 0
