"""A function in a thread, its answer in the window's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from engine.faults import Fault, fault_of


class Task(QObject):
    """Runs `work` once, aside. `done` gets what it gave back, `failed` the Fault of what it raised.

    After `forget` neither is emitted any more; the thread itself ends with its work.
    """

    done = Signal(object)
    failed = Signal(object)
    _finished = Signal(object, object)

    def __init__(self, name: str, work: Callable[[], Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._work = work
        self._forgotten = False
        self._thread = threading.Thread(target=self._run, name=f"polyplive-{name}", daemon=True)
        self._finished.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    def start(self) -> Task:
        self._thread.start()
        return self

    def forget(self) -> None:
        """The answer is no longer wanted."""
        self._forgotten = True

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; whether it has ended, or has never begun."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        answer: Any = None
        fault: Fault | None = None
        try:
            answer = self._work()
        except Exception as error:  # the thread's edge: told to the window as a fault
            fault = fault_of(error, self._name)
        if not self._forgotten:
            self._finished.emit(answer, fault)

    @Slot(object, object)
    def _tell(self, answer: Any, fault: Fault | None) -> None:
        if self._forgotten:
            return
        if fault is not None:
            self.failed.emit(fault)
        else:
            self.done.emit(answer)
