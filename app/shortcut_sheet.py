"""The sheet of all shortcuts (`?`), made from the actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.widgets import theme
from app.widgets.action import Action, Section, shown_keys
from app.widgets.controls import label

# Sections in columns of about equal height; in two of them where the screen is narrow.
COLUMNS = (
    (Section.OPEN, Section.VIEW, Section.HELP),
    (Section.PLAY, Section.CORRECTION),
    (Section.AI, Section.REVIEW, Section.COMPARISON),
)
NARROW_COLUMNS = (
    (Section.OPEN, Section.VIEW, Section.HELP, Section.REVIEW, Section.COMPARISON),
    (Section.PLAY, Section.AI, Section.CORRECTION),
)
# What the mouse does: (what, how).
MOUSE = (
    ("Zoom in and out", "Wheel over the picture"),
    ("Move the enlarged picture", "Drag"),
    ("One second on or back", "Wheel over the time line"),
    ("Dismiss a finding", "Click on it"),
    ("Size of the brush; while masks are corrected", "Wheel over the picture (Ctrl: zoom)"),
    ("Menu", "Right button"),
    ("Full screen", "Double click"),
)
# Title bar and a rim, px: a window as large as its screen would be moved off it.
RIM_PX = 48


class ShortcutSheet(QDialog):
    """Not modal: the video goes on, and the sheet can be put beside it. It scrolls on small screens."""

    def __init__(self, actions: Mapping[str, Action], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Shortcuts – polyplive")
        free = self.screen().availableSize() - QSize(RIM_PX, RIM_PX)
        content = _content(COLUMNS, actions.values())
        if content.sizeHint().width() > free.width():
            content = _content(NARROW_COLUMNS, actions.values())
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        bar = scroll.verticalScrollBar().sizeHint().width()
        self.resize((content.sizeHint() + QSize(bar, 2)).boundedTo(free))
        close = QAction(self)
        close.setShortcuts([*actions["sheet"].shortcuts(), QKeySequence("Esc")])
        close.triggered.connect(self.close)
        self.addAction(close)


def _content(columns_of: Sequence[Sequence[Section]], actions: Iterable[Action]) -> QWidget:
    of = {one: [action for action in actions if action.section is one] for one in Section}
    content = QWidget()
    outer = QVBoxLayout(content)
    outer.setContentsMargins(theme.XL, theme.XL, theme.XL, theme.XL)
    outer.setSpacing(theme.L)
    outer.addWidget(label("Shortcuts", role=theme.TITLE))
    columns = QHBoxLayout()
    columns.setSpacing(theme.XXL)
    for sections in columns_of:
        column = QVBoxLayout()
        column.setSpacing(theme.L)
        for one in sections:
            rows = [(action.text().rstrip("…"), shown_keys(action.keys)) for action in of[one]]
            column.addLayout(_section(one.value, rows))
        if Section.AI in sections:
            column.addLayout(_section("Mouse", MOUSE))
        column.addStretch(1)
        columns.addLayout(column)
    outer.addLayout(columns)
    return content


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
