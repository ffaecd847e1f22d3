"""The side-car of the open recording in a thread of its own: SQLite belongs to the thread that opened it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from engine.faults import FaultCode, fault_of
from engine.review.store import SideCar

PLACE = "review"
DISK = "review-disk"  # where nothing can be written: true until the next act is kept
T = TypeVar("T")


class SideCarThread(QObject):
    """What is asked is done in order, and answered in the window's thread.

    `failed` carries the Fault of whatever could not be done. What is asked after that is tried none the less,
    unless the side-car could not even be opened: then nothing is answered.
    """

    failed = Signal(object)
    unopened = Signal(object)  # Fault: nothing is answered; told by `failed`, too
    _answered = Signal(object, object)

    def __init__(self, open_: Callable[[], SideCar], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._car: SideCar | None = None  # of the thread alone
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="polyplive-side-car")
        self._answered.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        self._thread.submit(self._open, open_)

    def ask(self, work: Callable[[SideCar], T], done: Callable[[T], None] | None = None) -> None:
        """Do `work` with the side-car; `done` hears what came of it."""
        if not self._closed:
            self._thread.submit(self._do, work, done)

    def close(self) -> None:
        """After all that was asked. Idempotent."""
        if not self._closed:
            self._closed = True
            self._thread.submit(self._close)
            self._thread.shutdown(wait=True)

    # In the thread

    def _open(self, open_: Callable[[], SideCar]) -> None:
        try:
            self._car = open_()
        except Exception as error:  # the thread's edge: told to the window as a fault
            fault = fault_of(error, PLACE)
            self.unopened.emit(fault)
            self.failed.emit(fault)

    def _do(self, work: Callable[[SideCar], Any], done: Callable[[Any], None] | None) -> None:
        if self._car is None:
            return
        try:
            answer = work(self._car)
        except Exception as error:  # the thread's edge
            fault = fault_of(error, PLACE)
            self.failed.emit(replace(fault, place=DISK) if fault.code is FaultCode.OUTPUT else fault)
            return
        if done is not None:
            self._answered.emit(done, answer)

    def _close(self) -> None:
        if self._car is not None:
            self._car.close()

    # In the window's

    @Slot(object, object)
    def _tell(self, done: Callable[[Any], None], answer: Any) -> None:
        if not self._closed:
            done(answer)
