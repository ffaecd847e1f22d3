"""The row under the picture in review: play, step, where we are, and by which model and preset."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.player.playback import Origin, is_running
from app.player.status_row import Elided
from app.player.transport import keep_width
from app.widgets import theme, words
from app.widgets.action import Action
from app.widgets.controls import flat_button, follow_tip, label
from app.widgets.icons import icon
from engine.types import Pacing, Snapshot

ROW_PX = 44
BUTTONS = ("finding-previous", "step-back", "play-pause", "step-on", "finding-next")


class TransportRow(QWidget):
    """Shows a recording's position; the time line is below."""

    def __init__(self, actions: Mapping[str, Action], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(ROW_PX)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("surface", "black")
        self._origin = Origin()
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.S, 0, theme.L, 0)
        row.setSpacing(theme.XS)
        buttons = {id_: flat_button(actions[id_]) for id_ in BUTTONS}
        self._play = buttons["play-pause"]
        for button in buttons.values():
            row.addWidget(button)
        row.addSpacing(theme.M)
        self._time = label(role=theme.STRONG)
        self._length, self._frame, self._pts = (label(tone="secondary") for _ in range(3))
        self._speed, self._by = label(tone="secondary"), Elided()
        self._frame.setToolTip("Rank of the frame in the recording, counted from 0")
        self._pts.setToolTip("Time stamp of the frame in the file")
        follow_tip(self._speed, actions["stop"], lambda tip: f"Speed. {tip}")
        for text, widest in (
            (self._time, "0:00:00.000"),
            (self._length, "/ 0:00:00.000"),
            (self._frame, "frame 000000 / 000000"),
            (self._pts, "pts 0000.000"),
            (self._speed, "−0.25x"),
        ):
            keep_width(text, widest)
            row.addWidget(text)
            row.addSpacing(theme.XS)
        row.addWidget(self._by, 1)
        self._by.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    @property
    def frame_text(self) -> str:
        return self._frame.text()

    @property
    def speed_text(self) -> str:
        return self._speed.text()

    @property
    def origin_s(self) -> float:
        """Media time of the first frame."""
        return self._origin.at_s

    def show_by(self, text: str) -> None:
        """Which model, at which preset."""
        self._by.set_text(text)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        origin_s = self._origin.update(snapshot)
        running = is_running(snapshot)
        self._play.setIcon(icon("pause" if running else "play"))
        self._play.setAccessibleName("Pause" if running else "Play")
        every = snapshot.pacing is Pacing.EVERY
        self._speed.setText("every" if every else words.speed(snapshot.speed))
        info, shown = snapshot.info, snapshot.presentation
        if info is None or shown is None:
            for text in (self._time, self._length, self._frame, self._pts):
                text.setText("")
            return
        self._time.setText(words.clock(shown.frame.pts_s - origin_s))
        self._length.setText(f"/ {words.clock(info.duration_s)}" if info.duration_s else "")
        total = f" / {info.frames}" if info.frames else ""
        self._frame.setText(f"frame {shown.frame.index}{total}")
        self._pts.setText(f"pts {shown.frame.pts_s:.3f}")
