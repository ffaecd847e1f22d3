"""Two sides compared in a thread, and shown as it comes: where they disagree first, then all figures."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from app.review.known import Found
from app.review.side_car import PLACE
from engine.faults import fault_of
from engine.review.compare.figures import Comparison, Pair, compared, paired
from engine.review.compare.side import Side, found_by
from engine.review.database import DATABASE, open_database
from engine.review.remaking.remake import Remade
from engine.review.store import SideCar
from engine.review.timeline import FrameTable, frame_table

AFTER_MS = 120  # a slider that is dragged asks for its last place
ENDS_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Question:
    """`found_a`: what is made of the first side at its point, as far as that is, where it is not what is
    stored; `figures` False: only where they disagree, which takes a moment.
    """

    a: Side
    b: Side
    found_a: Found | None = None
    figures: bool = True

    def is_of(self, other: Question) -> bool:
        """The same two sides, perhaps with more analysed by now."""
        return (self.a, self.b, self.figures) == (other.a, other.b, other.figures)


class CompareWork(QObject):
    """Only what was asked last is told. A question about the same two sides waits for the one before."""

    paired = Signal(object)  # Pair
    compared = Signal(object)  # Comparison
    failed = Signal(object)  # Fault
    _came = Signal(int, object)

    def __init__(self, folder: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._folder = folder
        self._turn = 0
        self._asked: Question | None = None
        self._again: Question | None = None
        self._thread: threading.Thread | None = None
        self._threads: list[threading.Thread] = []
        self._made: dict[tuple[int, int], Remade] = {}  # by side and analysis: the last one, of the threads
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(AFTER_MS)
        self._timer.timeout.connect(self._start)
        self._came.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    @property
    def is_busy(self) -> bool:
        return self._asked is not None

    def ask(self, question: Question) -> None:
        if self._asked is not None and self._asked.is_of(question):
            self._again = question
            return
        self._turn += 1
        self._asked, self._again = question, None
        self._timer.start()

    def forget(self) -> None:
        """Nothing is wanted any more."""
        self._turn += 1
        self._asked = self._again = None
        self._timer.stop()

    def close(self) -> None:
        self.forget()
        for thread in self._threads:
            thread.join(ENDS_WITHIN_S)

    def _start(self) -> None:
        question = self._asked
        assert question is not None
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(
            target=self._run, args=(self._turn, question), name="polyplive-comparing", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def _run(self, turn: int, question: Question) -> None:
        answer: object = None
        try:
            path = self._folder / DATABASE
            with closing(open_database(path, write=False)) as database:
                answer = self._answer(SideCar(self._folder, database, ExitStack(), ""), turn, question)
        except Exception as error:  # the thread's edge: told to the window as a fault
            answer = fault_of(error, PLACE)
        self._came.emit(turn, answer)

    def _answer(self, car: SideCar, turn: int, question: Question) -> Comparison | None:
        def wanted() -> bool:
            return turn == self._turn

        table_a, table_b = (frame_table(car.database, one.analysis.id) for one in (question.a, question.b))
        given = question.found_a
        if given is not None:
            table_a = table_a.first(given.frames)
            made_a: Remade | None = Remade(given.point, given.frames, given.findings, dict(given.sightings))
        else:
            made_a = self._made_by(0, car, question.a, table_a, wanted)
        made_b = self._made_by(1, car, question.b, table_b, wanted)
        if made_a is None or made_b is None:
            return None
        shorter = min(table_a, table_b, key=lambda table: table.ranks[-1] if len(table) else -1)
        pair = paired(question.a, question.b, made_a, made_b, shorter)
        self._came.emit(turn, pair)
        return compared(car, pair, wanted) if question.figures else None

    def _made_by(
        self, number: int, car: SideCar, side: Side, table: FrameTable, wanted: Callable[[], bool]
    ) -> Remade | None:
        """What was found last time, where that is of the same frames at the same point."""
        key = (number, side.analysis.id)
        known = self._made.get(key)
        if known is None or known.point != side.point or known.frames != len(table):
            known = found_by(car, side, wanted)
            if known is not None:
                self._made[key] = known
        return known

    @Slot(int, object)
    def _tell(self, turn: int, answer: object) -> None:
        if turn != self._turn:
            return
        if isinstance(answer, Pair):
            self.paired.emit(answer)
            return
        again, self._asked, self._again = self._again, None, None
        if isinstance(answer, Comparison):
            self.compared.emit(answer)
        elif answer is not None:
            self.failed.emit(answer)
        if again is not None:
            self.ask(again)
