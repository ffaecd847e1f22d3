"""Keys by pressing them: the table of all actions, and beside it the keys of the one that is marked."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.settings.key_editor import KeyEditor
from app.settings.key_table import KeyTable
from app.settings.keys import KeyMap
from app.widgets import theme
from app.widgets.controls import label

NONE_FOUND = "No action has these words."
ALL_BACK, REALLY = "All keys back to their defaults…", "Really all of them"


class KeysPage(QWidget):
    def __init__(self, keys: KeyMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys = keys
        self.table = KeyTable(keys)
        self.editor = KeyEditor(keys)
        self._none = label(NONE_FOUND, tone="secondary")
        self.all_back, self.really = QPushButton(ALL_BACK), QPushButton(REALLY)
        self.all_back.clicked.connect(self._ask)
        self.really.clicked.connect(keys.reset_all)
        self.table.chosen.connect(self.editor.show_action)
        self.table.asked.connect(lambda: self.editor.ask(None))
        self.editor.ended.connect(self.table.setFocus)
        keys.changed.connect(self._refresh)
        self._lay_out()
        self.editor.show_action(self.table.action)
        self._refresh()

    def show_found(self, words: str) -> int:
        """List what has these words; how many it are."""
        self.table.show_found(words)
        self.table.setHidden(not self.table.listed)
        self._none.setHidden(bool(self.table.listed))
        return len(self.table.listed)

    def _refresh(self) -> None:
        self.table.refresh()
        self.really.hide()
        self.all_back.setVisible(any(map(self._keys.is_own, self._keys.actions)))

    def _ask(self) -> None:
        self.all_back.hide()
        self.really.show()
        self.really.setFocus()

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setContentsMargins(0, 0, 0, 0)
        left.addWidget(self.table, 1)
        left.addWidget(self._none, 1, Qt.AlignmentFlag.AlignTop)
        self._none.hide()
        side = QWidget()
        side.setFixedWidth(theme.PANEL_PX)
        side.setProperty("surface", "panel")
        side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.editor, 1)
        last = QVBoxLayout()
        last.setContentsMargins(theme.L, 0, theme.L, theme.L)
        last.addWidget(self.all_back)
        last.addWidget(self.really)
        column.addLayout(last)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.L)
        row.addLayout(left, 1)
        row.addWidget(side)
