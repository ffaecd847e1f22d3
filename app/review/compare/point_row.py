"""Preset and threshold of one of the two, in a row."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.widgets import theme
from app.widgets.controls import Choice, label
from app.widgets.slider import JumpSlider
from engine.types import OperatingPoint

STEPS = 100
PRESET_PX = 112


class PointRow(QWidget):
    """`chosen` tells the operating point that a person wants; `show_point` shows the one in force."""

    chosen = Signal(object)  # OperatingPoint

    def __init__(self, whose: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: Mapping[str, OperatingPoint] = {}
        self._point: OperatingPoint | None = None
        self.preset = Choice(f"Preset of {whose}")
        self.preset.setFixedWidth(PRESET_PX)
        self.threshold = JumpSlider(f"Threshold of {whose}")
        self.threshold.setRange(1, STEPS - 1)
        self.threshold.setToolTip("Threshold: how far outlines reach")
        self._text = label(role=theme.STRONG)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.S)
        row.addWidget(self.preset)
        row.addWidget(self.threshold, 1)
        row.addWidget(self._text)
        self.preset.chosen.connect(self._choose)
        self.threshold.scrubbed.connect(self._move)

    def show_point(self, points: Mapping[str, OperatingPoint], point: OperatingPoint) -> None:
        if points != self._points:
            self._points = points
            self.preset.fill([(name.capitalize(), name) for name in points])
            self.preset.setVisible(bool(points))
        self._point = point
        self.preset.select(point.preset)
        self._text.setText(f"{point.threshold:.2f}")
        if not self.threshold.isSliderDown():
            self.threshold.setValue(round(point.threshold * STEPS))

    def _choose(self, name: str) -> None:
        self.chosen.emit(self._points[name])

    def _move(self, value: int) -> None:
        if self._point is not None:
            self.chosen.emit(self._point.moved(value / STEPS))
