"""Where a frame's time goes: stage, p50, p95. In the side panel and on the latency page."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from app.widgets import theme
from app.widgets.controls import label
from engine.types import Snapshot

# What each stage measures, in the order of a frame's way.
STAGES = {
    "decode": "Decode",
    "convert": "Convert",
    "network": "Network",
    "components": "Outlines",
    "paint": "Paint",
    "due to painted": "Due to painted",
    "due to mask painted": "Due to mask painted",
    "mask age": "Age of the mask",
}


class StageTable(QWidget):
    """Stage, p50, p95 in milliseconds; also folded into the side panel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.M)
        self._grid.setVerticalSpacing(theme.XS)
        self._grid.setColumnStretch(0, 1)
        for column, text in enumerate(("Stage", "p50", "p95")):
            self._grid.addWidget(label(text, role=theme.CAPTION, tone="secondary"), 0, column, _side(column))
        self._cells = {}
        for row, (name, text) in enumerate(STAGES.items(), 1):
            cells = [label(text, tone="secondary"), label("–"), label("–")]
            for column, cell in enumerate(cells):
                self._grid.addWidget(cell, row, column, _side(column))
            self._cells[name] = cells

    def show_snapshot(self, snapshot: Snapshot) -> None:
        for stage in snapshot.stats.stages:
            if stage.name in self._cells:
                _, p50, p95 = self._cells[stage.name]
                p50.setText(f"{stage.p50_ms:.1f} ms")
                p95.setText(f"{stage.p95_ms:.1f} ms")


def _side(column: int) -> Qt.AlignmentFlag:
    return Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
