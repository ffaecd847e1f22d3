"""The icons of assets/icons (lucide), tinted by the theme."""

from __future__ import annotations

import functools
from importlib import resources

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.widgets import theme

_SCALES = (1, 2, 3)


@functools.cache
def icon(name: str, token: str = theme.TEXT, size_px: int = theme.ICON_PX) -> QIcon:
    """Icon `name` in a theme colour, greyed where its button is disabled."""
    value = QIcon()
    for scale in _SCALES:
        value.addPixmap(pixmap(name, token, size_px, scale), QIcon.Mode.Normal)
        value.addPixmap(pixmap(name, theme.DISABLED, size_px, scale), QIcon.Mode.Disabled)
    return value


@functools.cache
def pixmap(name: str, token: str, size_px: int, scale: float = 1.0) -> QPixmap:
    """Icon `name` drawn `size_px` wide for a screen of that device pixel ratio."""
    svg = _svg(name).replace("currentColor", token)
    image = QPixmap(round(size_px * scale), round(size_px * scale))
    image.fill(Qt.GlobalColor.transparent)
    image.setDevicePixelRatio(scale)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size_px, size_px))
    painter.end()
    return image


@functools.cache
def _svg(name: str) -> str:
    return resources.files("assets").joinpath("icons", f"{name}.svg").read_text(encoding="utf-8")
