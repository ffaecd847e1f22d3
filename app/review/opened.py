"""One recording open for review: its player, its side-car, its analysis, its marks; ended together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.bridge import Bridge
from app.review.job import AnalysisJob, Begun
from app.review.known import Known
from app.review.left import Left, keep_left, read_left
from app.review.marks import Marks, struck_out
from app.review.side_car import SideCarThread
from engine.faults import Fault, FaultError
from engine.live.pipeline import Pipeline
from engine.review.analysis import check_readable, spec_of_files
from engine.review.library.index import Library
from engine.review.places import Places
from engine.review.store import SideCar, open_side_car
from engine.sources.base import SourceOptions
from engine.types import AiState, Frame, Presentation, Result, Size, Snapshot, StateWord

log = logging.getLogger(__name__)


class OpenedReview(QObject):
    """`changed`: the newest Snapshot, with marks of the side-car. Nothing of the live page is shared.

    `snapshot` and `known` are the newest of each, None before there is one.
    """

    changed = Signal(object)  # Snapshot
    recorded = Signal(object)  # Left: the side-car is open
    begun = Signal(object)  # Begun
    progressed = Signal(object)  # Known
    failed = Signal(object)  # Fault
    unopened = Signal()  # what is known cannot be opened; a Fault says why

    def __init__(
        self,
        paths: Sequence[Path],
        places: Places,
        model: Callable[[], Path],
        preset: str,
        options: SourceOptions,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._at_rank = 0
        self._size: Size | None = None
        self.snapshot: Snapshot | None = None
        self.known: Known | None = None
        self.is_unopened = False
        self._analysis: int | None = None
        self.bridge = Bridge(self)
        self.bridge.changed.connect(self._show)
        self.pipeline = Pipeline(self.bridge.ring)
        self.bridge.connect_to(self.pipeline)
        self.pipeline.open(spec_of_files(paths), options)
        self._stands = False  # a recording that is opened for review does not play by itself
        self._shown: Presentation | None = None
        self._machine = False
        self._struck: frozenset[int] = frozenset()
        self._faint: tuple[Result, Result] | None = None  # marks, and as they are drawn
        self.drawn: Callable[[Frame, Result | None], Result | None] = lambda frame, marks: marks
        library = Library()
        self._note = partial(_note, library)
        self.side_car = SideCarThread(
            lambda: open_side_car(paths, places, known=partial(_side_car_of, library), check=check_readable),
            self,
        )
        self.side_car.failed.connect(self.failed)
        self.side_car.unopened.connect(self._not_opened)
        self.side_car.ask(self._note)
        self.side_car.ask(lambda car: read_left(car.folder), self._recorded)
        self.marks = Marks(self.side_car, lambda: self._size, self)
        self.marks.made.connect(self.bridge.ring)
        self.job = AnalysisJob(self.side_car, model, preset, self)
        self.job.begun.connect(self._begun)
        self.job.progressed.connect(self._progressed)
        self.job.failed.connect(self.failed)

    @property
    def here(self) -> int:
        """Rank of the frame that is shown; -1 without one."""
        shown = self.snapshot.presentation if self.snapshot is not None else None
        return -1 if shown is None else shown.frame.index

    def keep_left(self, left: Left) -> None:
        """It is opened there again."""
        self.side_car.ask(lambda car: None if car.why_read_only else keep_left(car.folder, left))

    def show_machine(self, machine: bool) -> None:
        """Over the picture is what the network said, whatever a person has made of it."""
        self._machine = machine
        self.bridge.ring()

    def show_struck(self, tracks: frozenset[int]) -> None:
        """Those that were rejected: they are drawn as what nobody is sure of."""
        if tracks != self._struck:
            self._struck, self._faint = tracks, None
            self.bridge.ring()

    def close(self) -> None:
        """All that was done is on the disk when this returns, and nothing of it runs any more."""
        self.bridge.connect_to(None)
        self.pipeline.close()
        self.side_car.ask(partial(self._note, analysis=self._analysis))
        self.side_car.close()
        self.job.close()

    def _recorded(self, left: Left) -> None:
        self._at_rank = left.rank
        if self._stands:
            self.pipeline.seek_frame(left.rank)
        self.recorded.emit(left)

    def _not_opened(self, _: Fault) -> None:
        self.is_unopened = True
        self.unopened.emit()

    def _begun(self, begun: Begun) -> None:
        self._analysis = begun.analysis.id
        self.marks.show(begun.analysis, begun.analysis.point)
        self.begun.emit(begun)

    def _progressed(self, known: Known) -> None:
        self.known = known
        self.marks.grown()
        self.progressed.emit(known)

    def _show(self, snapshot: Snapshot) -> None:
        if snapshot.presentation is not None:
            self._stop_at_first()
            self._size = snapshot.presentation.frame.size
            snapshot = replace(snapshot, presentation=self._marked(snapshot.presentation))
        if snapshot.word is StateWord.AI_OFF:  # the marks are those of the side-car
            snapshot = replace(snapshot, word=StateWord.PLAYING)
        self.snapshot = replace(snapshot, ai_state=AiState.ON)
        self.changed.emit(self.snapshot)

    def _stop_at_first(self) -> None:
        if not self._stands:
            self._stands = True
            self.pipeline.pause()
            self.pipeline.seek_frame(self._at_rank)

    def _marked(self, shown: Presentation) -> Presentation:
        """The same value for the same picture and marks: nothing is painted twice."""
        marks = self.marks.of(shown.frame.index)
        result = marks if self._machine else self._judged(self.drawn(shown.frame, marks))
        before = self._shown
        if before is None or before.frame is not shown.frame or before.result is not result:
            age_s = None if result is None else 0.0
            self._shown = before = replace(shown, result=result, mask_age_s=age_s)
        return before

    def _judged(self, result: Result | None) -> Result | None:
        if result is None or self._struck.isdisjoint(one.track for one in result.components):
            return result
        if self._faint is None or self._faint[0] is not result:
            self._faint = result, struck_out(result, self._struck)
        return self._faint[1]


def _note(library: Library, car: SideCar, analysis: int | None = None) -> None:
    """The list can be made again: a place that cannot be written costs nobody a review."""
    try:
        library.note(car, analysis)
    except FaultError as fault:
        log.info("the library does not know of it: %s", fault)


def _side_car_of(library: Library, sha256: str) -> Path | None:
    try:
        return library.side_car_of(sha256)
    except FaultError as fault:
        log.info("the library cannot be asked: %s", fault)
        return None
