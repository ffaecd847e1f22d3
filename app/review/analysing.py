"""The process that analyses into the open side-car: begun, looked at, paused, and gone when it should be."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.review.side_car import PLACE, SideCarThread
from engine.faults import Fault, FaultCode, FaultError
from engine.jobs.adopted import is_at_work, stop
from engine.jobs.ended import Ended, How
from engine.jobs.process import Process
from engine.review.analysis import run_folder, start
from engine.review.recording import Analysis
from engine.review.store import SideCar

LOOK_EVERY_MS = 500
PATIENCE_S = 0.3  # then it is killed: less than 64 frames are judged again


class AnalysisProcess(QObject):
    """One at a time. `looked`: while it runs, and once behind its end: what is known may have grown."""

    looked = Signal()
    changed = Signal()  # `is_running`
    failed = Signal(object)  # Fault

    def __init__(self, side_car: SideCarThread, parent: QObject, what: str = "The analysis") -> None:
        super().__init__(parent)
        self._what = what
        self._side_car = side_car
        self._process: Process | None = None
        self._works_on: Analysis | None = None
        self._folder: Path | None = None
        self._wanted: Analysis | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def start(self, analysis: Analysis) -> None:
        """Begin it, or go on with it; behind the end of another one, which is paused."""
        self._wanted = analysis
        if self._process is None:
            self._side_car.ask(lambda car: self._begin(car, analysis), self._started)
        elif self._is_another:
            self._process.ask()

    def pause(self) -> None:
        self._wanted = None
        if self._process is not None:
            self._process.ask()

    def stop(self) -> None:
        """Once the side-car's thread has ended: gone when this returns; what it kept stays."""
        self._timer.stop()
        process, self._process = self._process, None
        if process is not None:
            process.stop(PATIENCE_S)

    def _begin(self, car: SideCar, analysis: Analysis) -> None:
        """In the side-car's thread; kept there: the window may close before the answer comes."""
        if self._process is None and self._wanted is not None:
            # Who reviews it takes it over from the queue, which is content with that.
            self._folder = run_folder(car.folder, analysis.id)
            if not stop(self._folder, PATIENCE_S):
                raise _elsewhere()
            self._works_on, self._process = analysis, start(car, analysis)

    def _started(self, _: None) -> None:
        if self._process is None:
            return  # not wanted any more
        self._timer.start()
        if self._is_another:
            self._process.ask()
        self.changed.emit()

    @property
    def _is_another(self) -> bool:
        """Whether the one that runs is not the one that is wanted."""
        return self._wanted is None or self._works_on is None or self._works_on.id != self._wanted.id

    def _came_second(self, ended: Ended) -> bool:
        """One that the queue had only just begun, and that nobody could see yet, was quicker."""
        return ended.how is How.REFUSED and self._folder is not None and is_at_work(self._folder)

    def _look(self) -> None:
        self.looked.emit()
        ended = self._process.poll() if self._process is not None else None
        if ended is None:
            return
        self._process = None
        self._timer.stop()
        self.looked.emit()  # what it kept last
        self.changed.emit()
        if self._wanted is not None and (self._is_another or self._came_second(ended)):
            self.start(self._wanted)
        elif ended.how not in (How.DONE, How.CANCELLED):
            self.failed.emit(_stopped(ended, self._what))


def _elsewhere() -> FaultError:
    return FaultError(
        FaultCode.REVIEW,
        expected="to analyse it here",
        got="somebody else who does",
        remedy="wait for it",
        fatal=False,
        said="Another machine or user analyses this recording. Wait until it is analysed.",
    )


def _stopped(ended: Ended, what: str) -> Fault:
    # What a process of ours says of what it cannot use is a sentence for people.
    refused = ended.how is How.REFUSED and ended.last
    sentence = ended.last if refused else f"{ended.sentence(what)} What was analysed is kept."
    return FaultError(
        FaultCode.REVIEW,
        expected="the analysis to end",
        got=ended.reason,
        remedy="go on with it",
        fatal=False,
        said=sentence,
    ).as_fault(PLACE)
