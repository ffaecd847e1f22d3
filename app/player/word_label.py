"""The one word that is always visible: word, shape and colour say the same thing."""

from __future__ import annotations

import math
from enum import Enum, auto

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.widgets import theme
from engine.types import StateWord


class Mark(Enum):
    DISC = auto()
    TRIANGLE = auto()
    BARS = auto()
    SQUARE = auto()
    RING = auto()
    CROSS = auto()
    WARNING = auto()
    DOTS = auto()
    STAR = auto()


STYLES: dict[StateWord, tuple[str, Mark]] = {
    StateWord.NO_SIGNAL: (theme.FAULT, Mark.CROSS),
    StateWord.FROZEN: (theme.FAULT, Mark.STAR),
    StateWord.FAILED: (theme.FAULT, Mark.CROSS),
    StateWord.OPENING: (theme.SECONDARY, Mark.DOTS),
    StateWord.ENDED: (theme.TEXT, Mark.SQUARE),
    StateWord.PAUSED: (theme.TEXT, Mark.BARS),
    StateWord.AI_FAULT: (theme.FAULT, Mark.WARNING),
    StateWord.AI_LOADING: (theme.ATTENTION, Mark.DOTS),
    StateWord.AI_OFF: (theme.ATTENTION, Mark.RING),
    StateWord.DAMAGED: (theme.ATTENTION, Mark.CROSS),
    StateWord.STALE: (theme.ATTENTION, Mark.WARNING),
    StateWord.LIVE: (theme.GOOD, Mark.DISC),
    StateWord.PLAYING: (theme.ACCENT, Mark.TRIANGLE),
    StateWord.IDLE: (theme.SECONDARY, Mark.RING),
}


class StateWordLabel(QWidget):
    """As wide as the longest word: nothing beside it moves when it changes. `set_fitted`: as its own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._word = StateWord.IDLE
        self._font = theme.font(theme.WORD_PX, bold=True)
        self._fitted = False
        self.setAccessibleName(f"State: {self._word}")

    @property
    def word(self) -> StateWord:
        return self._word

    def set_word(self, word: StateWord) -> None:
        if word is not self._word:
            self._word = word
            self.setAccessibleName(f"State: {word}")
            if self._fitted:
                self.updateGeometry()
            self.update()

    @property
    def height_px(self) -> int:
        return self._font.pixelSize()

    def set_fitted(self, fitted: bool) -> None:
        """Nothing stands beside it: its dark ground hides no more of the picture than it must."""
        if fitted is not self._fitted:
            self._fitted = fitted
            self.updateGeometry()

    def set_height_px(self, height_px: int) -> None:
        """Height of the letters' font; the row grows with it."""
        if height_px != self._font.pixelSize():
            self._font = theme.font(height_px, bold=True)
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self._font)
        words = (self._word,) if self._fitted else tuple(StateWord)
        widest = max(metrics.horizontalAdvance(word.value) for word in words)
        return QSize(round(self._text_x() + widest) + theme.S, round(metrics.height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        token, mark = STYLES[self._word]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = QFontMetricsF(self._font).capHeight()
        _paint_mark(painter, mark, QRectF(0, (self.height() - side) / 2, side, side), token)
        painter.setPen(theme.colour(token))
        painter.setFont(self._font)
        box = self.rect().adjusted(round(self._text_x()), 0, 0, 0)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self._word.value)
        painter.end()

    def _text_x(self) -> float:
        return QFontMetricsF(self._font).capHeight() + theme.M


def _paint_mark(painter: QPainter, mark: Mark, box: QRectF, token: str) -> None:
    colour = theme.colour(token)
    line_px = max(2.0, box.width() / 7)
    inner = box.adjusted(line_px / 2, line_px / 2, -line_px / 2, -line_px / 2)
    solid = mark in (Mark.DISC, Mark.TRIANGLE, Mark.BARS, Mark.SQUARE, Mark.DOTS)
    painter.setPen(Qt.PenStyle.NoPen if solid else QPen(colour, line_px))
    painter.setBrush(colour if solid else Qt.BrushStyle.NoBrush)
    left, top, right, bottom = box.left(), box.top(), box.right(), box.bottom()
    middle = box.center()
    if mark is Mark.DISC or mark is Mark.RING:
        painter.drawEllipse(inner)
    elif mark is Mark.SQUARE:
        painter.drawRect(inner)
    elif mark is Mark.TRIANGLE:
        painter.drawPolygon(
            QPolygonF([QPointF(left, top), QPointF(right, middle.y()), QPointF(left, bottom)])
        )
    elif mark is Mark.BARS:
        width = box.width() / 3
        painter.drawRect(QRectF(left, top, width, box.height()))
        painter.drawRect(QRectF(right - width, top, width, box.height()))
    elif mark is Mark.CROSS:
        painter.drawLine(inner.topLeft(), inner.bottomRight())
        painter.drawLine(inner.bottomLeft(), inner.topRight())
    elif mark is Mark.STAR:
        for angle_deg in (30, 90, 150):
            arm = QPointF(math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg)))
            painter.drawLine(middle - arm * inner.width() / 2, middle + arm * inner.width() / 2)
    elif mark is Mark.WARNING:
        painter.drawPolygon(QPolygonF([QPointF(middle.x(), top), QPointF(right, bottom), inner.bottomLeft()]))
        painter.drawLine(
            QPointF(middle.x(), top + box.height() * 0.42), QPointF(middle.x(), bottom - box.height() * 0.3)
        )
    else:
        radius = box.width() / 8
        for x in (left + radius, middle.x(), right - radius):
            painter.drawEllipse(QPointF(x, middle.y()), radius, radius)
