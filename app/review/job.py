"""The analysis of the open recording: begun or gone on with in a process of its own, and paused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from app.review.analysing import AnalysisProcess
from app.review.known import Found, Known, KnownReader
from app.review.side_car import PLACE, SideCarThread
from engine.faults import FaultCode, FaultError
from engine.model_folder import ModelFolder, load_model_folder
from engine.review.analysis import begin, points_of
from engine.review.edits import Edits
from engine.review.recording import Analysis
from engine.review.remaking.remake import Remade, keep
from engine.review.store import SideCar
from engine.types import OperatingPoint

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Begun:
    """The analysis that is looked at, and at which point it was last. `points`: the presets of its model, and
    what was `measured` of each.
    """

    folder: Path
    analysis: Analysis
    point: OperatingPoint
    points: Mapping[str, OperatingPoint]
    measured: Mapping[str, Mapping[str, float]]


class AnalysisJob(QObject):
    """Asks for no more than it must: nothing is started where all is analysed, or nothing can be written."""

    begun = Signal(object)  # Begun
    progressed = Signal(object)  # Known
    changed = Signal()  # `is_running`
    failed = Signal(object)  # Fault
    kept = Signal()  # a person's act is on the disk

    def __init__(
        self, side_car: SideCarThread, model: Callable[[], Path], preset: str, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._side_car = side_car
        self._model = model
        self._preset = preset
        self._process = AnalysisProcess(side_car, self)
        self._process.looked.connect(self._look)
        self._process.changed.connect(self.changed)
        self._process.failed.connect(self.failed)
        self._analysis: Analysis | None = None
        self._reader: KnownReader | None = None  # of the side-car's thread, from there on
        self._known: Known | None = None
        self._asked = False  # for what is known: one question at a time
        side_car.ask(self._begin, self._begun)

    @property
    def is_running(self) -> bool:
        return self._process.is_running

    @property
    def can_run(self) -> bool:
        """Whether there is something left to analyse, and somewhere to keep it."""
        known = self._known
        return known is not None and not known.progress.is_done and not known.why_read_only

    def toggle(self) -> str:
        """Pause it, or go on; the word that answers the key."""
        if self._process.is_running:
            self._process.pause()
            return "Analysis pauses"
        if not self.can_run:
            return "All of it is analysed" if self._known and self._known.progress.is_done else ""
        self._start()
        return "Analysis goes on"

    def act(self, work: Callable[[Edits], T], done: Callable[[T], None] | None = None) -> None:
        """A person's act: on the disk before `done` hears what came of it, and before anything is seen."""

        def do(car: SideCar) -> tuple[T, Known]:
            return work(self._held.edits), self._held.read()

        def know(answer: tuple[T, Known]) -> None:
            self.kept.emit()
            self._know(answer[1])
            if done is not None:
                done(answer[0])

        self._side_car.ask(do, know)

    def ask(self, work: Callable[[Edits], Any], done: Callable[[Any], None] | None = None) -> None:
        """What people did, asked or changed; `done` hears what came of it."""

        self._side_car.ask(lambda car: work(self._held.edits), done)

    def look(self) -> None:
        """What is known has changed."""
        self._ask()

    def settle(self, made: Remade) -> None:
        """The sliders stand there: it is found like that when it is opened again."""
        analysis = self._analysis
        assert analysis is not None

        def keep_point(car: SideCar) -> Known:
            self._held.edits.look_at(analysis.id, made.point)
            if keep(car.database, analysis.id, made):
                self._held.find(None)
            return self._held.read()

        self._side_car.ask(keep_point, self._know)

    def leave_at(self, point: OperatingPoint) -> None:
        """The sliders stand there when it is opened again, and its findings are made then."""
        analysis = self._analysis
        assert analysis is not None

        def keep_point(car: SideCar) -> None:
            if not car.why_read_only:
                self._held.edits.look_at(analysis.id, point)

        self._side_car.ask(keep_point)

    def find(self, found: Found | None) -> None:
        """Show the findings of another operating point from now on; None: those of the analysis."""

        def show(car: SideCar) -> Known:
            self._held.find(found)
            return self._held.read()

        self._side_car.ask(show, self._know)

    def close(self) -> None:
        """Once the side-car's thread has ended. What was kept stays; the process is gone after this."""
        self._process.stop()

    # Inside

    def _begin(self, car: SideCar) -> Begun:
        """In the side-car's thread: the analysis of the model that is wanted, or the one there is."""
        try:
            model = load_model_folder(self._model())
        except FaultError as fault:
            return self._without_model(car, fault)
        if car.why_read_only:
            made = [one for one in car.analyses if one.has_maps]
            if not made:
                raise FaultError(
                    FaultCode.REVIEW,
                    expected="a recording that was analysed, or a place to keep what is found",
                    got=car.why_read_only,
                    remedy="open it where it can be changed",
                    said=f"{car.why_read_only} Nothing of it has been analysed yet.",
                )
            return self._read_on(car, made[0], model)
        return self._read_on(car, begin(car, model, self._preset), model)

    def _without_model(self, car: SideCar, fault: FaultError) -> Begun:
        """What was analysed is looked at none the less, at the point at which it was."""
        made = [one for one in car.analyses if one.has_maps]
        if not made:
            raise fault
        self.failed.emit(fault.as_fault(PLACE))
        analysis = made[-1]
        self._reader = KnownReader(car, analysis)
        return Begun(car.folder, analysis, analysis.point, {analysis.preset: analysis.point}, {})

    def _read_on(self, car: SideCar, analysis: Analysis, model: ModelFolder) -> Begun:
        self._reader = KnownReader(car, analysis)
        point = self._reader.edits.points.get(analysis.id, analysis.point)
        measured = {name: preset.measured for name, preset in model.card.presets.items()}
        return Begun(car.folder, analysis, point, points_of(model), measured)

    def _begun(self, begun: Begun) -> None:
        self._analysis = begun.analysis
        self.begun.emit(begun)
        self._ask()

    def _start(self) -> None:
        assert self._analysis is not None
        self._process.start(self._analysis)

    def _look(self) -> None:
        if not self._process.is_running:
            self._asked = False  # what was kept last is asked for whatever is under way
        self._ask()

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            self._side_car.ask(lambda car: self._held.read(), self._know)

    @property
    def _held(self) -> KnownReader:
        """Of the side-car's thread; nothing is asked of it before it is there."""
        assert self._reader is not None
        return self._reader

    def _know(self, known: Known) -> None:
        first = self._known is None
        self._asked = False
        self._known = known
        self.progressed.emit(known)
        if first and self.can_run:
            self._start()
