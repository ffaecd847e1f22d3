"""The settings page: a search over all of it, general settings, keys, and where the file lies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.player.status_row import Elided
from app.settings.general_page import GeneralPage
from app.settings.keys import KeyMap
from app.settings.keys_page import KeysPage
from app.widgets import theme
from app.widgets.controls import label

SEARCH_PX = 280
TABS = ("General", "Keys")
NOT_KEPT = "Settings are not kept in this run."


class SettingsPage(QWidget):
    """`opened`: whether the folder of the file could be shown."""

    opened = Signal(bool)

    def __init__(
        self, keys: KeyMap, over: Mapping[str, str], file: Path | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._file = file
        self._key_map = keys
        self._keys: KeysPage | None = None  # made when it is shown first
        self.general = GeneralPage(over)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search settings and keys")
        self.search.setAccessibleName("Search settings and keys")
        self.search.setFixedWidth(SEARCH_PX)
        self.search.textChanged.connect(self._find)
        self._pages = QStackedWidget()
        self._tabs: list[QToolButton] = []
        self._pages.addWidget(self.general)
        for name in TABS:
            self._tabs.append(self._tab(name))
        self.folder = QPushButton("Open folder")
        self.folder.setEnabled(file is not None)
        self.folder.clicked.connect(self._open_folder)
        self._lay_out()
        self._show(0)

    @property
    def keys(self) -> KeysPage:
        if self._keys is None:
            self._keys = KeysPage(self._key_map)
            self._pages.addWidget(self._keys)
        return self._keys

    def escape(self) -> bool:
        """Nothing is sought any more; False when nothing was."""
        sought = bool(self.search.text())
        self.search.clear()
        return sought

    def areas(self) -> list[QWidget]:
        """One control of each group, in the order of F6."""
        return [self.search, self._tabs[self._pages.currentIndex()], self._first(), self.folder]

    def _first(self) -> QWidget:
        if self._pages.currentWidget() is self._keys:
            return self.keys.table
        return next((row.field for row in self.general.rows.values() if row.isVisible()), self.search)

    def _find(self, words: str) -> None:
        """Where nothing is found on the page in front, the other one comes."""
        counts = [self.general.show_found(words), self.keys.show_found(words)]
        for tab, name, count in zip(self._tabs, TABS, counts, strict=True):
            tab.setText(f"{name} ({count})" if words.strip() else name)
        at = self._pages.currentIndex()
        if not counts[at] and counts[1 - at]:
            self._show(1 - at)

    def _show(self, at: int) -> None:
        self._pages.setCurrentWidget(self.keys if at else self.general)
        for place, tab in enumerate(self._tabs):
            tab.setChecked(place == at)

    def _tab(self, name: str) -> QToolButton:
        tab, at = QToolButton(), len(self._tabs)
        tab.setText(name)
        tab.setCheckable(True)
        tab.setProperty("segment", True)
        tab.setFixedWidth(theme.CARD_PX)
        tab.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        tab.clicked.connect(lambda: self._show(at))
        return tab

    def _open_folder(self) -> None:
        assert self._file is not None
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self.opened.emit(QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._file.parent))))

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(theme.S)
        head.addWidget(label("Settings", role=theme.TITLE))
        head.addSpacing(theme.XL)
        for tab in self._tabs:
            head.addWidget(tab)
        head.addStretch(1)
        head.addWidget(self.search)
        where = Elided()
        where.set_text(f"Kept in {self._file}" if self._file is not None else NOT_KEPT)
        foot = QHBoxLayout()
        foot.setSpacing(theme.M)
        foot.addWidget(where, 1)
        foot.addWidget(self.folder)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.XL, theme.L, theme.XL, theme.M)
        column.setSpacing(theme.L)
        column.addLayout(head)
        column.addWidget(self._pages, 1)
        column.addLayout(foot)
