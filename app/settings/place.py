"""The place Settings in the window: its page is made when it comes to the front first."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.preferences import Preferences
from app.settings.keys import KeyMap
from app.widgets import focus
from app.widgets.notice_row import NoticeRow
from app.widgets.task import Task
from engine.faults import Fault, FaultCode
from engine.settings import CHOICES

if TYPE_CHECKING:
    from app.settings.page import SettingsPage

PLACE = "settings"


class SettingsPlace(QWidget):
    """`changed` carries what a person wants, by its key in engine.settings; None stands for the default."""

    changed = Signal(object)
    faulted = Signal(object)  # Fault

    def __init__(
        self, keys: KeyMap, preferences: Preferences, over: Mapping[str, str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("surface", "background")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._keys, self._preferences, self._over = keys, preferences, over
        self.notice = NoticeRow(hides=True)
        self.page: SettingsPage | None = None
        self._looking: Task | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.notice)
        preferences.changed.connect(self._show)

    def take_focus(self) -> None:
        """In front; made now where it has not been."""
        if self.page is None:
            from app.settings.page import SettingsPage  # not before somebody wants it

            self.page = SettingsPage(self._keys, self._over, self._preferences.path)
            self.page.general.changed.connect(self.changed)
            self.page.opened.connect(self._opened)
            self._column.addWidget(self.page, 1)
            self._look()
            self._show()
        self.page.search.setFocus()

    def next_area(self) -> None:
        if self.page is not None:
            areas = self.page.areas()
            focus.next_of(areas, self.window().focusWidget()).setFocus(Qt.FocusReason.TabFocusReason)

    def escape(self) -> bool:
        """End what is sought; False when nothing was."""
        return self.page is not None and self.page.escape()

    def close_place(self) -> None:
        """The window closes."""
        if self._looking is not None:
            self._looking.forget()

    def _look(self) -> None:
        """For what can be chosen: imports, and a look at the disk."""
        self._looking = Task("choices", lambda: {key: look() for key, look in CHOICES.items()}, self)
        self._looking.done.connect(self._found)
        self._looking.failed.connect(self.faulted)
        self._looking.start()

    def _found(self, choices: Mapping[str, Mapping[str, str]]) -> None:
        if self.page is not None:
            self.page.general.show_choices(choices)
            self._show()

    def _show(self) -> None:
        if self.page is not None:
            self.page.general.show_settings(self._preferences.settings)

    def _opened(self, shown: bool) -> None:
        if not shown:
            self.faulted.emit(_not_shown(self._preferences.path))


def _not_shown(file: Path | None) -> Fault:
    return Fault(
        FaultCode.OUTPUT,
        PLACE,
        expected="a program that shows folders",
        got="none",
        remedy="open it by hand",
        at_s=time.monotonic(),
        fatal=False,
        said=f"Nothing here can show a folder. The settings lie in {file}.",
    )
