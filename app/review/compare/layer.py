"""What lies over a picture while two analyses are compared: both masks, by a line or by their form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QLineF, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
    QTransform,
)
from PySide6.QtWidgets import QWidget

from app.player.canvas import Canvas
from app.player.painter import Drawable, draw, prepare
from app.widgets import theme
from engine.drawing.overlays import OverlayStyle, contour
from engine.drawing.shape import Shape
from engine.types import Result

GRIP_PX = 12.0  # round the line: where the mouse takes it
TAG_PX = 24
LEAST_FRAC = 0.02  # of the picture that is seen: the line stays on it
BOTH_OPACITY = 0.4
HATCH_PX = 9.0  # from line to line
CASING_PX, LINE_PX = 5.0, 2.0


@dataclass(frozen=True, slots=True)
class Tag:
    """Whose marks these are; the line is drawn beside it as over the picture."""

    text: str
    token: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """The marks of both on one frame; None: not analysed there yet."""

    a: Result | None = None
    b: Result | None = None


def in_second_colour(shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """The same marks as those of the second one."""
    colour = theme.colour(theme.SECOND)
    return tuple(replace(shape, colour=(colour.red(), colour.green(), colour.blue())) for shape in shapes)


class CompareLayer(QWidget):
    """Lies over a canvas and goes with its zoom. `left`, `right`: the tags in its lower corners."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._shown = Shown()
        self._overlay: Callable[[Result], tuple[Shape, ...]] = lambda result: ()
        self._left: Tag | None = None
        self._right: Tag | None = None
        self._swipes = self._parts = self._hidden = False
        self._drawables: tuple[tuple[Drawable, ...], tuple[Drawable, ...]] = ((), ())
        self._areas = (QPainterPath(), QPainterPath())
        self._at_frac = 0.5
        self._drags = False
        self.setMouseTracking(True)
        self.setGeometry(canvas.rect())
        canvas.installEventFilter(self)
        self.hide()

    def show_as(self, *, swipes: bool = False, parts: bool = False) -> None:
        """Both divided by a line, or told by parts; neither: only tags."""
        self._swipes, self._parts = swipes, parts
        self._prepare()

    def show_tags(self, left: Tag | None, right: Tag | None) -> None:
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.update()

    def show_marks(self, shown: Shown, overlay: Callable[[Result], tuple[Shape, ...]]) -> None:
        same = shown.a is self._shown.a and shown.b is self._shown.b and overlay is self._overlay
        self._shown, self._overlay = shown, overlay
        if not same:
            self._prepare()

    def set_hidden(self, hidden: bool) -> None:
        """Hold the marks back, not the tags."""
        self._hidden = hidden
        self.update()

    @property
    def at_frac(self) -> float:
        """Where the line is, of what is seen of the picture from left to right."""
        return self._at_frac

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._canvas and event.type() is QEvent.Type.Resize:
            self.setGeometry(self._canvas.rect())
        return False

    # The line

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drags = event.button() is Qt.MouseButton.LeftButton and self._is_near(event.position())
        event.setAccepted(self._drags)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        event.setAccepted(self._drags)
        if self._drags:
            seen = self._seen()
            frac = (event.position().x() - seen.x()) / max(seen.width(), 1.0)
            self._at_frac = min(max(frac, LEAST_FRAC), 1.0 - LEAST_FRAC)
            self.update()
        elif self._is_near(event.position()):
            self.setCursor(Qt.CursorShape.SplitHCursor)
        else:
            self.unsetCursor()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.setAccepted(self._drags)
        self._drags = False

    def _is_near(self, position: QPointF) -> bool:
        return self._swipes and abs(position.x() - self._line_x()) <= GRIP_PX

    def _line_x(self) -> float:
        seen = self._seen()
        return seen.x() + self._at_frac * seen.width()

    def _seen(self) -> QRectF:
        return self._canvas.picture_rect().intersected(QRectF(self.rect()))

    # Painting

    def _prepare(self) -> None:
        a, b = self._shown.a, self._shown.b
        if self._swipes:
            self._drawables = (
                () if a is None else prepare(self._overlay(a)),
                () if b is None else prepare(in_second_colour(self._overlay(b))),
            )
        if self._parts:
            self._areas = _area(a), _area(b)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        seen = self._seen()
        if seen.isEmpty() or self._canvas.presentation is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(seen)
        scale = theme.line_scale(self.height())
        to_screen = self._canvas.to_screen()
        if not self._hidden and self._parts:
            a, b = (to_screen.map(area) for area in self._areas)
            paint_parts(painter, a, b, seen, scale)
        if not self._hidden and self._swipes:
            self._paint_swipe(painter, seen, to_screen, self.devicePixelRatioF() * scale)
        painter.setClipRect(seen)
        if self._left is not None:
            paint_tag(painter, seen, self._left, is_right=False)
        if self._right is not None:
            paint_tag(painter, seen, self._right, is_right=True)
        painter.end()

    def _paint_swipe(self, painter: QPainter, seen: QRectF, to_screen: QTransform, widths: float) -> None:
        x = self._line_x()
        left, right = QRectF(seen), QRectF(seen)
        left.setRight(x)
        right.setLeft(x)
        for side, drawables in zip((left, right), self._drawables, strict=True):
            painter.setClipRect(side)
            draw(painter, drawables, to_screen, widths)
        painter.setClipRect(seen)
        for token, width_px in ((theme.BLACK, CASING_PX), (theme.TEXT, LINE_PX)):
            painter.setPen(QPen(theme.colour(token), width_px))
            painter.drawLine(QPointF(x, seen.top()), QPointF(x, seen.bottom()))
        _paint_grip(painter, QPointF(x, seen.center().y()))


