"""Preset and threshold in a row: what findings are made with is never far from the list of them."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.network import preset_figures
from app.widgets import theme
from app.widgets.controls import Choice, label
from app.widgets.slider import JumpSlider
from engine.types import OperatingPoint

STEPS = 100
PRESET_PX = 112


class PointRow(QWidget):
    """`chosen` tells the operating point that a person wants; `show_point` shows the one in force.

    `of`: whose it is, where there are two.
    """

    chosen = Signal(object)  # OperatingPoint

    def __init__(self, of: str = "", *, captions: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: Mapping[str, OperatingPoint] = {}
        self._measured: Mapping[str, preset_figures.Measured] = {}
        self._point: OperatingPoint | None = None
        self.preset = Choice(f"Preset{of}")
        self.preset.setFixedWidth(PRESET_PX)
        self.threshold = JumpSlider(f"Threshold{of}")
        self.threshold.setRange(1, STEPS - 1)
        self.threshold.setToolTip("Threshold: how far outlines reach. What is shown at all is the preset's.")
        self._text = label(role=theme.STRONG)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.S)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        for column, widget in enumerate((self.preset, self.threshold, self._text)):
            grid.addWidget(widget, 1, column)
        for column, text in enumerate(("Preset", "Threshold") if captions else ()):
            grid.addWidget(label(text, role=theme.CAPTION, tone="secondary"), 0, column)
        self.setEnabled(False)  # until there is something to move
        self.preset.chosen.connect(self._choose)
        self.threshold.scrubbed.connect(self._move)

    def set_presets(
        self,
        points: Mapping[str, OperatingPoint],
        measured: Mapping[str, preset_figures.Measured] | None = None,
    ) -> None:
        """Those of the model, and what was measured of each."""
        measured = measured or {}
        if (points, measured) == (self._points, self._measured):
            return
        self._points, self._measured = points, measured
        self.preset.fill([(name.capitalize(), name) for name in points])
        self.preset.annotate({name: preset_figures.note(found) for name, found in measured.items()})
        self.preset.setVisible(bool(points))

    def show_point(self, point: OperatingPoint) -> None:
        """The one in force."""
        self._point = point
        self.setEnabled(True)
        self.preset.select(point.preset)
        self._text.setText(f"{point.threshold:.2f}")
        if not self.threshold.isSliderDown():
            self.threshold.setValue(round(point.threshold * STEPS))
        own, measured = self._points.get(point.preset), self._measured.get(point.preset, {})
        moved = own.threshold if own is not None and own.threshold != point.threshold else None
        self.preset.setToolTip(preset_figures.detail(measured, moved))

    def nudge_threshold(self, steps: int) -> float:
        """Move the threshold by hundredths, and tell where it is now."""
        value = min(max(self.threshold.value() + steps, self.threshold.minimum()), self.threshold.maximum())
        self._move(value)
        return value / STEPS

    def _choose(self, name: str) -> None:
        self.chosen.emit(self._points[name])

    def _move(self, value: int) -> None:
        if self._point is not None:
            point = self._point.moved(value / STEPS)
            self.show_point(point)
            self.chosen.emit(point)
