"""The main window: its pages, what is dropped on it or picked, its keys, and how it ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.actions import ACTIONS, Needs, disabled_by, enable, make_actions
from app.bridge import Bridge
from app.launch import Launch
from app.network.commands import AiControls
from app.player.full_screen import FullScreen
from app.player.over_picture import OverPicture
from app.player.page import OperatorPage
from app.player.playback import is_recording
from app.player.transport_commands import Commands
from app.preferences import Preferences
from app.side_windows import SideWindows, ask_for_folder
from app.start.open_commands import OpenCommands
from app.start.opening import Opening
from app.start.recent import RecentItems
from app.start.start_page import StartPage
from app.widgets import focus as keys
from app.widgets import theme, words
from app.widgets.controls import label
from app.widgets.icons import icon
from app.widgets.notice_row import NoticeRow, newest
from app.widgets.notices import Notices
from engine.faults import Fault
from engine.types import Presentation, Snapshot

if TYPE_CHECKING:
    from engine.live.pipeline import Pipeline  # cv2 and pydantic: not before the window is up

log = logging.getLogger(__name__)

# What answers the key of an action that makes no sense now.
NOT_NOW = {
    Needs.SOURCE: "Nothing is open",
    Needs.RECORDING: "Only for recordings",
    Needs.NOTICE: "No message",
}


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
        self._notices = Notices()
        self.painted_at_s: float | None = None  # when it was first up, `time.monotonic()`
        self._recent = recent
        self._panel_wanted = launch.side_panel
        self.preferences = Preferences(launch.keeps, self)
        self._available: set[Needs] | None = None

        self.commands = Commands(lambda: self.operator.transport.origin_s)
        self.opening = Opening(recent, self)
        self.full_screen = FullScreen(self)
        self.side_windows = SideWindows(self)
        # The panel's buttons need the actions, the AI's handlers need the panel: names are resolved late.
        self.actions_by_id = make_actions(self, self.handler, lambda text: self.over.say(text))
        self.addActions(list(self.actions_by_id.values()))
        self.start = StartPage(self.actions_by_id)
        self.operator = OperatorPage(self.actions_by_id)
        self.over = OverPicture(self.operator, self.actions_by_id, self.commands, self)
        self.opens = OpenCommands(self, self.opening, recent, self.start, self._to_start, launch.names)
        self.ai = AiControls(self.operator.panel, self.operator.canvas, launch, self)
        self._edge = label(tone="secondary", role=theme.CAPTION)
        self._lay_out()
        self._connect()
        self._refresh_notice()
        self._enable()
        self.opens.show_recent()
        self.opens.show_title()
        self.start.first_focus.setFocus()
        self.operator.show_panel(launch.side_panel)
        for fault in (recent.complaint, *launch.faults):
            if fault is not None:
                self.tell(fault)

    def attach(self, pipeline: Pipeline) -> None:
        """Everything is there: open what waits, load the model."""
        self._pipeline = pipeline
        self.bridge.connect_to(pipeline)
        for part in (self.commands, self.ai, self.opening):  # a recording waits for the AI that is coming
            part.connect_to(pipeline)
        self.bridge.ring()

    def handler(self, name: str) -> Callable[..., None]:
        """The method that an entry of app.actions names. Raises StopIteration when there is none."""
        owners = (self, self.opens, self.commands, self.ai, self.over)
        found: Callable[..., None] = next(getattr(one, name) for one in owners if hasattr(one, name))
        return found

    @property
    def page(self) -> QWidget | None:
        """The page that is shown: `start` or `operator`."""
        return self._pages.currentWidget()

    def tell(self, fault: Fault) -> None:
        """Show a fault that the window noticed itself."""
        self._notices.add(fault)
        self._refresh_notice()
        self._enable()

    # Handlers of app.actions

    def hold_raw(self, raw: bool) -> None:
        self.operator.hold_raw(raw)

    def choose_model(self) -> None:
        self._show_panel(True)
        self.operator.panel.model.showPopup()

    def choose_runtime(self) -> None:
        self._show_panel(True)
        self.operator.panel.runtime.showPopup()

    def toggle_full_screen(self) -> None:
        self.full_screen.toggle()

    def leave(self) -> None:
        """Esc: first what lies over the picture, then full screen."""
        if self.over.escape():
            self.operator.canvas.setFocus()
            return
        self.full_screen.leave()
        if self.page is self.operator:
            self.operator.canvas.setFocus()

    def toggle_panel(self) -> None:
        shown = not self.operator.panel.isVisible()
        self._show_panel(shown)
        if not self.full_screen.is_on:
            self.preferences.keep({"screen.side_panel": shown})

    def next_area(self) -> None:
        """The next group of controls after the one that has the focus."""
        self.full_screen.wake()
        areas = self.operator.focus_areas() if self.page is self.operator else [self.start.first_focus]
        keys.next_of(areas, self.focusWidget()).setFocus(Qt.FocusReason.TabFocusReason)

    def fit(self) -> str:
        self.operator.canvas.fit()
        return "Whole picture"

    def show_latency(self) -> None:
        self.side_windows.show_latency()

    def show_faults(self) -> None:
        self._show_panel(True)
        self.operator.panel.open_faults()

    def close_notice(self) -> None:
        self._notice_row.dismiss()

    def answer_notice(self) -> None:
        self._notice_row.answer()

    def show_sheet(self) -> None:
        self.side_windows.show_sheet()

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.painted_at_s = self.painted_at_s or time.monotonic()

    def event(self, event: QEvent) -> bool:
        if (
            event.type() is QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and keys.belongs_to_control(event.key(), self.focusWidget(), self.operator.canvas)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in keys.ENTER and keys.press(self.focusWidget()):
            return
        idle = disabled_by(QKeySequence(event.keyCombination()), self.actions_by_id)
        if idle is not None:
            self.over.say(NOT_NOW[idle.needs])
        super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        held = (entry for entry in ACTIONS if entry.hold)
        sequence = QKeySequence(event.key())
        if not event.isAutoRepeat() and any(sequence == QKeySequence(e.keys[0]) for e in held):
            self.hold_raw(False)
        super().keyReleaseEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        # The key comes up in another window: nobody would tell us.
        if event.type() is QEvent.Type.ActivationChange and not self.isActiveWindow():
            self.hold_raw(False)
        super().changeEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        # Everything is taken, so that a wrong drop can be told what would be right.
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.opens.open_drop(event.mimeData())

    def closeEvent(self, event: QCloseEvent) -> None:
        # By the window's own button; a signal, or the end of a timed run, is not asked.
        if event.spontaneous() and self.over.asks_to_stay():
            event.ignore()
            return
        self.over.withdraw()
        self.closing.emit()
        self.full_screen.stop()
        self.opening.close()
        self.bridge.connect_to(None)
        for part in (self.commands, self.opening, self.ai):
            part.connect_to(None)
        self.opens.close()
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
        self.commands.take(snapshot)
        self.ai.take(snapshot)
        self.opening.take(snapshot)
        self.operator.show_snapshot(snapshot, self.opening.title)
        if self.page is self.start:
            self.start.show_readiness(snapshot)
        self._refresh_notice()
        self._enable()
        self.side_windows.show_snapshot(snapshot)

    def _painted(self, presentation: Presentation, start_s: float, end_s: float) -> None:
        if self._pipeline is not None:
            self._pipeline.painted(presentation, start_s, end_s)
        self.opening.painted(presentation)

    @property
    def _notice_row(self) -> NoticeRow:
        return self.start.notice if self.page is self.start else self.operator.notice

    def _refresh_notice(self) -> None:
        faults = self._snapshot.faults if self._snapshot is not None else ()
        told = self._notices.with_those_of(faults)
        self.operator.panel.show_faults(told)
        notice = newest(told)
        for page in (self.start, self.operator):
            page.notice.show_notice(notice)

    def _enable(self) -> None:
        available: set[Needs] = set()
        if self.opening.spec is not None:
            available.add(Needs.SOURCE)
        if self._snapshot is not None and self.opening.spec is not None and is_recording(self._snapshot):
            available.add(Needs.RECORDING)
        if self._notice_row.notice is not None:
            available.add(Needs.NOTICE)
        if available != self._available:
            self._available = available
            enable(self.actions_by_id, available)

    def _begin(self) -> None:
        self._notices.clear("drop")
        self.operator.forget()
        self.opens.show_title()
        self._pages.setCurrentWidget(self.operator)
        self.operator.canvas.setFocus()
        self._enable()

    def _resume(self) -> None:
        """Go on where this recording was left; one key goes to its beginning."""
        if (pts_s := self.opening.resume_s) is not None:
            self.commands.seek(pts_s)
            at = words.short_clock(pts_s - self.operator.transport.origin_s)
            self.over.say(f"Resumed at {at}, Home = beginning")

    def _to_start(self) -> None:
        if self.opening.spec is not None:
            self.opening.close()
        self._pages.setCurrentWidget(self.start)

    def _closed(self) -> None:
        self.over.withdraw()
        self.operator.forget()
        self.full_screen.leave()
        self.opens.show_recent()
        self.opens.show_title()
        self.start.show_readiness(self._snapshot)
        self._pages.setCurrentWidget(self.start)
        self.start.focus_after_closing.setFocus()
        self._enable()

    def _answer(self, action_id: str, fault: Fault) -> None:
        if self._notices.remove(fault):
            self._refresh_notice()
        self.actions_by_id[action_id].trigger()

    def _dismiss(self, fault: Fault) -> None:
        if not self._notices.remove(fault) and self._pipeline is not None:
            self._pipeline.dismiss(fault)
        self._refresh_notice()
        self._enable()

    def _ask_model_folder(self) -> None:
        ask_for_folder(self, "Choose model folder", lambda path: self.ai.use_folder(Path(path)))

    def _show_panel(self, shown: bool) -> None:
        self._pages.setCurrentWidget(self.operator)
        self.operator.show_panel(shown)
        if not self.full_screen.is_on:
            self._panel_wanted = shown
        if not shown:
            self.operator.canvas.setFocus()

    def _full_screen_changed(self, is_on: bool) -> None:
        self.operator.fill(is_on)
        self.operator.show_panel(not is_on and self._panel_wanted)
        self._place_edge()

    def _place_edge(self) -> None:
        """In full screen the page says its words itself: the edge would make the picture smaller."""
        self._edge_row.setVisible(not (self.full_screen.is_on and self.page is self.operator))

    def _rest(self) -> None:
        """What is over the picture fades, unless the keyboard is in it."""
        in_use = self.focusWidget() not in (None, self, self.operator.canvas)
        self.operator.fade(self.full_screen.is_resting and not in_use)

    def _connect(self) -> None:
        self.bridge.changed.connect(self._show_snapshot)
        self.opening.began.connect(self._begin)
        self.opening.closed.connect(self._closed)
        self.opening.first_picture.connect(self._resume)
        self.full_screen.changed.connect(self._full_screen_changed)
        self.full_screen.rests.connect(self._rest)
        self.operator.canvas.focused.connect(self._rest)
        self.opens.faulted.connect(self.tell)
        self.ai.faulted.connect(self.tell)
        self.side_windows.faulted.connect(self.tell)
        self.side_windows.stale.connect(self.bridge.ring)
        self.ai.chosen.connect(self.preferences.keep)
        self.opens.chosen.connect(self.preferences.keep)
        self.ai.mended.connect(self._notices.clear)
        self.over.leave_asked.connect(self.close)
        page = self.operator
        page.canvas.on_painted = self._painted
        page.canvas.double_clicked.connect(self.toggle_full_screen)
        for notice in (self.start.notice, page.notice):
            notice.answered.connect(self._answer)
            notice.dismissed.connect(self._dismiss)
        page.transport.seek_asked.connect(self.commands.seek)
        page.transport.wheel_turned.connect(
            lambda way: self.actions_by_id["second-on" if way > 0 else "second-back"].trigger()
        )
        page.panel.folder_asked.connect(self._ask_model_folder)
        page.panel.latency_asked.connect(self.show_latency)
        page.panel.dismissed.connect(self._dismiss)
        page.panel.raw_held.connect(self.hold_raw)

    def _lay_out(self) -> None:
        self._pages = QStackedWidget()
        self._pages.addWidget(self.start)
        self._pages.addWidget(self.operator)
        self._pages.currentChanged.connect(lambda _: self._place_edge())
        self._edge_row = edge = QWidget()
        edge.setFixedHeight(theme.EDGE_PX)
        edge.setProperty("surface", "background")
        row = QHBoxLayout(edge)
        row.setContentsMargins(theme.L, 0, theme.L, 0)
        self._edge.setText(words.RESEARCH_ONLY)
        row.addWidget(self._edge)
        row.addStretch(1)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._pages, 1)
        column.addWidget(edge)
        self.setCentralWidget(centre)
