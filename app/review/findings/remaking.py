"""Findings made again at another operating point, of the stored maps: in a thread, shown as they come."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from app.review.known import Found
from app.review.side_car import PLACE
from engine.faults import fault_of
from engine.review.database import DATABASE, open_database
from engine.review.following import Remade, remade
from engine.review.maps import stored_frames
from engine.review.recording import Analysis, Recording
from engine.types import OperatingPoint

AFTER_MS = 60  # a slider that is dragged asks for its last place
ENDS_WITHIN_S = 2.0
SHOWN_EVERY = 1500  # frames: a minute of video


class Remaking(QObject):
    """`made` carries a Found after every minute of video; `ended` all of the last one of a point."""

    made = Signal(object)  # Found
    ended = Signal(object)  # Remade
    failed = Signal(object)  # Fault
    _came = Signal(int, object, bool)

    def __init__(self, folder: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._path = folder / DATABASE
        self._turn = 0  # only what was asked for last is wanted
        self._threads: list[threading.Thread] = []
        self._ask: tuple[Analysis, Recording, OperatingPoint] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(AFTER_MS)
        self._timer.timeout.connect(self._start)
        self._came.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    @property
    def is_busy(self) -> bool:
        return self._timer.isActive() or any(thread.is_alive() for thread in self._threads)

    def begin(self, analysis: Analysis, recording: Recording, point: OperatingPoint) -> None:
        """Make them at this point, as far as it is analysed; what was asked for before is left."""
        self._turn += 1
        self._ask = (analysis, recording, point)
        self._timer.start()

    def stop(self) -> None:
        """Nothing is wanted any more."""
        self._turn += 1
        self._timer.stop()

    def close(self) -> None:
        self.stop()
        for thread in self._threads:
            thread.join(ENDS_WITHIN_S)

    def _start(self) -> None:
        assert self._ask is not None
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(
            target=self._run, args=(self._turn, *self._ask), name="polyplive-remaking", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def _run(self, turn: int, analysis: Analysis, recording: Recording, point: OperatingPoint) -> None:
        size = recording.size
        if size is None:
            return
        period_s = 1.0 / recording.rate_hz if recording.rate_hz else 0.0
        try:
            with closing(open_database(self._path, write=False)) as database:
                frames = stored_frames(database, analysis.id, analysis.map_size)
                wanted = (frame for frame in frames if turn == self._turn)
                before: Remade | None = None
                for found in remade(wanted, size, point, period_s, SHOWN_EVERY):
                    if turn != self._turn:
                        return
                    if before is not None:
                        self._came.emit(turn, before, False)
                    before = found
                self._came.emit(turn, before, True)
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
