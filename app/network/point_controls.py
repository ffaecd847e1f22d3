"""Where outlines begin: the preset, what was measured of it, and the threshold as a fine adjustment."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.network import preset_figures
from app.widgets import theme
from app.widgets.controls import Choice, Fold, label
from app.widgets.slider import JumpSlider
from engine.types import OperatingPoint

STEPS = 100  # of the threshold slider


class PointControls(QWidget):
    """`chosen` tells the operating point that a person wants; `show_point` shows the one in force."""

    chosen = Signal(object)  # OperatingPoint

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presets: Mapping[str, OperatingPoint] = {}
        self._measured: Mapping[str, preset_figures.Measured] = {}
        self._worst: Mapping[str, preset_figures.Worst] = {}
        self._point = OperatingPoint(0.5, 0.0)
        self.preset = Choice("Preset")
        self._meaning = label(role=theme.CAPTION, tone="secondary")
        self._meaning.setWordWrap(True)
        self.threshold = JumpSlider("Threshold")
        self.threshold.setRange(1, STEPS - 1)
        self.threshold.setPageStep(STEPS // 20)
        self._threshold_text = label(role=theme.STRONG)
        self.advanced_fold = Fold("Advanced", self._threshold_content())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addWidget(label("Preset", role=theme.CAPTION, tone="secondary"))
        column.addWidget(self.preset)
        column.addWidget(self._meaning)
        column.addWidget(self.advanced_fold)
        self.preset.chosen.connect(self._choose_preset)
        self.threshold.scrubbed.connect(self._move_threshold)

    @property
    def meaning(self) -> str:
        """What was measured of the preset."""
        return self._meaning.text()

    def set_presets(
        self,
        presets: Mapping[str, OperatingPoint],
        measured: Mapping[str, preset_figures.Measured],
        worst: Mapping[str, preset_figures.Worst] | None = None,
    ) -> None:
        """Those of the model in use, and what was measured of each, and where each does worst if known."""
        self._presets, self._measured, self._worst = presets, measured, worst or {}
        self.preset.fill([(name.capitalize(), name) for name in presets])
        self.preset.annotate({name: preset_figures.note(found) for name, found in measured.items()})
        self._show(self._point)

    def preset_point(self, name: str) -> OperatingPoint | None:
        """The operating point of that name, of the model in use."""
        return self._presets.get(name)

    def show_point(self, point: OperatingPoint) -> None:
        """The one in force."""
        if point != self._point:
            self._show(point)

    def nudge_threshold(self, steps: int) -> float:
        """Move the threshold by hundredths, and tell where it is now."""
        value = min(max(self.threshold.value() + steps, self.threshold.minimum()), self.threshold.maximum())
        self.threshold.setValue(value)
        self._move_threshold(value)
        return value / STEPS

    # Inside

    def _show(self, point: OperatingPoint) -> None:
        self._point = point
        self._threshold_text.setText(f"{point.threshold:.2f}")
        if not self.threshold.isSliderDown():
            self.threshold.setValue(round(point.threshold * STEPS))
        own = self._presets.get(point.preset)
        moved = own is not None and own.threshold != point.threshold
        self.preset.select(point.preset)
        measured = self._measured.get(point.preset, {})
        self._meaning.setText(
            preset_figures.detail(
                measured, own.threshold if own is not None and moved else None, self._worst.get(point.preset)
            )
            if self._presets
            else ""
        )
        self.advanced_fold.set_title("Advanced: threshold moved" if moved else "Advanced")

    def _choose_preset(self, name: str) -> None:
        point = self._presets.get(name)
        if point is not None:
            self._choose(point)

    def _move_threshold(self, value: int) -> None:
        self._choose(self._point.moved(value / STEPS))

    def _choose(self, point: OperatingPoint) -> None:
        self._show(point)
        self.chosen.emit(point)

    def _threshold_content(self) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)
        heading = QHBoxLayout()
        heading.addWidget(label("Threshold", role=theme.CAPTION, tone="secondary"))
        heading.addStretch(1)
        heading.addWidget(self._threshold_text)
        column.addLayout(heading)
        column.addWidget(self.threshold)
        hint = label("How far outlines reach. What is shown at all is the preset's.", role=theme.CAPTION)
        hint.setProperty("tone", "secondary")
        hint.setWordWrap(True)
        column.addWidget(hint)
        return content
