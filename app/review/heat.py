"""The probability of every place of the picture as heat over it: what the network said, at no threshold."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.player.canvas import Canvas
from app.widgets import theme
from engine.types import U8, Result

STRENGTH = 0.75
LOWEST = 0.05  # what is fainter is left clear


class HeatLayer(QWidget):
    """Lies over a canvas and goes with its zoom: it is painted whenever the canvas is."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._canvas = canvas
        self._image: tuple[U8, QImage] | None = None
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        shown = self._canvas.presentation
        if shown is None or shown.result is None:
            return
        target, frame, box = self._canvas.picture_rect(), shown.frame, shown.result.mask.roi
        across, down = target.width() / frame.width_px, target.height() / frame.height_px
        place = QRectF(target.x() + box.x * across, target.y() + box.y * down, box.w * across, box.h * down)
        painter = QPainter(self)
        painter.setClipRect(target)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, self._heat(shown.result))
        painter.end()

    def _heat(self, result: Result) -> QImage:
        values = result.mask.probability
        if self._image is None or self._image[0] is not values:
            self._image = (values, heat_of(values))
        return self._image[1]


def heat_of(probability: U8) -> QImage:
    """uint8 [h, w], 255 = 1, as colours from clear over blue to yellow: a second sense beside strength."""
    colours = _colours()[probability]
    high, wide = probability.shape
    image = QImage(colours.tobytes(), wide, high, wide * 4, QImage.Format.Format_ARGB32_Premultiplied)
    return image.copy()  # of its own: the bytes go


def _colours() -> U8:
    """uint8 [256, 4], BGRA, premultiplied."""
    at = np.linspace(0.0, 1.0, 256)
    ends = [(c.redF(), c.greenF(), c.blueF()) for c in map(theme.colour, (theme.ACCENT, theme.ATTENTION))]
    cold, hot = np.array(ends)
    rgb = cold + (hot - cold) * at[:, None]
    alpha = np.where(at < LOWEST, 0.0, STRENGTH * np.sqrt(at))[:, None]
    values = np.concatenate([rgb[:, ::-1] * alpha, alpha], axis=1)
    return np.asarray(np.round(values * 255), np.uint8)
