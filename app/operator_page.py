"""The page with the picture: status row, message row, picture between its strips, transport, side panel."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app import theme, words
from app.banner import HatchStrip, NoticeRow
from app.canvas import Canvas, Look
from app.control_panel import ControlPanel
from app.playback import is_frozen, is_recording
from app.status_row import StatusRow
from app.transport import Transport
from engine.types import Snapshot, SourceState

# Word and picture change at once; figures that nobody can read faster change at most this often.
FIGURES_EVERY_MS = 200

HELD_BACK = ("Marks are held back while the key is down", "attention")

LOOKS = {
    SourceState.NO_SIGNAL: Look.CROSSED,
    SourceState.FAILED: Look.DIMMED,
    SourceState.ENDED: Look.DIMMED,
}


class OperatorPage(QWidget):
    """Shows snapshots; what people do comes out of the parts' own signals."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.status = StatusRow(actions)
        self.notice = NoticeRow()
        self.hatches = (HatchStrip(), HatchStrip())
        self.canvas = Canvas()
        self.transport = Transport(actions)
        self.panel = ControlPanel(actions)
        self._snapshot: Snapshot | None = None
        self._faded = False
        self._masked = False  # whether any picture since the last figures had a mask
        self._figures = QTimer(self)
        self._figures.setSingleShot(True)
        self._figures.setInterval(FIGURES_EVERY_MS)
        self._figures.timeout.connect(self._show_figures)
        self._lay_out()

    def show_snapshot(self, snapshot: Snapshot, title: str) -> None:
        """Show the newest state; `title` names the source before it says its own name."""
        before = self._snapshot
        self._snapshot = snapshot
        info = snapshot.info
        self.status.word.set_word(snapshot.word)
        self.canvas.set_look(LOOKS.get(snapshot.source_state, Look.PLAIN))
        self.canvas.set_message(_message(snapshot, title))
        self.canvas.show_presentation(snapshot.presentation, info.pixel_aspect if info else 1.0)
        if snapshot.presentation is not None and snapshot.presentation.result is not None:
            self._masked = True
            if self.hatches[0].tone:
                self._show_unmarked(snapshot)
        news = (
            before is None
            or before.source_state is not snapshot.source_state
            or before.ai_state is not snapshot.ai_state
            or before.info != info
            or before.speed != snapshot.speed
        )
        if news or snapshot.source_state is SourceState.PAUSED:
            self._show_figures()
        elif not self._figures.isActive():
            self._figures.start()

    def forget(self) -> None:
        """The source is closed: nothing of it is to be seen when the page comes back."""
        self._figures.stop()
        self._snapshot = None
        self.canvas.show_presentation(None)
        self.canvas.fit()

    def hold_raw(self, raw: bool) -> None:
        """Hold the marks back while a key or button is down; the strips say so."""
        if raw != self.canvas.raw:
            self.canvas.set_raw(raw)
            self._show_figures()

    def fade(self, faded: bool) -> None:
        """Leave the picture, the word and the edge; the picture keeps its size."""
        if faded != self._faded:
            self._faded = faded
            self.status.fade(faded)
            self._place_transport()

    def focus_areas(self) -> list[QWidget]:
        """One control of each group, in the order of F6."""
        areas: list[QWidget] = [self.canvas, self.status.first_focus]
        if self.panel.isVisible():
            areas.append(self.panel.first_focus)
        if self.transport.isVisible():
            areas.append(self.transport.first_focus)
        return areas

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.status.set_word_px(theme.word_px(self.window().height()))

    def _show_figures(self) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            return
        self.status.show_snapshot(snapshot)
        self.panel.show_snapshot(snapshot)
        self._place_transport()
        if is_recording(snapshot):
            self.transport.show_snapshot(snapshot)
        self._show_unmarked(snapshot)
        self._masked = False

    def _show_unmarked(self, snapshot: Snapshot) -> None:
        """Say why nothing is marked.

        While it plays, a mask that is too late for one picture changes the word, at once; the strips do not
        flicker for it: they are for masks that stay away.
        """
        unmarked = HELD_BACK if self.canvas.raw else words.unmarked(snapshot)
        if unmarked is words.LATE and self._masked and snapshot.source_state is SourceState.RUNNING:
            unmarked = None
        hint = words.joined((words.FROZEN if is_frozen(snapshot) else None, unmarked))
        self.notice.show_hint(hint)
        for hatch in self.hatches:
            hatch.set_tone(hint[1] if hint else "")

    def _place_transport(self) -> None:
        recording = self._snapshot is not None and is_recording(self._snapshot)
        policy = self.transport.sizePolicy()
        if policy.retainSizeWhenHidden() != recording:
            policy.setRetainSizeWhenHidden(recording)
            self.transport.setSizePolicy(policy)
        self.transport.setVisible(recording and not self._faded)

    def _lay_out(self) -> None:
        middle = QVBoxLayout()
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(0)
        middle.addWidget(self.notice)
        middle.addWidget(self.hatches[0])
        middle.addWidget(self.canvas, 1)
        middle.addWidget(self.hatches[1])
        beside = QHBoxLayout()
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(0)
        beside.addLayout(middle, 1)
        beside.addWidget(self.panel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.status)
        column.addLayout(beside, 1)
        column.addWidget(self.transport)
        self.setProperty("surface", "black")
        self.transport.hide()


def _message(snapshot: Snapshot, title: str) -> str:
    """Words in place of the picture, while there is none."""
    return {
        SourceState.IDLE: "Nothing is open. Drop a video here, or press Ctrl+O.",
        SourceState.OPENING: f"Opening {title}…",
        SourceState.NO_SIGNAL: f"Waiting for a picture from {title}",
        SourceState.FAILED: "No picture. The message above says why.",
    }.get(snapshot.source_state, "")
