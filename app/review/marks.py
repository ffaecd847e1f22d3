"""What is drawn over a frame in review: outlines made of its stored map, no network is asked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.review.known import Found
from app.review.side_car import SideCarThread
from engine.review.findings import Sighted, read_findings, read_sightings
from engine.review.maps import CHUNK, MapReader, StoredFrame, view_faults
from engine.review.marks import marks_of
from engine.review.recording import Analysis
from engine.review.store import SideCar
from engine.types import Mask, OperatingPoint, Result, Size, TrackState

KEPT = 12 * CHUNK  # results of frames round the one that is looked at


def result_of(
    stored: StoredFrame,
    seen: Sequence[Sighted],
    size: Size,
    point: OperatingPoint,
    model_id: str,
    confirmed: Collection[int],
) -> Result:
    """The marks of one frame: outlines of its map where tracks were seen, with their ids and states.

    `confirmed`: tracks that are so at some time. Before that they are drawn as tentative ones: who looks for
    a finding's beginning sees it.
    """
    seen = () if stored.damaged else seen
    components, candidates = marks_of(stored, seen, size, point) if seen else ((), ())
    early = [replace(one, state=TrackState.TENTATIVE) for one in candidates if one.track in confirmed]
    return Result(
        number=stored.rank,
        index=stored.rank,
        pts_s=stored.pts_s,
        captured_s=0.0,
        seek_serial=0,
        size=size,
        mask=Mask(stored.rank, stored.map, stored.field.box),
        components=(*components, *early),
        candidates=tuple(one for one in candidates if one.track not in confirmed),
        point=point,
        model_id=model_id,
        runtime="",
        view=tuple(sorted(fault.value for fault in view_faults(stored.view))),
        field=stored.field,
    )


def struck_out(result: Result, tracks: Collection[int]) -> Result:
    """Rejected findings are drawn as tentative ones: still there to be looked at, but not sure."""
    components = (
        replace(one, state=TrackState.TENTATIVE) if one.track in tracks else one for one in result.components
    )
    return replace(result, components=tuple(components))


class Marks(QObject):
    """Results by rank, made ahead of the picture in the side-car's thread. `made`: there are more."""

    made = Signal()

    def __init__(self, side_car: SideCarThread, size: Callable[[], Size | None], parent: QObject) -> None:
        super().__init__(parent)
        self._side_car = side_car
        self._size = size
        self._analysis: Analysis | None = None
        self._reader: MapReader | None = None  # of the side-car's thread
        self._point: OperatingPoint | None = None
        self._found: Found | None = None  # None: those that are stored
        self._results: OrderedDict[int, Result] = OrderedDict()
        self._asked: set[int] = set()  # chunks
        self._partial: set[int] = set()  # of those: not all of it was analysed
        self._turn = 0  # what was asked before the last change is not wanted any more

    def show(self, analysis: Analysis, point: OperatingPoint, found: Found | None = None) -> None:
        """Whose marks, at which point; `found` where findings were made again."""
        if analysis != self._analysis:
            self._reader = None
        self._analysis, self._point, self._found = analysis, point, found
        self.forget()

    def forget(self) -> None:
        """What was made is of another point, or of another analysis."""
        self._turn += 1
        self._results.clear()
        self._asked.clear()
        self._partial.clear()
        self.made.emit()

    def grown(self) -> None:
        """More is analysed than before."""
        if self._partial:
            self._asked -= self._partial
            self._partial.clear()
            self.made.emit()

    def of(self, rank: int) -> Result | None:
        """Those of a frame; None: not there (yet). Asks for what comes next, too."""
        for chunk in (rank // CHUNK, rank // CHUNK + 1):
            self._ask(chunk)
        return self._results.get(rank)

    def _ask(self, chunk: int) -> None:
        size, analysis, point = self._size(), self._analysis, self._point
        if chunk in self._asked or size is None or analysis is None or point is None:
            return
        self._asked.add(chunk)
        turn, found = self._turn, self._found
        first = chunk * CHUNK

        def make(car: SideCar) -> list[Result]:
            if turn != self._turn:
                return []
            if self._reader is None:
                self._reader = MapReader(car.database, analysis.id, analysis.map_size)
            last = first + CHUNK - 1
            findings = read_findings(car.database, analysis.id) if found is None else found.findings
            seen = (
                read_sightings(car.database, analysis.id, first, last) if found is None else found.sightings
            )
            confirmed = {one.id for one in findings}
            stored = (self._reader.at(rank) for rank in range(first, last + 1))
            return [
                result_of(one, seen.get(one.rank, ()), size, point, analysis.model_id, confirmed)
                for one in stored
                if one is not None
            ]

        self._side_car.ask(make, lambda results: self._take(turn, chunk, results))

    def _take(self, turn: int, chunk: int, results: list[Result]) -> None:
        if turn != self._turn:
            return
        for result in results:
            self._results[result.index] = result
        while len(self._results) > KEPT:
            rank, _ = self._results.popitem(last=False)
            self._asked.discard(rank // CHUNK)
        if len(results) < CHUNK:
            self._partial.add(chunk)
        if results:
            self.made.emit()
