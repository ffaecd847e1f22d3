"""The row under the picture in review: play, step, where we are, and by which model and preset."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.player.status_row import Elided
from app.player.transport import Position, keep_width
from app.widgets import theme
from app.widgets.action import Action
from app.widgets.controls import label
from engine.types import Snapshot

ROW_PX = 44
SPEED_FROM_PX, LENGTH_FROM_PX, PTS_FROM_PX = 540, 640, 740
BUTTONS = ("finding-previous", "step-back", "play-pause", "step-on", "finding-next")


class TransportRow(QWidget):
    """Shows a recording's position; the time line is below."""

    def __init__(self, actions: Mapping[str, Action], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(ROW_PX)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("surface", "black")
        self._at = Position(actions, BUTTONS)
        self._pts, self._by = label(tone="secondary"), Elided()
        self._pts.setToolTip("Time stamp of the frame in the file")
        keep_width(self._pts, "pts 0000.000")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.S, 0, theme.L, 0)
        row.setSpacing(theme.XS)
        for button in self._at.buttons.values():
            row.addWidget(button)
        row.addSpacing(theme.M)
        for text in (self._at.time, self._at.length, self._at.frame, self._pts, self._at.speed):
            row.addWidget(text)
            row.addSpacing(theme.XS)
        row.addWidget(self._by, 1)
        self._by.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is no room for all, what is said elsewhere goes first."""
        super().resizeEvent(event)
        at = self._at
        for text, from_px in (
            (at.speed, SPEED_FROM_PX),
            (at.length, LENGTH_FROM_PX),
            (self._pts, PTS_FROM_PX),
        ):
            text.setVisible(self.width() >= from_px)

    @property
    def frame_text(self) -> str:
        return self._at.frame.text()

    @property
    def speed_text(self) -> str:
        return self._at.speed.text()

    @property
    def origin_s(self) -> float:
        """Media time of the first frame."""
        return self._at.origin.at_s

    def show_by(self, text: str) -> None:
        """Which model, at which preset."""
        self._by.set_text(text)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        self._at.show(snapshot)
        shown = snapshot.presentation
        there = shown is not None and snapshot.info is not None
        self._pts.setText(f"pts {shown.frame.pts_s:.3f}" if shown is not None and there else "")
