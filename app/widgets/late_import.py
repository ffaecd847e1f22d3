"""A module of the window that is slow to import, imported beside the video when somebody first needs it."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator, Sequence

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import QObject, QTimer, Signal

from app.widgets.task import Task

SLICE_S = 0.004  # of the window's thread, at a time


class LateImport(QObject):
    """`done` carries the module, `failed` a Fault; neither comes after `forget`.

    PySide makes the types of Qt when they are first asked for, and two threads that do so at once end the
    process; pyqtgraph asks for all of them. So they are made in the window's thread, a few at a time, before
    the module is imported in another one.
    """

    done = Signal(object)
    failed = Signal(object)

    def __init__(
        self, module: str, parent: QObject, lazy: Sequence[object] = (QtCore, QtGui, QtWidgets)
    ) -> None:
        """`lazy`: whose attributes are asked for first."""
        super().__init__(parent)
        self._task = Task(module.rpartition(".")[2], lambda: importlib.import_module(module), self)
        self._task.done.connect(self.done)
        self._task.failed.connect(self.failed)
        self._names = _names(lazy)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._settle)

    def start(self) -> LateImport:
        self._timer.start(0)
        return self

    def forget(self) -> None:
        """The module is no longer wanted."""
        self._timer.stop()
        self._task.forget()

    def _settle(self) -> None:
        until_s = time.monotonic() + SLICE_S
        for module, name in self._names:
            getattr(module, name)
            if time.monotonic() > until_s:
                return
        self._timer.stop()
        self._task.start()


def _names(lazy: Sequence[object]) -> Iterator[tuple[object, str]]:
    for module in lazy:
        for name in dir(module):
            yield module, name
