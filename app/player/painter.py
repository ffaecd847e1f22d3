"""What is painted over and round the picture. Paths of marks are built once a result: painting is cheap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto

from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF, QRegion, QTransform

from app.widgets import theme
from engine.drawing.shape import Shape
from engine.types import U8

SOFT_EDGE_PX = 2.0  # antialiasing
LATE_OPACITY = 0.6
CROSS_PX = 3.0


class Look(Enum):
    """How the last picture is shown: one that no longer lives must not look alive."""

    PLAIN = auto()
    DIMMED = auto()
    CROSSED = auto()  # dimmed, and crossed: no signal


@dataclass(frozen=True, slots=True)
class Drawable:
    """One shape ready to paint: its outline in frame pixels, and its pens in screen pixels."""

    path: QPainterPath
    pens: tuple[QPen, ...]  # casing first, the colour over it
    brush: QBrush | None


def image_of(pixels: U8) -> QImage:
    """A QImage over uint8 [H, W, 4] BGRA without a copy: it does not own its pixels, keep `pixels` alive."""
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, width * 4, QImage.Format.Format_RGB32)


def prepare(shapes: Iterable[Shape]) -> tuple[Drawable, ...]:
    """Everything that does not depend on zoom; once a result, not once a paint."""
    return tuple(_drawable(shape) for shape in shapes)


def as_late(shapes: Iterable[Shape]) -> tuple[Shape, ...]:
    """The same marks as those of an older picture: dashed and fainter. Dashed ones, not sure as it is, go."""
    sure = (shape for shape in shapes if not shape.dashed)
    return tuple(replace(shape, dashed=True, opacity=shape.opacity * LATE_OPACITY) for shape in sure)


def draw(
    painter: QPainter, drawables: Iterable[Drawable], to_screen: QTransform, pixel_ratio: float = 1.0
) -> None:
    """Paint over a picture; `to_screen` takes frame pixels to the painter's. Line widths do not zoom."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setTransform(to_screen, True)
    for drawable in drawables:
        if drawable.brush is not None:
            painter.fillPath(drawable.path, drawable.brush)
        for pen in drawable.pens:
            # A cosmetic pen counts device pixels.
            scaled = QPen(pen)
            scaled.setWidthF(pen.widthF() * pixel_ratio)
            painter.strokePath(drawable.path, scaled)
    painter.restore()


def bounds(drawable: Drawable, to_screen: QTransform, width_scale: float = 1.0) -> QRectF:
    """Where `draw` paints it, the painter's pixels: its outline, half of the widest pen, its soft edge."""
    margin = max((pen.widthF() for pen in drawable.pens), default=0.0) * width_scale / 2 + SOFT_EDGE_PX
    return to_screen.mapRect(drawable.path.boundingRect()).adjusted(-margin, -margin, margin, margin)


def paint_cross(painter: QPainter, target: QRectF) -> None:
    """Over a picture that no longer lives."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    lines = [
        QLineF(target.topLeft(), target.bottomRight()),
        QLineF(target.bottomLeft(), target.topRight()),
    ]
    for token, width_px in ((theme.BLACK, CROSS_PX * 2), (theme.SECONDARY, CROSS_PX)):
        painter.setPen(QPen(theme.colour(token), width_px))
        painter.drawLines(lines)


def paint_surround(painter: QPainter, area: QRect, target: QRectF) -> None:
    """Black, round the picture."""
    # With a fractional pixel ratio the picture's edge falls inside a logical pixel: fill everything.
    whole = painter.device().devicePixelRatioF() % 1.0 == 0.0
    painter.setClipRegion(QRegion(area).subtracted(QRegion(target.toRect() if whole else QRect())))
    painter.fillRect(area, theme.colour(theme.BLACK))
    painter.setClipping(False)


def paint_message(painter: QPainter, area: QRect, text: str) -> None:
    """Words in the middle, in place of a picture."""
    painter.setPen(theme.colour(theme.SECONDARY))
    painter.setFont(theme.font(theme.LEAD_PX))
    margin = theme.XXL
    box = area.adjusted(margin, margin, -margin, -margin)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)


def _drawable(shape: Shape) -> Drawable:
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.OddEvenFill)
    for points in shape.paths:
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in points.tolist()]))
        if shape.closed:
            path.closeSubpath()
    core = QColor(*shape.colour)
    core.setAlphaF(shape.opacity)
    if shape.kind == "fill":
        return Drawable(path, (), QBrush(core))
    # Under a translucent core the casing would be seen, too, and turn its colour grey.
    casing = theme.colour(theme.BLACK, shape.opacity**2)
    style = Qt.PenStyle.DashLine if shape.dashed else Qt.PenStyle.SolidLine
    pens = []
    if shape.casing_px > 0:
        pens.append(_pen(casing, shape.width_px + 2 * shape.casing_px, style))
    if shape.dotted:  # over a whole casing: dots without it are glints
        style = Qt.PenStyle.DotLine
    pens.append(_pen(core, shape.width_px, style))
    return Drawable(path, tuple(pens), None)


def _pen(colour: QColor, width_px: float, style: Qt.PenStyle) -> QPen:
    pen = QPen(colour, width_px, style, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    pen.setCosmetic(True)
    return pen
