"""Keys before the window's shortcuts: what a focused control keeps, held keys, keys that do nothing now."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMainWindow, QWidget

from app.widgets import focus
from app.widgets.action import Action, Needs, disabled_by

# What answers the key of an action that makes no sense now.
NOT_NOW = {
    Needs.PICTURE: "Nothing is open",
    Needs.SOURCE: "Nothing is open in Live",
    Needs.RECORDING: "Only for recordings",
    Needs.LIVE: "Only in Live",
    Needs.REVIEW: "Only in Review",
    Needs.JUDGING: "Only in Review, while no masks are corrected",
    Needs.CORRECTION: "Only while masks are corrected",
    Needs.MARKS: "Not while masks are corrected",
    Needs.NOTICE: "No message",
}


class Keyboard(QObject):
    """Looks at the window's events before the window does. A `picture` leaves all keys to the shortcuts."""

    def __init__(
        self,
        window: QMainWindow,
        picture: type[QWidget],
        actions: Mapping[str, Action],
        say: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._picture = picture
        self._actions = actions
        self._say = say
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if isinstance(event, QKeyEvent):
            if kind is QEvent.Type.ShortcutOverride:
                if focus.belongs_to_control(event.key(), self._window.focusWidget(), self._picture):
                    event.accept()
                    return True
            elif kind is QEvent.Type.KeyPress:
                return self._pressed(event)
            elif kind is QEvent.Type.KeyRelease and not event.isAutoRepeat():
                self._released(event.key())
        elif kind is QEvent.Type.ActivationChange and not self._window.isActiveWindow():
            # The key comes up in another window: nobody would tell us.
            for action in self._actions.values():
                action.release()
        return False

    def _pressed(self, event: QKeyEvent) -> bool:
        if event.key() in focus.ENTER and focus.press(self._window.focusWidget()):
            return True
        idle = disabled_by(QKeySequence(event.keyCombination()), self._actions)
        if idle is not None:
            self._say(NOT_NOW[idle.needs])
        return False

    def _released(self, key: int) -> None:
        for action in self._actions.values():
            if action.is_held_by(key):
                action.release()
