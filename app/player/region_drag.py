"""Marks a region of the picture by dragging over it: the next drag, and no other."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QRubberBand

from app.player.canvas import Canvas
from engine.types import Rect

LEAST_PX = 32  # of the frame, in both directions: less was a click


class RegionDrag(QObject):
    """`drawn` carries a Rect in frame pixels; a click, or Esc by `stop`, draws none."""

    drawn = Signal(object)

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._band = QRubberBand(QRubberBand.Shape.Rectangle, canvas)
        self._from: QPointF | None = None
        self._asked = False

    @property
    def asked(self) -> bool:
        """Whether the next drag marks a region."""
        return self._asked

    def ask(self) -> None:
        if not self._asked:
            self._asked = True
            self._canvas.installEventFilter(self)
            self._canvas.setCursor(Qt.CursorShape.CrossCursor)

    def stop(self) -> None:
        """Not any more."""
        if self._asked:
            self._asked, self._from = False, None
            self._canvas.removeEventFilter(self)
            self._canvas.unsetCursor()
            self._band.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QMouseEvent):
            return False
        if event.type() is QEvent.Type.MouseButtonPress and event.button() is Qt.MouseButton.LeftButton:
            self._from = event.position()
            self._band.setGeometry(QRect(event.position().toPoint(), event.position().toPoint()))
            self._band.show()
            return True
        if self._from is None:
            return False
        box = QRectF(self._from, event.position()).normalized()
        if event.type() is QEvent.Type.MouseMove:
            self._band.setGeometry(box.toRect())
            return True
        if event.type() is QEvent.Type.MouseButtonRelease:
            marked = self._in_frame(box)
            self.stop()
            if marked is not None:
                self.drawn.emit(marked)
            return True
        return False

    def _in_frame(self, box: QRectF) -> Rect | None:
        shown, target = self._canvas.presentation, self._canvas.picture_rect()
        box = box.intersected(target)
        if shown is None or target.isEmpty() or box.isEmpty():
            return None
        x_scale, y_scale = shown.frame.width_px / target.width(), shown.frame.height_px / target.height()
        left, top = round((box.x() - target.x()) * x_scale), round((box.y() - target.y()) * y_scale)
        wide, high = round(box.width() * x_scale), round(box.height() * y_scale)
        return Rect(left, top, wide, high) if min(wide, high) >= LEAST_PX else None
