"""Findings made again at another operating point, of the stored maps: in a thread, shown as they come."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from app.review.known import Found
from app.review.side_car import PLACE
from engine.faults import fault_of
from engine.review.database import DATABASE, open_database
from engine.review.remaking.blobs import Blobs
from engine.review.remaking.remake import Remade, Wanted, made_again

AFTER_MS = 60  # a slider that is dragged asks for its last place
TELL_FIRST_S = 0.1
TELL_EVERY_S = 0.3  # with each telling the list and the lanes are made anew


class Remaking(QObject):
    """`made` carries a Found: first of what is looked at, then of more and more; `ended` all of the last one
    of a point.
    """

    made = Signal(object)  # Found
    ended = Signal(object)  # Remade
    failed = Signal(object)  # Fault
    _came = Signal(int, object, bool)

    def __init__(self, folder: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._path = folder / DATABASE
        self._turn = 0  # only what was asked for last is wanted
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="polyplive-remaking")
        self._running: Future[None] | None = None
        self._wanted: Wanted | None = None
        self._blobs = Blobs()  # of the thread
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(AFTER_MS)
        self._timer.timeout.connect(self._start)
        self._came.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    @property
    def is_busy(self) -> bool:
        return self._timer.isActive() or (self._running is not None and not self._running.done())

    def begin(self, wanted: Wanted) -> None:
        """Make them at this point, as far as it is analysed; what was asked for before is left."""
        self._turn += 1
        self._wanted = wanted
        self._timer.start()

    def stop(self) -> None:
        """Nothing is wanted any more."""
        self._turn += 1
        self._timer.stop()

    def close(self) -> None:
        """What runs is left within 64 frames."""
        self.stop()
        self._thread.shutdown(wait=True)

    def _start(self) -> None:
        assert self._wanted is not None
        self._running = self._thread.submit(self._run, self._turn, self._wanted)

    def _run(self, turn: int, wanted: Wanted) -> None:
        due_s = time.monotonic() + TELL_FIRST_S
        try:
            with closing(open_database(self._path, write=False)) as database:
                so_far = None
                for so_far in made_again(database, wanted, self._blobs):
                    if turn != self._turn:
                        return
                    if time.monotonic() >= due_s:
                        self._came.emit(turn, so_far(), False)
                        due_s = time.monotonic() + TELL_EVERY_S
                if so_far is not None:
                    self._came.emit(turn, so_far(), True)
        except Exception as error:  # the thread's edge: told to the window as a fault
            self._came.emit(turn, fault_of(error, PLACE), True)

    @Slot(int, object, bool)
    def _tell(self, turn: int, found: object, is_last: bool) -> None:
        if turn != self._turn:
            return
        if not isinstance(found, Remade):
            self.failed.emit(found)
            return
        self.made.emit(Found(found.point, found.frames, found.confirmed, found.sightings))
        if is_last:
            self.ended.emit(found)
