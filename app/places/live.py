"""The place Live: its start page while nothing is open, else the picture."""

from __future__ import annotations

from collections.abc import Callable, Set

from PySide6.QtCore import QObject, Signal

from app.network.commands import AiControls
from app.places.stack import PlaceStack
from app.player.finding_commands import FindingCommands
from app.player.full_screen import FullScreen
from app.player.over_picture import OverPicture
from app.player.page import OperatorPage
from app.player.playback import is_recording
from app.player.transport_commands import TransportCommands
from app.start.open_commands import OpenCommands
from app.start.opening import Opening
from app.start.start_page import StartPage
from app.view_commands import ViewCommands
from app.widgets import words
from app.widgets.action import Action, Needs, shown_keys
from engine.types import Snapshot


class LivePlace(QObject):
    """Also what keys mean there (app.places.fronts). `changed`: other actions make sense now."""

    changed = Signal()

    def __init__(
        self,
        pages: PlaceStack,
        start: StartPage,
        operator: OperatorPage,
        opening: Opening,
        opens: OpenCommands,
        transport: TransportCommands,
        view: ViewCommands,
        over: OverPicture,
        ai: AiControls,
        finding: FindingCommands,
        full_screen: FullScreen,
        to_first: Action,
        snapshot: Callable[[], Snapshot | None],
    ) -> None:
        super().__init__(pages)
        self._pages, self._start, self._operator = pages, start, operator
        self._opening, self._opens, self._transport = opening, opens, transport
        self._over, self._finding, self._full_screen = over, finding, full_screen
        self._to_first, self._snapshot = to_first, snapshot
        self.drop = opens.open_drop
        self.open_recording, self.close = opens.open_recording, opens.close_source
        self.open_again = opens.open_again
        self.go_to = over.go_to
        self.hold_raw, self.release_raw = view.hold_raw, view.release_raw
        self.leave, self.fit = view.leave, view.fit
        self.toggle_panel, self.next_area = view.toggle_panel, view.next_area
        self.threshold_down, self.threshold_up = ai.threshold_down, ai.threshold_up
        opening.began.connect(self._begin)
        opening.closed.connect(self._closed)
        opening.first_picture.connect(self._resume)

    def available(self) -> Set[Needs]:
        if self._opening.spec is None:
            return {Needs.LIVE}
        there = {Needs.LIVE, Needs.PICTURE, Needs.SOURCE}
        snapshot = self._snapshot()
        return there | {Needs.RECORDING} if snapshot is not None and is_recording(snapshot) else there

    def take_focus(self) -> None:
        at_start = self._pages.currentWidget() is self._start
        (self._start.first_focus if at_start else self._operator.canvas).setFocus()

    def rest(self) -> None:
        self._transport.stop()

    def to_start(self) -> None:
        """The page with the forms; what plays is closed."""
        if self._opening.spec is not None:
            self._opening.close()
        self._pages.setCurrentWidget(self._start)

    # Inside

    def _begin(self) -> None:
        self._operator.expect(self._opens.title)
        self._finding.forget()
        self._opens.show_title()
        self._pages.setCurrentWidget(self._operator)
        self._operator.canvas.setFocus()
        self.changed.emit()

    def _resume(self) -> None:
        """Go on where this recording was left; one key goes to its beginning."""
        if (pts_s := self._opening.resume_s) is not None:
            self._transport.seek(pts_s)
            at = words.short_clock(pts_s - self._operator.transport.origin_s)
            key = shown_keys(self._to_first.keys)
            self._over.say(f"Resumed at {at}{f', {key} = beginning' if key else ''}")

    def _closed(self) -> None:
        self._over.withdraw()
        self._operator.forget()
        self._full_screen.leave()
        self._opens.show_recent()
        self._opens.show_title()
        self._start.show_readiness(self._snapshot())
        self._pages.setCurrentWidget(self._start)
        self._start.focus_after_closing.setFocus()
        self.changed.emit()
