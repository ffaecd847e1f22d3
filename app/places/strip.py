"""The strip of places at the window's left edge."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.places.table import LIVE, PLACES
from app.player.word_label import STYLES
from app.widgets import theme
from app.widgets.action import Action
from app.widgets.controls import follow_tip, label
from app.widgets.icons import icon
from engine.types import Snapshot, SourceState

STRIP_PX = 64


class PlaceStrip(QWidget):
    """One button a place; under Live its state word, while another place is in front."""

    def __init__(self, actions: Mapping[str, Action], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(STRIP_PX)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._buttons = {row.name: _button(actions[row.action], row.text) for row in PLACES}
        self._word = label(role=theme.CAPTION)
        self._word.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._word.setWordWrap(True)
        self._word.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.XS, 0, theme.XS)
        column.setSpacing(theme.XS)
        for row in (one for one in PLACES if not one.at_foot):
            column.addWidget(self._buttons[row.name])
            if row is LIVE:
                column.addWidget(self._word)
        column.addStretch(1)
        for row in (one for one in PLACES if one.at_foot):
            column.addWidget(self._buttons[row.name])
        self.show_place(LIVE.name)

    @property
    def word(self) -> QLabel:
        """What the live page says, while it is not in front; empty while nothing is open there."""
        return self._word

    def show_place(self, name: str) -> None:
        """Which one is in front."""
        for other, button in self._buttons.items():
            button.setChecked(other == name)
        self._word.setVisible(name != LIVE.name)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Of the live page: its video goes on behind."""
        word = "" if snapshot.source_state is SourceState.IDLE else snapshot.word.value
        if word != self._word.text():
            self._word.setText(word)
            self._word.setStyleSheet(f"color: {STYLES[snapshot.word][0]};")


def beside_strip(strip: PlaceStrip, pages: QWidget, edge: QWidget) -> QWidget:
    """All that is in the window."""
    column = QVBoxLayout()
    column.setSpacing(0)
    column.addWidget(pages, 1)
    column.addWidget(edge)
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(0)
    row.addWidget(strip)
    row.addLayout(column, 1)
    return whole


def _button(action: Action, text: str) -> QToolButton:
    button = QToolButton()
    button.setProperty("place", True)
    button.setCheckable(True)
    button.setIcon(icon(action.entry.icon))
    button.setText(text)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
    follow_tip(button, action)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.clicked.connect(action.trigger)
    button.clicked.connect(lambda: button.setChecked(True))  # the place decides, not the click
    return button
