"""The process of one export: begun aside, followed by its run folder, and gone when it should be."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.widgets.task import Task
from engine.faults import Fault
from engine.jobs.ended import How
from engine.jobs.events import Failed, File, Progress
from engine.jobs.folder import EVENTS
from engine.jobs.process import Process
from engine.jobs.tail import Tail
from engine.review.exports.job import Wanted, start

LOOK_EVERY_MS = 100
PATIENCE_S = 1.0
BEGINNING_S = 5.0


class ExportProcess(QObject):
    """One at a time. It ends with `made`, `cancelled` or `failed`."""

    progressed = Signal(int, int)  # done, of
    made = Signal(object)  # Path: where it lies
    cancelled = Signal()
    failed = Signal(str)  # a sentence

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._run: Path | None = None
        self._process: Process | None = None
        self._task: Task | None = None
        self._tail: Tail | None = None
        self._file: Path | None = None
        self._said = ""
        self._is_asked = False
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)

    @property
    def is_running(self) -> bool:
        return self._run is not None

    def start(self, wanted: Wanted) -> None:
        """A new process takes some milliseconds of whoever begins it: a thread does."""
        if self.is_running:
            return
        self._run = run = Path(tempfile.mkdtemp(prefix="polyplive-export-"))
        self._tail, self._file, self._said, self._is_asked = Tail(run / EVENTS), None, "", False
        self._task = Task("export", lambda: self._begin(wanted, run), self)
        self._task.failed.connect(self._not_begun)
        self._task.start()
        self._timer.start()

    def cancel(self) -> None:
        """What was written goes again."""
        self._is_asked = True
        if self._process is not None:
            self._process.ask()

    def stop(self) -> None:
        """Gone when this returns, and nothing is left of it. Idempotent."""
        self._timer.stop()
        if self._task is not None:
            self._task.forget()
            self._task.join(BEGINNING_S)
        if self._process is not None:
            self._process.stop(PATIENCE_S)
        self._forget()

    def _begin(self, wanted: Wanted, run: Path) -> None:
        self._process = start(wanted, run)  # kept there: the window may close before the answer comes

    def _not_begun(self, fault: Fault) -> None:
        self._timer.stop()
        self._forget()
        self.failed.emit(fault.sentence)

    def _look(self) -> None:
        if self._process is None or self._tail is None:
            return
        if self._is_asked:
            self._process.ask()
        ended = self._process.poll()  # before the look: what it told last is read
        for event in self._tail.look().events:
            if isinstance(event, Progress):
                self.progressed.emit(event.done, event.total)
            elif isinstance(event, File):
                self._file = Path(event.path)
            elif isinstance(event, Failed):
                self._said = event.said
        if ended is None:
            return
        self._timer.stop()
        file, said = self._file, self._said
        self._forget()
        if ended.how is How.DONE and file is not None:
            self.made.emit(file)
        elif ended.how is How.CANCELLED:
            self.cancelled.emit()
        else:
            self.failed.emit(said or ended.sentence("The export"))

    def _forget(self) -> None:
        if self._run is not None:
            shutil.rmtree(self._run, ignore_errors=True)
        self._run = self._process = self._task = None
