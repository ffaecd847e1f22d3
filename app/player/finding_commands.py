"""What a person says of a finding: no, by a click on it or a key; and that this was a mistake."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QCursor, QMouseEvent
from PySide6.QtWidgets import QApplication

from app.player.canvas import Canvas
from engine.types import Component, TrackState

if TYPE_CHECKING:
    from engine.live.pipeline import Pipeline  # cv2 and pydantic: not before the window is up

SURE = (TrackState.CONFIRMED, TrackState.HELD)
DISMISSED = "Finding dismissed, Shift+D = back"


class FindingCommands(QObject):
    """Handlers of app.actions_and_keys. `said` carries what a click did, in a word.

    A double click is no click: it takes back what its first half did.
    """

    said = Signal(str)

    def __init__(self, canvas: Canvas, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._pipeline: Pipeline | None = None
        self._dismissed: list[int] = []  # tracks, the newest last
        self._pressed_at: QPointF | None = None
        self._by_click = False
        canvas.installEventFilter(self)

    def connect_to(self, pipeline: Pipeline | None) -> None:
        self._pipeline = pipeline
        self.forget()

    def forget(self) -> None:
        """Another source: what was dismissed in the one before cannot be brought back."""
        self._dismissed = []

    def dismiss(self) -> str:
        """The finding nearest to the mouse; without a mouse over the picture, nearest to its middle."""
        shown = self._canvas.presentation
        findings = self._findings()
        if shown is None or not findings:
            marked = shown is not None and shown.result is not None and shown.result.components
            return "Only what is followed while it plays can be dismissed" if marked else "Nothing is marked"
        at = self._canvas.to_frame(QPointF(self._canvas.mapFromGlobal(QCursor.pos())))
        if at is None or not self._canvas.underMouse():
            at = QPointF(shown.frame.width_px / 2, shown.frame.height_px / 2)
        return self._dismiss(min(findings, key=lambda finding: _away_px(finding, at)))

    def restore(self) -> str:
        """Bring back the finding that was dismissed last."""
        if self._pipeline is None or not self._dismissed:
            return "Nothing was dismissed"
        self._pipeline.dismiss_finding(self._dismissed.pop(), False)
        return "Finding is back"

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QMouseEvent) or event.button() is not Qt.MouseButton.LeftButton:
            return False
        if event.type() is QEvent.Type.MouseButtonPress:
            self._pressed_at, self._by_click = event.position(), False
        elif event.type() is QEvent.Type.MouseButtonDblClick:
            self._pressed_at = None
            if self._by_click:
                self._by_click = False
                self.said.emit(self.restore())
        elif event.type() is QEvent.Type.MouseButtonRelease and self._pressed_at is not None:
            moved_px = (event.position() - self._pressed_at).manhattanLength()
            self._pressed_at = None
            if moved_px < QApplication.startDragDistance():
                self._click(event.position())
        return False

    def _click(self, position: QPointF) -> None:
        at = self._canvas.to_frame(position)
        under = [finding for finding in self._findings() if at is not None and _away_px(finding, at) == 0.0]
        if under:
            self._by_click = True
            self.said.emit(self._dismiss(min(under, key=lambda finding: finding.area_px)))

    def _dismiss(self, finding: Component) -> str:
        if self._pipeline is None or finding.track is None:
            return ""
        self._pipeline.dismiss_finding(finding.track)
        self._dismissed.append(finding.track)
        return DISMISSED

    def _findings(self) -> list[Component]:
        """Those that are drawn and followed; none while marks are held back."""
        shown = self._canvas.presentation
        if shown is None or shown.result is None or self._canvas.raw:
            return []
        return [c for c in shown.result.components if c.track is not None and c.state in SURE]


def _away_px(finding: Component, at: QPointF) -> float:
    """Frame pixels from `at` to the finding's box, 0 inside."""
    box = finding.box
    dx = max(box.x - at.x(), 0.0, at.x() - box.x - box.w)
    dy = max(box.y - at.y(), 0.0, at.y() - box.y - box.h)
    return math.hypot(dx, dy)
