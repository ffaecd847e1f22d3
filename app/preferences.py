"""What a person changes in the window, in force at once and kept for the next start beside the video."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from engine import settings
from engine.faults import Fault, FaultCode

log = logging.getLogger(__name__)

AFTER_MS = 500  # a slider that is dragged is one change
PLACE = "settings"


class Preferences(QObject):
    """Writes what `keep` was told into the settings file. Without a path nothing is kept.

    `changed`: other settings are in force. `failed`: they cannot be kept; `kept`: they can again.
    """

    changed = Signal()
    failed = Signal(object)  # Fault
    kept = Signal(str)  # the place of such faults
    _written = Signal(object)  # Fault, None: it went well

    def __init__(self, path: Path | None, in_force: settings.Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self._in_force = in_force
        self._changes: dict[str, object] = {}
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="polyplive-settings")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(AFTER_MS)
        self._timer.timeout.connect(self._write)
        self._written.connect(self._tell, Qt.ConnectionType.QueuedConnection)  # in the window's thread

    @property
    def settings(self) -> settings.Settings:
        """Those in force: as they were at the start, and what was changed since."""
        return self._in_force

    def keep(self, changes: Mapping[str, object], *, at_once: bool = False) -> None:
        """Dotted keys of engine.settings and their values; None takes one out of the file.

        `at_once`: it is written now; otherwise a moment later, with what follows.
        """
        self._in_force = settings.changed(self._in_force, changes)
        self._changes |= changes
        if at_once:
            self._write()
        else:
            self._timer.start()
        self.changed.emit()

    def close(self) -> None:
        """Write what still waits. Idempotent."""
        self._timer.stop()
        self._write()
        self._writer.shutdown(wait=True)

    def _write(self) -> None:
        changes, self._changes = self._changes, {}
        if changes and self.path is not None:
            self._writer.submit(self._keep, self.path, changes)

    def _keep(self, path: Path, changes: Mapping[str, object]) -> None:
        """In the writer's thread. A full or forbidden disk must not stop anybody from watching."""
        try:
            aside = settings.keep(path, changes)
        except OSError as error:
            log.info("settings are not kept: %s", error)
            self._written.emit(_not_kept(path, error.strerror or str(error)))
        except Exception:  # the thread's edge: a future that nobody asks would swallow it
            log.exception("settings are not kept")
        else:
            self._written.emit(None if aside is None else _set_aside(path, aside))

    @Slot(object)
    def _tell(self, fault: Fault | None) -> None:
        self.kept.emit(PLACE)
        if fault is not None:
            self.failed.emit(fault)


def _not_kept(path: Path, why: str) -> Fault:
    return _fault(
        f"to write {path}",
        why,
        "make room, or allow it",
        f"What was chosen counts until the end only: {path} cannot be written ({why}). Make room there, or "
        "allow it.",
    )


def _set_aside(path: Path, aside: Path) -> Fault:
    return _fault(
        "settings in TOML",
        f"something else in {path}",
        "see what is in the file that was set aside",
        f"{path} was damaged meanwhile. It is kept as {aside.name}, and what was chosen stands in a new one.",
    )


def _fault(expected: str, got: str, remedy: str, said: str) -> Fault:
    return Fault(
        FaultCode.SETTINGS,
        PLACE,
        expected=expected,
        got=got,
        remedy=remedy,
        at_s=time.monotonic(),
        fatal=False,
        said=said,
    )
