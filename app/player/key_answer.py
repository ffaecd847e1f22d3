"""The word on the screen that answers a key: short, for a moment, in the picture's upper right corner."""

from __future__ import annotations

import math

from PySide6.QtCore import QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.widgets import theme

STAYS_MS = 1200
LONG_STAYS_MS = 4000  # a sentence that nobody asked for, such as where a recording was resumed
LONG_LETTERS = 24
WIDEST_PX = 10_000  # before there is a picture
WRAPPED = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)


class KeyAnswer(QWidget):
    """`say` shows a word; it goes by itself. It takes no clicks, and lies on a dark ground of its own."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._text = ""
        self._height_px = theme.TITLE_PX
        self._inside = QRect()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.hide()

    @property
    def text(self) -> str:
        """What stands on the screen now; "" when nothing does."""
        return self._text if not self.isHidden() else ""

    def say(self, text: str) -> None:
        """Show `text` in place of what stands there; "" shows nothing new."""
        if not text:
            return
        self._text = text
        self.setAccessibleName(text)
        self._place()
        self.show()
        self.raise_()
        self.update()
        self._timer.start(LONG_STAYS_MS if self._is_long() else STAYS_MS)

    def clear(self) -> None:
        self._timer.stop()
        self.hide()

    def keep_inside(self, area: QRect, height_px: int) -> None:
        """The part of the parent whose upper right corner it takes, and the height of its letters."""
        self._inside, self._height_px = area, height_px
        self._place()

    def sizeHint(self) -> QSize:
        """In several lines where one is wider than the picture."""
        room_px = max(self._inside.width() - 4 * theme.L, 1) if self._inside.isValid() else WIDEST_PX
        whole = QFontMetricsF(self._font()).boundingRect(
            QRectF(0, 0, room_px, WIDEST_PX), WRAPPED, self._text
        )
        return QSize(math.ceil(whole.width()) + 2 * theme.L, math.ceil(whole.height()) + 2 * theme.S)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(theme.BACKGROUND))
        painter.setPen(theme.colour(theme.TEXT))
        painter.setFont(self._font())
        painter.drawText(self.rect().adjusted(theme.L, 0, -theme.L, 0), WRAPPED, self._text)
        painter.end()

    def _is_long(self) -> bool:
        return len(self._text) > LONG_LETTERS

    def _font(self) -> QFont:
        """A sentence is read from near: it hides no more of the picture than a word."""
        return theme.font(round(self._height_px * 0.75) if self._is_long() else self._height_px, bold=True)

    def _place(self) -> None:
        size = self.sizeHint().boundedTo(self._inside.size())
        left = self._inside.right() + 1 - size.width() - theme.L
        self.setGeometry(
            QRect(max(self._inside.left(), left), self._inside.top() + theme.L, size.width(), size.height())
        )
