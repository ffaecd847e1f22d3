"""Where the time goes: a window of its own, made when first asked for (pyqtgraph takes half a second)."""

from __future__ import annotations

import time
from collections import deque

import pyqtgraph as pg
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.network.stage_table import StageTable
from app.widgets import theme, words
from app.widgets.controls import label, line
from engine.types import Snapshot, SourceState

HISTORY_S = 60.0
REFRESH_S = 0.5
LAST_KNOWN = "The last figures known: no new picture is being shown."
LEAST_RANGE_MS = 20.0  # quiet lines stay quiet


class LatencyPage(QDialog):
    """Per-stage table, a minute of due-to-painted, drops and the executing device.

    `stale` asks for a snapshot while the page is up: nothing else rings while a recording is paused.
    """

    stale = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("Latency – polyplive")
        self.resize(*(px * 2 // 3 for px in theme.WINDOW_PX))
        self._history: deque[tuple[float, float, float]] = deque()
        self._last_s = 0.0
        self._refresh = QTimer(self)
        self._refresh.setInterval(round(REFRESH_S * 1000))
        self._refresh.timeout.connect(self.stale)
        self._device = label(tone="secondary")
        self._device.setWordWrap(True)
        self._counts = label(role=theme.STRONG)
        self._counts.setWordWrap(True)
        self._as_of = label(tone="attention", role=theme.CAPTION)
        self._as_of.setWordWrap(True)
        self._table = StageTable()
        self._plot, self._p50, self._p95 = _plot()
        left = QVBoxLayout()
        left.setSpacing(theme.M)
        left.addWidget(label("Latency", role=theme.TITLE))
        left.addWidget(self._device)
        left.addWidget(line())
        left.addWidget(self._table)
        left.addWidget(self._as_of)
        left.addWidget(line())
        left.addWidget(self._counts)
        left.addStretch(1)
        note = label(
            "From the moment a picture is due (or arrived) to the end of its painting. The card before "
            "it and the screen behind it add their own time.",
            role=theme.CAPTION,
            tone="secondary",
        )
        note.setWordWrap(True)
        left.addWidget(note)
        side = QWidget()
        side.setLayout(left)
        side.setFixedWidth(theme.PANEL_PX)
        left.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.XL, theme.XL, theme.XL, theme.XL)
        row.setSpacing(theme.XL)
        row.addWidget(side)
        row.addWidget(self._plot, 1)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Take in a snapshot; drawn at most twice a second."""
        now_s = time.monotonic()
        if now_s - self._last_s < REFRESH_S:
            return
        self._last_s = now_s
        self._table.show_snapshot(snapshot)
        running = words.runtime_line(snapshot.runtime) or "No network is running"
        decoder = snapshot.info.decoder if snapshot.info is not None else ""
        self._device.setText(f"{running}\nDecoder: {decoder}" if decoder else running)
        stats = snapshot.stats
        runs = snapshot.source_state is SourceState.RUNNING
        self._as_of.setText("" if runs or not stats.stages else LAST_KNOWN)
        self._counts.setText(f"{stats.shown} shown · {stats.masked} with own mask · {stats.dropped} dropped")
        painted = next((s for s in stats.stages if s.name == "due to painted"), None)
        if painted is not None and runs:
            self._history.append((now_s, painted.p50_ms, painted.p95_ms))
        while self._history and now_s - self._history[0][0] > HISTORY_S:
            self._history.popleft()
        top_ms = max((p95 for _, _, p95 in self._history), default=0.0)
        self._plot.setYRange(0.0, max(LEAST_RANGE_MS, top_ms * 1.15), padding=0)
        times = [at_s - now_s for at_s, _, _ in self._history]
        self._p50.setData(times, [p50 for _, p50, _ in self._history])
        self._p95.setData(times, [p95 for _, _, p95 in self._history])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._last_s = 0.0
        self._refresh.start()
        self.stale.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        self._refresh.stop()
        super().hideEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._history.clear()
        super().closeEvent(event)


def _plot() -> tuple[pg.PlotWidget, pg.PlotDataItem, pg.PlotDataItem]:
    plot = pg.PlotWidget(background=theme.SURFACE)
    plot.setAccessibleName("Due to painted over the last minute")
    plot.setTitle("Due to painted, last minute", color=theme.TEXT, size=f"{theme.BASE_PX}px")
    plot.setMouseEnabled(x=False, y=False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.setXRange(-HISTORY_S, 0, padding=0)
    plot.showGrid(y=True, alpha=0.2)
    for side, text in (("left", "ms"), ("bottom", "seconds ago")):
        axis = plot.getAxis(side)
        axis.setLabel(text, color=theme.SECONDARY)
        axis.setPen(theme.LINE)
        axis.setTextPen(theme.SECONDARY)
        axis.enableAutoSIPrefix(False)
    plot.addLegend(offset=(-theme.M, theme.M), labelTextColor=theme.SECONDARY)
    p50 = plot.plot(pen=pg.mkPen(theme.ACCENT, width=2), name="p50")
    p95 = plot.plot(pen=pg.mkPen(theme.SECONDARY, width=2), name="p95")
    return plot, p50, p95