def paint_parts(painter: QPainter, a: QPainterPath, b: QPainterPath, within: QRectF, scale: float) -> None:
    """A's outline is solid and B's dashed; where both are the area is even, where one is alone it is hatched,
    each its own way: told without colours, too (docs/adr/0035).
    """
    painter.save()
    for own, other, token, way in ((a, b, theme.ACCENT, 1), (b, a, theme.SECOND, -1)):
        outside = QPainterPath()
        outside.addRect(within.adjusted(-1, -1, 1, 1))
        outside.addPath(other)
        painter.setClipRect(within)
        painter.setClipPath(own, Qt.ClipOperation.IntersectClip)
        painter.setClipPath(outside, Qt.ClipOperation.IntersectClip)
        painter.setPen(QPen(theme.colour(token), LINE_PX * scale))
        painter.drawLines(_hatch(own.boundingRect(), HATCH_PX * scale, way))
    painter.setClipRect(within)
    painter.setClipPath(a, Qt.ClipOperation.IntersectClip)
    painter.fillPath(b, theme.colour(theme.TEXT, BOTH_OPACITY))
    painter.setClipRect(within)
    for path, token, style in (
        (a, theme.ACCENT, Qt.PenStyle.SolidLine),
        (b, theme.SECOND, Qt.PenStyle.DashLine),
    ):
        for colour, width_px, line in (
            (theme.colour(theme.BLACK), CASING_PX, Qt.PenStyle.SolidLine),
            (theme.colour(token), LINE_PX, style),
        ):
            painter.strokePath(path, QPen(colour, width_px * scale, line))
    painter.restore()


def _hatch(over: QRectF, step_px: float, way: int) -> list[QLineF]:
    """Slanting lines, upwards to the right for `way` 1, downwards for -1; they stand still as it moves."""
    if over.isEmpty():
        return []
    high = over.height()
    first, last = (over.left() + way * over.top(), over.right() + way * over.top())
    begin, end = min(first, first + way * high), max(last, last + way * high)
    sums = [step_px * number for number in range(int(begin // step_px), int(end // step_px) + 2)]
    top, bottom = over.top(), over.bottom()
    return [QLineF(sum_ - way * top, top, sum_ - way * bottom, bottom) for sum_ in sums]


def paint_tag(painter: QPainter, within: QRectF, tag: Tag, *, is_right: bool) -> None:
    """In a lower corner of the picture, on black."""
    painter.setFont(theme.font(bold=True))
    metrics = painter.fontMetrics()
    room = max(0, int(within.width() / 2) - theme.XL)
    text = metrics.elidedText(tag.text, Qt.TextElideMode.ElideRight, room - theme.XXL)
    wide = theme.XXL + metrics.horizontalAdvance(text) + theme.S
    left = within.right() - wide - theme.S if is_right else within.left() + theme.S
    box = QRectF(left, within.bottom() - TAG_PX - theme.S, wide, TAG_PX)
    painter.fillRect(box, theme.colour(theme.BLACK, 0.75))
    style = Qt.PenStyle.DashLine if tag.dashed else Qt.PenStyle.SolidLine
    painter.setPen(QPen(theme.colour(tag.token), LINE_PX + 1.0, style))
    y = box.center().y()
    painter.drawLine(QPointF(box.x() + theme.XS, y), QPointF(box.x() + theme.XL, y))
    painter.setPen(theme.colour(theme.TEXT))
    painter.drawText(box.adjusted(theme.XXL, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)


def _paint_grip(painter: QPainter, at: QPointF) -> None:
    painter.setPen(QPen(theme.colour(theme.BLACK), 1.0))
    painter.setBrush(theme.colour(theme.TEXT))
    painter.drawEllipse(at, GRIP_PX, GRIP_PX)
    painter.setBrush(theme.colour(theme.BLACK))
    for way in (-1.0, 1.0):
        tip, back = at.x() + way * 8.0, at.x() + way * 3.0
        painter.drawPolygon(
            QPolygonF([QPointF(tip, at.y()), QPointF(back, at.y() - 4), QPointF(back, at.y() + 4)])
        )
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _area(result: Result | None) -> QPainterPath:
    """All outlines, frame pixels; holes are holes."""
    path = QPainterPath()
    for shape in () if result is None else contour(result, OverlayStyle()):
        for points in shape.paths:
            path.addPolygon(QPolygonF([QPointF(x, y) for x, y in points.tolist()]))
            path.closeSubpath()
    return path
