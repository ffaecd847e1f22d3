"""The sheet of all shortcuts (`?`), made from the table."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app import theme
from app.actions import ACTIONS, MOUSE, Place, shown_keys
from app.controls import label

# Sections in columns of about equal height.
COLUMNS = ((Place.OPEN, Place.VIEW, Place.HELP), (Place.PLAY,), (Place.AI,))


class ShortcutSheet(QDialog):
    """Not modal: the video goes on, and the sheet can be put beside it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Shortcuts – polyplive")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(theme.XL, theme.XL, theme.XL, theme.XL)
        outer.setSpacing(theme.L)
        outer.addWidget(label("Shortcuts", role=theme.TITLE))
        columns = QHBoxLayout()
        columns.setSpacing(theme.XXL)
        for places in COLUMNS:
            column = QVBoxLayout()
            column.setSpacing(theme.L)
            for place in places:
                entries = [entry for entry in ACTIONS if entry.place is place]
                rows = [(entry.text.rstrip("…"), shown_keys(entry)) for entry in entries]
                column.addLayout(_section(place.value, rows))
            if Place.AI in places:
                column.addLayout(_section("Mouse", MOUSE))
            column.addStretch(1)
            columns.addLayout(column)
        outer.addLayout(columns)
        close = QAction(self)
        close.setShortcuts([QKeySequence("?"), QKeySequence("F1"), QKeySequence("Esc")])
        close.triggered.connect(self.close)
        self.addAction(close)


def _section(title: str, rows: Iterable[tuple[str, str]]) -> QVBoxLayout:
    """What can be done, and with what."""
    section = QVBoxLayout()
    section.setSpacing(theme.S)
    section.addWidget(label(title, role=theme.STRONG))
    grid = QGridLayout()
    grid.setHorizontalSpacing(theme.L)
    grid.setVerticalSpacing(theme.XS)
    grid.setColumnStretch(0, 1)
    for row, (what, how) in enumerate(rows):
        grid.addWidget(label(what, tone="secondary"), row, 0)
        keys = label(how)
        keys.setAlignment(Qt.AlignmentFlag.AlignRight)
        grid.addWidget(keys, row, 1)
    section.addLayout(grid)
    return section
