"""A box dragged over the picture: the next drag, and no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QRubberBand

from app.player.canvas import Canvas
from engine.types import Presentation, Rect

Drawn = Callable[[Rect], None]
Clicked = Callable[[QPointF | None], None]


@dataclass(frozen=True, slots=True)
class _Asked:
    least_px: int
    drawn: Drawn
    clicked: Clicked


class BoxDrag(QObject):
    """Asked for, the next press of the left button begins it, whatever a press does otherwise.

    Who asks hears `drawn`, a Rect in frame pixels, or, of less than `least_px` in one direction, `clicked`:
    where in the frame the mouse was let go, None beside the picture. Who asks later is heard instead; one who
    has stopped, or whose `patience_ms` are over, hears nothing.
    """

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._band = QRubberBand(QRubberBand.Shape.Rectangle, canvas)
        self._from: QPointF | None = None
        self._asked: _Asked | None = None
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(self.stop)
        self.pressed_on: Presentation | None = None  # what was shown when it began

    @property
    def asked(self) -> bool:
        """Whether the next drag is taken."""
        return self._asked is not None

    def ask(self, least_px: int, drawn: Drawn, clicked: Clicked, patience_ms: int | None = None) -> None:
        self.stop()
        self._asked = _Asked(least_px, drawn, clicked)
        self._canvas.installEventFilter(self)
        self._canvas.setCursor(Qt.CursorShape.CrossCursor)
        if patience_ms is not None:
            self._patience.start(patience_ms)

    def stop(self) -> bool:
        """Not any more; whether it was asked for."""
        was, self._asked, self._from = self._asked, None, None
        self._patience.stop()
        if was is not None:
            self._canvas.removeEventFilter(self)
            self._canvas.unsetCursor()
            self._band.hide()
        return was is not None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QMouseEvent) or self._asked is None:
            return False
        if event.type() is QEvent.Type.MouseButtonPress and event.button() is Qt.MouseButton.LeftButton:
            self._patience.stop()
            self._from, self.pressed_on = event.position(), self._canvas.presentation
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
            asked, marked = self._asked, self._in_frame(box)
            at = self._canvas.to_frame(event.position())
            self.stop()
            if marked is not None and min(marked.w, marked.h) >= asked.least_px:
                asked.drawn(marked)
            else:
                asked.clicked(at)
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
        return Rect(left, top, wide, high)
