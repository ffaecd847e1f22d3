"""Whoever works through the queue while the window is open, in a thread that only waits for processes."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from engine.faults import fault_of
from engine.review.library.index import Library
from engine.review.library.queue import Queue
from engine.review.library.working import PLACE, Worker
from engine.review.places import Places


class QueueThread(QObject):
    """Begun when there is something in the queue; `failed` carries the Fault that ended it."""

    failed = Signal(object)

    def __init__(
        self, queue: Queue, library: Library, places: Callable[[], Places], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._queue, self._library, self._places = queue, library, places
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Idempotent. What a window that is gone left goes on where it stood."""
        if self._thread is None or not self._thread.is_alive():
            self._end.clear()
            worker = Worker(self._queue, self._library, self._places(), self._end.wait)
            self._thread = threading.Thread(target=self._work, args=(worker,), name="polyplive-queue")
            self._thread.start()

    def close(self) -> None:
        """What runs is stopped, and goes on at the next start. Idempotent."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self, worker: Worker) -> None:
        try:
            worker.work()
        except Exception as error:  # the thread's edge
            self.failed.emit(fault_of(error, PLACE))
