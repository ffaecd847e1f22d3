"""The row under a recording: scrub to any frame, step, play, speed, and where we are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from app.player.playback import Origin, is_running
from app.widgets import theme, words
from app.widgets.controls import flat_button, follow_tip, label
from app.widgets.icons import icon
from app.widgets.slider import JumpSlider
from engine.types import Pacing, Snapshot

PAGE_MS = 10_000
BUTTONS = ("first", "step-back", "play-pause", "step-on", "last")


class Position:
    """What every row under a recording has: its buttons, and the figures of where we are and how fast."""

    def __init__(self, actions: Mapping[str, QAction], buttons: Sequence[str]) -> None:
        self.origin = Origin()
        self.buttons = {id_: flat_button(actions[id_]) for id_ in buttons}
        self.play = self.buttons["play-pause"]
        self.time = label(role=theme.STRONG)
        self.length, self.frame, self.speed = (label(tone="secondary") for _ in range(3))
        self.frame.setToolTip("Rank of the frame in the recording, counted from 0")
        follow_tip(self.speed, actions["stop"], lambda tip: f"Speed. {tip}")
        for text, widest in (
            (self.time, "0:00:00.000"),
            (self.length, "/ 0:00:00.000"),
            (self.frame, "frame 000000 / 000000"),
            (self.speed, "−0.25x"),
        ):
            keep_width(text, widest)

    def show(self, snapshot: Snapshot) -> float | None:
        """Seconds since the recording's beginning; None where there is no picture of one."""
        origin_s = self.origin.update(snapshot)
        running = is_running(snapshot)
        self.play.setIcon(icon("pause" if running else "play"))
        self.play.setAccessibleName("Pause" if running else "Play")
        every = snapshot.pacing is Pacing.EVERY
        self.speed.setText("every" if every else words.speed(snapshot.speed))
        info, shown = snapshot.info, snapshot.presentation
        if info is None or shown is None:
            for text in (self.time, self.length, self.frame):
                text.setText("")
            return None
        at_s = shown.frame.pts_s - origin_s
        self.time.setText(words.clock(at_s))
        self.length.setText(f"/ {words.clock(info.duration_s)}" if info.duration_s else "")
        total = f" / {info.frames}" if info.frames else ""
        self.frame.setText(f"frame {shown.frame.index}{total}")
        return at_s


class Transport(QWidget):
    """Shows a recording's position. `seek_asked` carries media time as in the file (`pts_s`)."""

    seek_asked = Signal(float)
    wheel_turned = Signal(int)  # +1 on, -1 back

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(theme.TRANSPORT_PX)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("surface", "black")
        self._at = Position(actions, BUTTONS)
        self._slider = JumpSlider("Position in the recording")
        self._slider.setSingleStep(1000)
        self._slider.setPageStep(PAGE_MS)
        self._slider.scrubbed.connect(lambda ms: self.seek_asked.emit(self._at.origin.at_s + ms / 1000))
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.S, 0, theme.L, 0)
        row.setSpacing(theme.XS)
        for button in self._at.buttons.values():
            row.addWidget(button)
        row.addSpacing(theme.S)
        row.addWidget(self._slider, 1)
        row.addSpacing(theme.M)
        row.addWidget(self._at.time)
        row.addWidget(self._at.length)
        row.addSpacing(theme.M)
        row.addWidget(self._at.frame)
        row.addWidget(self._at.speed)
        row.addSpacing(theme.S)
        row.addWidget(flat_button(actions["review"]))
        self._at.speed.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A second a notch, the same way as the picture's zoom: up is on."""
        self.wheel_turned.emit(1 if event.angleDelta().y() > 0 else -1)

    @property
    def play(self) -> QToolButton:
        return self._at.play

    @property
    def first_focus(self) -> QWidget:
        return self._slider

    @property
    def slider(self) -> JumpSlider:
        return self._slider

    @property
    def frame_text(self) -> str:
        return self._at.frame.text()

    @property
    def time_text(self) -> str:
        return self._at.time.text()

    @property
    def speed_text(self) -> str:
        return self._at.speed.text()

    @property
    def origin_s(self) -> float:
        """Media time of the first frame."""
        return self._at.origin.at_s

    def show_marks(self, at_s: Sequence[float]) -> None:
        """Points at these media times, as in the file: what a person has marked."""
        self._slider.set_points(tuple(round((mark_s - self.origin_s) * 1000) for mark_s in at_s))

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Move the handle and the figures; never against a hand that holds the handle."""
        at_s = self._at.show(snapshot)
        ends_s = () if snapshot.loop is None else (snapshot.loop.start_s, snapshot.loop.end_s)
        marked = tuple(round((end_s - self.origin_s) * 1000) for end_s in ends_s)
        self._slider.set_marked((marked[0], marked[1]) if marked else None)
        if at_s is None or snapshot.info is None:
            return
        length_s = snapshot.info.duration_s or 0.0
        self._slider.setEnabled(bool(length_s))
        self._slider.setMaximum(max(1, round(length_s * 1000)))
        if not self._slider.isSliderDown():
            self._slider.setValue(round(at_s * 1000))


def keep_width(target: QLabel, widest: str) -> None:
    """Nothing beside it moves when its figures change."""
    target.ensurePolished()
    target.setMinimumWidth(target.fontMetrics().horizontalAdvance(widest) + theme.XS)
