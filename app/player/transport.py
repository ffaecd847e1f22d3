"""The row under a recording: scrub to any frame, step, play, speed, and where we are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.player.playback import Origin, is_running
from app.widgets import theme, words
from app.widgets.controls import flat_button, follow_tip, label
from app.widgets.icons import icon
from app.widgets.slider import JumpSlider
from engine.types import Snapshot

PAGE_MS = 10_000


class Transport(QWidget):
    """Shows a recording's position. `seek_asked` carries media time as in the file (`pts_s`)."""

    seek_asked = Signal(float)
    wheel_turned = Signal(int)  # +1 on, -1 back

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(theme.TRANSPORT_PX)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("surface", "black")
        self._origin = Origin()
        self.play = flat_button(actions["play-pause"])
        self._slider = JumpSlider("Position in the recording")
        self._slider.setSingleStep(1000)
        self._slider.setPageStep(PAGE_MS)
        self._slider.scrubbed.connect(lambda ms: self.seek_asked.emit(self._origin.at_s + ms / 1000))
        self._time = label(role=theme.STRONG)
        self._length = label(tone="secondary")
        self._frame = label(tone="secondary")
        self._frame.setToolTip("Rank of the frame in the recording, counted from 0")
        self._speed = label(tone="secondary")
        follow_tip(self._speed, actions["stop"], lambda tip: f"Speed. {tip}")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.S, 0, theme.L, 0)
        row.setSpacing(theme.XS)
        for button in (
            flat_button(actions["first"]),
            flat_button(actions["step-back"]),
            self.play,
            flat_button(actions["step-on"]),
            flat_button(actions["last"]),
        ):
            row.addWidget(button)
        row.addSpacing(theme.S)
        row.addWidget(self._slider, 1)
        row.addSpacing(theme.M)
        row.addWidget(self._time)
        row.addWidget(self._length)
        for text, widest in (
            (self._time, "0:00:00.000"),
            (self._frame, "frame 000000 / 000000"),
            (self._speed, "−0.25x"),
        ):
            keep_width(text, widest)
        row.addSpacing(theme.M)
        row.addWidget(self._frame)
        row.addWidget(self._speed)
        row.addSpacing(theme.S)
        row.addWidget(flat_button(actions["review"]))
        self._speed.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A second a notch, the same way as the picture's zoom: up is on."""
        self.wheel_turned.emit(1 if event.angleDelta().y() > 0 else -1)

    @property
    def first_focus(self) -> QWidget:
        return self._slider

    @property
    def slider(self) -> JumpSlider:
        return self._slider

    @property
    def frame_text(self) -> str:
        return self._frame.text()

    @property
    def time_text(self) -> str:
        return self._time.text()

    @property
    def speed_text(self) -> str:
        return self._speed.text()

    @property
    def origin_s(self) -> float:
        """Media time of the first frame."""
        return self._origin.at_s

    def show_marks(self, at_s: Sequence[float]) -> None:
        """Points at these media times, as in the file: what a person has marked."""
        self._slider.set_points(tuple(round((mark_s - self.origin_s) * 1000) for mark_s in at_s))

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Move the handle and the figures; never against a hand that holds the handle."""
        origin_s = self._origin.update(snapshot)
        running = is_running(snapshot)
        self.play.setIcon(icon("pause" if running else "play"))
        self.play.setAccessibleName("Pause" if running else "Play")
        self._speed.setText(words.speed(snapshot.speed))
        ends_s = () if snapshot.loop is None else (snapshot.loop.start_s, snapshot.loop.end_s)
        marked = tuple(round((at_s - origin_s) * 1000) for at_s in ends_s)
        self._slider.set_marked((marked[0], marked[1]) if marked else None)
        info, shown = snapshot.info, snapshot.presentation
        if info is None or shown is None:
            self._time.setText("")
            self._length.setText("")
            self._frame.setText("")
            return
        at_s = shown.frame.pts_s - origin_s
        length_s = info.duration_s or 0.0
        self._time.setText(words.clock(at_s))
        self._length.setText(f"/ {words.clock(length_s)}" if length_s else "")
        total = f" / {info.frames}" if info.frames else ""
        self._frame.setText(f"frame {shown.frame.index}{total}")
        self._slider.setEnabled(bool(length_s))
        self._slider.setMaximum(max(1, round(length_s * 1000)))
        if not self._slider.isSliderDown():
            self._slider.setValue(round(at_s * 1000))


def keep_width(target: QLabel, widest: str) -> None:
    """Nothing beside it moves when its figures change."""
    target.ensurePolished()
    target.setMinimumWidth(target.fontMetrics().horizontalAdvance(widest) + theme.XS)
