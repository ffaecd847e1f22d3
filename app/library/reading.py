"""The library's list and queue, read and changed in a thread of its own: a slow disk stops no window."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from engine.faults import fault_of
from engine.review.library.index import Entry, Library, side_cars_in
from engine.review.library.queue import Item, Queue

PLACE = "library"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read:
    """What the list and the queue hold now."""

    entries: tuple[Entry, ...]
    items: tuple[Item, ...]
    is_paused: bool


class Reading(QObject):
    """What is asked is done in order, and answered in the window's thread; `failed` carries a Fault."""

    failed = Signal(object)
    _answered = Signal(object, object)

    def __init__(self, library: Library, queue: Queue, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.library, self.queue = library, queue
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="polyplive-library")
        self._answered.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    def ask(self, work: Callable[[], T], done: Callable[[T], None] | None = None) -> None:
        """Do `work` there; `done` hears what came of it."""
        if not self._closed:
            self._thread.submit(self._do, work, done)

    def read(self) -> Read:
        """In the thread: everything."""
        return Read(tuple(self.library.entries()), *self.read_queue())

    def read_queue(self) -> tuple[tuple[Item, ...], bool]:
        """In the thread: what waits, and whether that is paused; nothing is made where nothing was queued."""
        if not self.queue.exists:
            return (), False
        return tuple(self.queue.items()), self.queue.is_paused

    def begin(self, library: Path, folders: tuple[Path, ...]) -> Read:
        """In the thread: everything; a list that was lost is made again of the library's folder, and of
        folders where recordings were opened.
        """
        if self.library.is_new:
            found = [*side_cars_in(library, below=True)]
            for folder in dict.fromkeys(folders):
                found += side_cars_in(folder, below=False)
            self.library.rebuild(dict.fromkeys(found))
        return self.read()

    def close(self) -> None:
        """After what is under way. Idempotent."""
        self._closed = True
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _do(self, work: Callable[[], Any], done: Callable[[Any], None] | None) -> None:
        try:
            answer = work()
        except Exception as error:  # the thread's edge: told to the window as a fault
            self.failed.emit(fault_of(error, PLACE))
            return
        if done is not None:
            self._answered.emit(done, answer)

    @Slot(object, object)
    def _tell(self, done: Callable[[Any], None], answer: Any) -> None:
        if not self._closed:
            done(answer)
