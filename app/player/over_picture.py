"""What lies over the picture for a moment: the word that answers a key, a question, a menu."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal

from app.player.go_to import GoTo
from app.player.leaving import LeaveQuestion
from app.player.page import OperatorPage
from app.player.transport_commands import TransportCommands
from app.widgets.action import Action
from app.widgets.menu import picture_menu


class OverPicture(QObject):
    """Handlers of app.actions_and_keys among them. `leave_asked`: the window may be closed."""

    leave_asked = Signal()

    def __init__(
        self, page: OperatorPage, actions: Mapping[str, Action], transport: TransportCommands, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._page = page
        self.leaving = LeaveQuestion(actions["quit"], page)
        self.go_to_field = GoTo(transport.span, page)
        self._menu = picture_menu(actions, page)
        self._transport = transport
        for question in (self.leaving, self.go_to_field):
            page.free_changed.connect(question.keep_inside)
        self.leaving.answered.connect(self._left)
        self.go_to_field.left.connect(page.canvas.setFocus)
        self.go_to_field.asked.connect(lambda place: self.say(transport.go_to_place(place)))
        page.canvas.menu_asked.connect(self._menu.popup)
        page.canvas.zoomed.connect(lambda zoom: self.say(f"Zoom {zoom:.1f}x"))

    def say(self, text: str) -> None:
        """Answer a key in a word."""
        if self._page.isVisible():
            self._page.answer.say(text)

    # Handlers of app.actions_and_keys

    def quit(self) -> None:
        """Ask once while a live picture runs; a second time leaves."""
        if not self.asks_to_stay():
            self.leave_asked.emit()

    def go_to(self) -> None:
        """Ask for a frame or a time."""
        self.go_to_field.ask()

    # For the window

    def asks_to_stay(self) -> bool:
        """Ask whether to leave, if a live picture runs and that has not been asked yet."""
        if self.leaving.is_asking or not self._transport.runs_live():
            return False
        self.leaving.ask()
        return True

    def escape(self) -> bool:
        """Close a question that is open; False when there was none."""
        is_open = not (self.leaving.isHidden() and self.go_to_field.isHidden())
        self.withdraw()
        return is_open

    def withdraw(self) -> None:
        """There is nothing left to ask about."""
        self.leaving.withdraw()
        self.go_to_field.withdraw()

    def _left(self, leaves: bool) -> None:
        if leaves:
            self.leave_asked.emit()
        else:
            self._page.canvas.setFocus()
