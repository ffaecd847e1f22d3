"""A small picture and its time above the time line, where the mouse is."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.widgets import theme, words

PICTURE_PX = (200, 130)
LINE_PX = 20


class HoverPicture(QWidget):
    """It takes no clicks, and goes with the mouse."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._at_s = 0.0
        self._image: QImage | None = None
        self.hide()

    @property
    def text(self) -> str:
        return words.short_clock(self._at_s)

    def show_at(self, at_s: float, image: QImage | None, place: QPoint) -> None:
        """Above `place`, a point of the parent."""
        self._at_s, self._image = at_s, image
        high = LINE_PX + (PICTURE_PX[1] if image is not None else 0)
        page = self.parentWidget()
        assert page is not None
        left = min(max(0, place.x() - PICTURE_PX[0] // 2), page.width() - PICTURE_PX[0])
        self.setGeometry(left, max(0, place.y() - high - theme.XS), PICTURE_PX[0], high)
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(theme.BLACK))
        if self._image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            size = self._image.size().scaled(*PICTURE_PX, Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(
                QPoint((self.width() - size.width()) // 2, (PICTURE_PX[1] - size.height()) // 2), size
            )
            painter.drawImage(place, self._image)
        painter.setPen(theme.colour(theme.TEXT))
        painter.setFont(theme.font(theme.CAPTION_PX, bold=True))
        line = QRect(0, self.height() - LINE_PX, self.width(), LINE_PX)
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, self.text)
        painter.end()
