"""What else decides which findings there are: area, peak, and for how long they must be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.widgets import theme
from app.widgets.controls import Fold, label
from app.widgets.slider import JumpSlider
from engine.types import OperatingPoint


@dataclass(frozen=True, slots=True)
class Slider:
    """A field of OperatingPoint: `steps` of `step` from 0, and how a value is said."""

    name: str
    field: str
    step: float
    steps: int
    said: Callable[[float], str]
    tip: str


SLIDERS = (
    Slider(
        "Smallest area",
        "min_area_frac",
        0.0005,
        100,
        lambda v: f"{v * 100:.2f} %",
        "Share of the frame",
    ),
    Slider("Peak", "hit_peak", 0.01, 99, lambda v: f"{v:.2f}", "Highest probability that a hit must reach"),
    Slider("Seen for", "hit_s", 0.02, 100, lambda v: f"{v:.2f} s", "Seconds of hits that confirm a finding"),
    Slider("Within", "window_s", 0.02, 150, lambda v: f"{v:.2f} s", "The time in which these hits must come"),
)


class PointSliders(QWidget):
    """`chosen` tells the operating point that a person wants; `show_point` shows the one in force."""

    chosen = Signal(object)  # OperatingPoint

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._point: OperatingPoint | None = None
        self._texts = {one.field: label(role=theme.CAPTION) for one in SLIDERS}
        self.sliders = {one.field: _slider(one) for one in SLIDERS}
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.S)
        grid.setVerticalSpacing(0)
        for line, one in enumerate(SLIDERS):
            name = label(one.name, role=theme.CAPTION, tone="secondary")
            name.setToolTip(one.tip)
            grid.addWidget(name, line, 0)
            grid.addWidget(self.sliders[one.field], line, 1)
            grid.addWidget(self._texts[one.field], line, 2)
            self.sliders[one.field].scrubbed.connect(lambda value, one=one: self._move(one, value))
        content = QWidget()
        content.setLayout(grid)
        self.fold = Fold("Area, peak and times", content)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.fold)

    def show_point(self, point: OperatingPoint) -> None:
        self._point = point
        for one in SLIDERS:
            value: float = getattr(point, one.field)
            self._texts[one.field].setText(one.said(value))
            slider = self.sliders[one.field]
            if not slider.isSliderDown():
                slider.setValue(round(value / one.step))

    def _move(self, one: Slider, value: int) -> None:
        if self._point is None:
            return
        point = _with(self._point, one.field, value * one.step)
        if point.window_s < point.hit_s:  # hits cannot fill more than their window
            other = "window_s" if one.field == "hit_s" else "hit_s"
            point = _with(point, other, value * one.step)
        self.show_point(point)
        self.chosen.emit(point)


def _with(point: OperatingPoint, name: str, value: float) -> OperatingPoint:
    changes: dict[str, Any] = {name: value}
    return replace(point, **changes)


def _slider(one: Slider) -> JumpSlider:
    slider = JumpSlider(one.name)
    slider.setRange(1, one.steps)
    slider.setToolTip(one.tip)
    return slider
