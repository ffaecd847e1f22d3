"""The table of a comparison written as a file, in a thread: the disk may be slow."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.widgets.task import Task
from engine.review.compare.figures import Comparison
from engine.review.compare.sheet import write_sheet

ENDS_WITHIN_S = 1.0


class Saving(QObject):
    """`saved` carries the path, `failed` the Fault."""

    saved = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._task: Task | None = None

    def save(self, path: Path, found: Comparison, origin_s: float) -> None:
        self._task = Task("comparison", lambda: write_sheet(path, found, origin_s), self)
        self._task.done.connect(lambda _: self.saved.emit(path))
        self._task.failed.connect(self.failed)
        self._task.start()

    def close(self) -> None:
        if self._task is not None:
            self._task.forget()
            self._task.join(ENDS_WITHIN_S)
