"""The windows beside the main one: latency and shortcuts, made when first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.shortcut_sheet import ShortcutSheet
from app.widgets.action import Action
from app.widgets.late_import import LateImport
from engine.types import Snapshot

if TYPE_CHECKING:
    from app.network.latency_page import LatencyPage


class SideWindows(QObject):
    """None of them is modal: the video goes on beside them. Handlers of app.actions_and_keys among them."""

    faulted = Signal(object)
    stale = Signal()  # one of them wants the newest snapshot

    def __init__(self, actions: Mapping[str, Action], parent: QWidget) -> None:
        super().__init__(parent)
        self._actions = actions
        self._parent = parent
        self._sheet: ShortcutSheet | None = None
        self._keys: tuple[tuple[str, ...], ...] = ()  # that it shows
        self._latency: LatencyPage | None = None
        self._latency_import: LateImport | None = None

    @property
    def latency(self) -> LatencyPage | None:
        """None until it was asked for."""
        return self._latency

    def show_sheet(self) -> None:
        keys = tuple(action.keys for action in self._actions.values())
        if self._sheet is None or keys != self._keys:
            if self._sheet is not None:
                self._sheet.deleteLater()
            self._sheet, self._keys = ShortcutSheet(self._actions, self._parent), keys
        _show(self._sheet)

    def show_latency(self) -> None:
        if self._latency is not None:
            _show(self._latency)
        elif self._latency_import is None:
            # pyqtgraph takes half a second to import: only for those who ask, and beside the video.
            work = LateImport("app.network.latency_page", self)
            work.done.connect(self._make_latency)
            work.failed.connect(self.faulted)
            self._latency_import = work.start()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        if self._latency is not None and self._latency.isVisible():
            self._latency.show_snapshot(snapshot)

    def close(self) -> None:
        """The main window closes."""
        if self._latency_import is not None:
            self._latency_import.forget()
        for window in (self._latency, self._sheet):
            if window is not None:
                window.close()

    def _make_latency(self, module: ModuleType) -> None:
        self._latency = module.LatencyPage(self._parent)
        self._latency.stale.connect(self.stale)
        self.show_latency()


def _show(window: QWidget) -> None:
    window.show()
    window.raise_()
