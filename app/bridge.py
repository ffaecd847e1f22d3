"""The pipeline's bell, rung in any thread, becomes the newest Snapshot in the window's thread."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QObject, Qt, Signal, Slot

from engine.types import Snapshot


class HasSnapshot(Protocol):
    def snapshot(self) -> Snapshot: ...


class Bridge(QObject):
    """`ring` may be called from any thread, any number of times: the window gets one call for all of them."""

    changed = Signal(object)  # Snapshot
    _rung = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pipeline: HasSnapshot | None = None
        self._waiting = False
        self._rung.connect(self._pull, Qt.ConnectionType.QueuedConnection)

    def connect_to(self, pipeline: HasSnapshot | None) -> None:
        """Pull from `pipeline` from now on; None: from nobody, its last rings are void."""
        self._pipeline = pipeline

    def ring(self) -> None:
        # Two threads may both pass: the second signal then finds nothing new, which costs nothing.
        if not self._waiting:
            self._waiting = True
            self._rung.emit()

    @Slot()
    def _pull(self) -> None:
        # Before the pull: a change after it must ring again.
        self._waiting = False
        if self._pipeline is not None:
            self.changed.emit(self._pipeline.snapshot())
