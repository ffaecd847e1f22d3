"""Whether an alarm is heard: always in sight beside the word, and a button."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QToolButton, QWidget

from app.widgets import theme
from app.widgets.action import Action
from app.widgets.controls import follow_tip
from app.widgets.icons import icon


class Heard(Enum):
    """The value is its name for those who do not see the icon."""

    OFF = "Alarm sound is off"
    ON = "Alarm sound is on"
    MUTE = "Alarm sound is on, and nothing here can play it"


ICONS = {
    Heard.OFF: ("volume-x", theme.SECONDARY),
    Heard.ON: ("volume-2", theme.TEXT),
    Heard.MUTE: ("volume-x", theme.ATTENTION),
}


class AlarmButton(QToolButton):
    """Form and colour tell the state: crossed out while nothing is heard."""

    def __init__(self, action: Action, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heard = Heard.OFF
        self.setProperty("flat", True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(action.trigger)
        self._tip = follow_tip(self, action, lambda tip: f"{self._heard.value}. {tip}")
        self.show_heard(Heard.OFF)

    def set_height_px(self, height_px: int) -> None:
        """It grows with the word beside it."""
        if height_px != self.iconSize().height():
            self.setIconSize(QSize(height_px, height_px))
            self.show_heard(self._heard)

    def show_heard(self, heard: Heard) -> None:
        self._heard = heard
        self.setIcon(icon(*ICONS[heard], self.iconSize().height()))
        self.setAccessibleName(heard.value)
        self._tip()
