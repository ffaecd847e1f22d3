"""What a person changes in the window, kept for the next start a moment later and beside the video."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from engine import settings

log = logging.getLogger(__name__)

AFTER_MS = 500  # a slider that is dragged is one change


class Preferences(QObject):
    """Writes what `keep` was told into the settings file. Without a path nothing is kept."""

    def __init__(self, path: Path | None, in_force: settings.Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._in_force = in_force
        self._path = path
        self._changes: dict[str, object] = {}
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="polyplive-settings")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(AFTER_MS)
        self._timer.timeout.connect(self._write)

    @property
    def settings(self) -> settings.Settings:
        """Those in force: as they were at the start, and what was changed since."""
        return self._in_force

    def keep(self, changes: Mapping[str, object]) -> None:
        """Dotted keys of engine.settings and their values; None takes one out of the file."""
        self._in_force = settings.changed(self._in_force, changes)
        self._changes |= changes
        self._timer.start()

    def close(self) -> None:
        """Write what still waits. Idempotent."""
        self._timer.stop()
        self._write()
        self._writer.shutdown(wait=True)

    def _write(self) -> None:
        changes, self._changes = self._changes, {}
        if changes and self._path is not None:
            self._writer.submit(_quietly_keep, self._path, changes)


def _quietly_keep(path: Path, changes: Mapping[str, object]) -> None:
    # A full or forbidden disk must not stop anybody from watching.
    try:
        settings.keep(path, changes)
    except OSError as error:
        log.info("settings are not kept: %s", error)
    except Exception:  # the thread's edge: a future that nobody asks would swallow it
        log.exception("settings are not kept")
