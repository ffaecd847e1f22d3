"""The main window: its pages, what is dropped on it, what a pipeline is attached to, and how it ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QPaintEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from app.actions_and_keys import Owners, make_actions
from app.bridge import Bridge
from app.connections import (
    connect_faults,
    connect_kept,
    connect_live,
    connect_names,
    connect_settings,
)
from app.key_filter import Keyboard
from app.launch import Launch
from app.library.place import LibraryPlace
from app.network.commands import AiControls
from app.notice_board import NoticeBoard
from app.places.commands import PlaceCommands
from app.places.fronts import LibraryFront, PageFront, ReviewFront
from app.places.library_commands import LibraryCommands
from app.places.live import LivePlace
from app.places.stack import PlaceStack
from app.places.strip import PlaceStrip, beside_strip
from app.places.table import LIBRARY, LIVE, REVIEW, SETTINGS
from app.player.alarm_sound import AlarmSound
from app.player.box_drag import BoxDrag
from app.player.canvas import Canvas, Overlay
from app.player.finding_commands import FindingCommands
from app.player.full_screen import FullScreen
from app.player.missed_commands import MissedCommands
from app.player.over_picture import OverPicture
from app.player.page import OperatorPage
from app.player.transport_commands import TransportCommands
from app.preferences import Preferences
from app.review.place import ReviewPlace
from app.settings.keys import KeyMap
from app.settings.place import SettingsPlace
from app.side_windows import SideWindows
from app.start.open_commands import OpenCommands
from app.start.opening import Opening
from app.start.recent import RecentItems
from app.start.region_commands import RegionCommands
from app.start.start_page import StartPage
from app.view_commands import ViewCommands
from app.widgets import theme
from app.widgets.action import Needs, enable
from app.widgets.edge import Edge
from app.widgets.icons import icon
from engine.faults import Fault
from engine.sources.base import SourceOptions
from engine.types import Presentation, Snapshot

if TYPE_CHECKING:
    from engine.live.pipeline import Pipeline  # cv2 and pydantic: not before the window is up

log = logging.getLogger(__name__)


class Window(QMainWindow):
    """Built and shown without a pipeline; `attach` gives it one. `closing` comes before anything is freed."""

    closing = Signal()

    def __init__(self, launch: Launch, recent: RecentItems) -> None:
        super().__init__()
        self.setWindowIcon(icon("scan", theme.ACCENT, theme.WINDOW_ICON_PX))
        self.setAcceptDrops(True)
        screen = self.screen().availableSize().toTuple()
        self.setMinimumSize(*theme.window_px(theme.MINIMUM_PX, screen))
        self.resize(*theme.window_px(theme.WINDOW_PX, screen))
        self.bridge = Bridge(self)
        self._pipeline: Pipeline | None = None
        self._snapshot: Snapshot | None = None
        self.painted_at_s: float | None = None  # when it was first up, `time.monotonic()`
        self._recent = recent
        self.preferences = Preferences(launch.keeps, launch.settings, self)
        self._available: Set[Needs] | None = None

        self.transport = TransportCommands(lambda: self.operator.transport.origin_s)
        self.opening = Opening(recent, self)
        self.full_screen = FullScreen(self)
        # The panel's buttons need the actions, the AI's handlers need the panel: owners are named late.
        self.actions_by_id = make_actions(self, self._owners, self._say)
        self.addActions(list(self.actions_by_id.values()))
        self.keys = KeyMap(self.actions_by_id, launch.settings.keys, self)
        self.start = StartPage(self.actions_by_id)
        self.operator = OperatorPage(self.actions_by_id)
        self.review = ReviewPlace(
            self.actions_by_id, self._model_folder, launch.preset, lambda: self.preferences.settings.review
        )
        self.settings = SettingsPlace(self.keys, self.preferences, launch.over)
        self.strip = PlaceStrip(self.actions_by_id)
        self._pages = PlaceStack(self.strip)
        self.over = OverPicture(self.operator, self.actions_by_id, self.transport, self)
        canvas = self.operator.canvas
        self.drag = BoxDrag(canvas)
        self.region = RegionCommands(canvas, self.drag, self.opening, self)
        self.finding = FindingCommands(canvas, self)
        self.missed = MissedCommands(canvas, self.drag, lambda: self.operator.transport.origin_s, self)
        self.alarm = AlarmSound(launch.alarm_sound, self.operator.status.alarm, self)
        self.view = ViewCommands(
            self,
            self._pages,
            self.start,
            self.operator,
            self.over,
            self.full_screen,
            self.drag,
            side_panel=launch.side_panel,
        )
        self.opens = OpenCommands(
            self, self.opening, recent, self.start, lambda: self.live.to_start(), launch.names
        )
        self.ai = AiControls(self.operator.panel, self._set_overlay, launch, self)
        self.places = PlaceCommands(self, self._pages, self.review, self.opens, self.opening, recent)
        self.library = LibraryPlace(
            self.actions_by_id, self._model_folder, lambda: self.preferences.settings, lambda: recent.folders
        )
        self.shelf = LibraryCommands(self, self.library, self.places.show, self.places.open_paths)
        self._add_places()
        self.side_windows = SideWindows(self.actions_by_id, self)
        pages = self._pages
        self.notices = NoticeBoard(pages.notices, lambda: pages.notice, self.actions_by_id, self)
        # The source after the AI: a recording waits for the network that is coming.
        marks = (self.region, self.finding, self.missed)
        self._parts = (self.transport, self.notices, self.ai, *marks, self.opening, self.library)
        self._keyboard = Keyboard(self, Canvas, self.actions_by_id, self._say)
        self._edge = Edge()
        self._lay_out()
        self._connect()
        self._enable()
        self.opens.show_recent()
        self.opens.show_title()
        self.start.first_focus.setFocus()
        # Not before the page is in the window: it is polished then, and its margins are counted once.
        self.operator.show_panel(launch.side_panel)
        for fault in (recent.complaint, *launch.faults, *self.keys.faults):
            if fault is not None:
                self.tell(fault)

    def attach(self, pipeline: Pipeline) -> None:
        """Everything is there: open what waits, load the model."""
        self._pipeline = pipeline
        self.bridge.connect_to(pipeline)
        for part in self._parts:
            part.connect_to(pipeline)
        self.bridge.ring()

    @property
    def page(self) -> QWidget | None:
        """The page that is shown: `start`, `operator` or `review`."""
        return self._pages.currentWidget()

    def tell(self, fault: Fault) -> None:
        """Show a fault that the window noticed itself."""
        self.notices.tell(fault)

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.painted_at_s = self.painted_at_s or time.monotonic()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        # Everything is taken, so that a wrong drop can be told what would be right.
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self._pages.front.drop(event.mimeData())

    def closeEvent(self, event: QCloseEvent) -> None:
        # By the window's own button; a signal, or the end of a timed run, is not asked.
        if event.spontaneous() and self.over.asks_to_stay():
            event.ignore()
            return
        self.over.withdraw()
        self.closing.emit()
        self.full_screen.stop()
        self.review.close_place()
        self.settings.close_place()
        self.opening.close()
        self.bridge.connect_to(None)
        for part in self._parts:
            part.connect_to(None)
        self.opens.close()
        self.alarm.close()
        self.side_windows.close()
        if self._pipeline is not None:
            self._pipeline.close()
            self._pipeline = None
        self._recent.close()
        self.preferences.close()
        super().closeEvent(event)

    # Inside

    def _show_snapshot(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.strip.show_snapshot(snapshot)
        self.transport.take(snapshot)
        self.ai.take(snapshot)
        self.opening.take(snapshot)
        self.operator.show_snapshot(snapshot, self.opens.title)
        if self.page is self.start:
            self.start.show_readiness(snapshot)
        self.missed.take(snapshot)
        self.alarm.take(snapshot)
        self.notices.take(snapshot)
        self.side_windows.show_snapshot(snapshot)

    def _painted(self, presentation: Presentation, start_s: float, end_s: float) -> None:
        if self._pipeline is not None:
            self._pipeline.painted(presentation, start_s, end_s)
        self.opening.painted(presentation)

    def _told(self, faults: tuple[Fault, ...]) -> None:
        self.operator.panel.show_faults(faults)
        self._enable()

    def _enable(self) -> None:
        available = self._pages.front.available()
        if self.notices.has_notice:
            available = available | {Needs.NOTICE}
        if available != self._available:
            self._available = available
            enable(self.actions_by_id.values(), available)

    def _owners(self) -> Owners:
        """Whose methods the keys call now: those of the place in front."""
        in_review = self._pages.name == REVIEW.name
        return Owners(
            self._pages.front,
            self.opens,
            self.review.transport if in_review else self.transport,
            self.ai,
            self.region,
            self.finding,
            self.missed,
            self.alarm,
            self.over,
            self.view,
            self.review,
            self.notices,
            self.places,
            self.shelf,
            self.side_windows,
        )

    def _set_overlay(self, overlay: Overlay) -> None:
        """Findings are drawn alike in every place."""
        self.operator.canvas.set_overlay(overlay)
        self.review.set_overlay(overlay)

    def _say(self, text: str) -> None:
        """Answer a key, over the picture in front."""
        self.review.say(text)
        self.over.say(text)

    def _model_folder(self) -> Path:
        """Of the model that is chosen."""
        from engine.model_in_use import model_in_use

        return self.operator.panel.chosen or model_in_use().path

    def _decode_by(self, name: str) -> None:
        """What recordings are decoded by that are opened from now on."""
        self.opening.decode = name
        self.review.use(SourceOptions(decode=name))

    def _place_edge(self) -> None:
        """In full screen the page says its words itself: the edge would make the picture smaller."""
        self.strip.setVisible(not self.full_screen.is_on)
        self._edge.setVisible(not (self.full_screen.is_on and self.page is self.operator))

    def _add_places(self) -> None:
        """TABLE of what the strip brings to the front: each with its front and its pages."""
        self.live = LivePlace(
            self._pages,
            self.start,
            self.operator,
            self.opening,
            self.opens,
            self.transport,
            self.view,
            self.over,
            self.ai,
            self.finding,
            self.full_screen,
            self.actions_by_id["first"],
            lambda: self._snapshot,
        )
        review = ReviewFront(self.review, self.full_screen, self.places.ask_for_review, self.places.drop)
        pages = (self.start, self.operator)
        self._pages.add(LIVE, self.live, [(page, page.notice) for page in pages])
        settings = PageFront(self.settings, self.opens, self._pages.show_before)
        self._pages.add(SETTINGS, settings, [(self.settings, self.settings.notice)])
        self._pages.add(REVIEW, review, [(self.review, self.review.notice)])
        library = LibraryFront(self.library, self.opens, self._pages.show_before, self.shelf.drop)
        self._pages.add(LIBRARY, library, [(self.library, self.library.notice)])

    def _connect(self) -> None:
        owners = self._owners()
        connect_live(self.start, self.operator, self.transport, owners, self.actions_by_id, self)
        connect_faults(owners, self.opening.began, self.tell)
        connect_kept(owners, self.preferences, self.tell)
        connect_names(owners)
        connect_settings(self.settings, self.keys, self.preferences, owners, self._decode_by, self.tell)
        self.bridge.changed.connect(self._show_snapshot)
        self.full_screen.changed.connect(self._place_edge)
        # A name that is shown or hidden, a page that was not in front: they are not told all that happens.
        for stale in (self.side_windows.stale, self.opens.chosen, self._pages.moved):
            stale.connect(lambda *_: self.bridge.ring())
        for changed in (self.review.came, self.live.changed, self._pages.moved):
            changed.connect(self._enable)
        self.notices.told.connect(self._told)
        self.over.leave_asked.connect(self.close)
        self.operator.canvas.on_painted = self._painted

    def _lay_out(self) -> None:
        self._pages.currentChanged.connect(self._place_edge)
        self.setCentralWidget(beside_strip(self.strip, self._pages, self._edge))
