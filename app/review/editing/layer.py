"""What lies over the picture while masks are corrected: the polyps, the stroke that goes on, the brush."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QEnterEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from app.player.canvas import Canvas
from app.player.painter import Drawable, bounds, draw, prepare
from app.review.editing.polyps import NamedPolyp
from app.widgets import theme
from engine.drawing.overlays import OverlayStyle, filled
from engine.drawing.shape import Shape
from engine.review.editing.polyps import component_of
from engine.types import F32, U8

ACTIVE = OverlayStyle(fill_opacity=0.22)
OTHER = replace(ACTIVE, width_px=1.5, fill_opacity=0.1)
CORNER_PX = 4.0
TAG_PX = 16
LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton


@dataclass(frozen=True, slots=True)
class _Shown:
    """`at`: where its number stands, frame pixels."""

    polyp: NamedPolyp
    mask: U8
    is_active: bool
    drawables: tuple[Drawable, ...]
    at: tuple[int, int] | None


class MaskLayer(QWidget):
    """Positions in signals are frame pixels. Ctrl and the wheel zoom, the middle button moves the picture."""

    pressed = Signal(float, float, bool)  # the right button
    moved = Signal(float, float)
    released = Signal()
    closed = Signal()  # a double click
    turned = Signal(float)  # notches of the wheel

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._polyps: dict[int, _Shown] = {}
        self._state = ""
        self._places: tuple[Drawable, ...] = ()
        self._guide: F32 | None = None
        self._brush_px: float | None = None  # frame pixels
        self._at: QPointF | None = None
        self.setMouseTracking(True)
        self.setAccessibleName("Masks")
        self.setFocusProxy(canvas)
        self.hide()
        canvas.installEventFilter(self)

    # What is shown

    def show_polyps(self, masks: Mapping[int, U8], polyps: Sequence[NamedPolyp], active: int | None) -> None:
        """Masks by label. One that is the same array as before is not looked at again."""
        before, self._polyps = self._polyps, {}
        for polyp in polyps:
            label, mask, is_active = polyp.label, masks[polyp.label], polyp.label == active
            known = before.get(label)
            if (
                known is not None
                and known.mask is mask
                and (known.polyp, known.is_active) == (polyp, is_active)
            ):
                self._polyps[label] = known
                continue
            component = component_of(label, mask)
            style = replace(ACTIVE if is_active else OTHER, colour=polyp.colour)
            shapes = () if component is None else filled((component,), style)
            at = None if component is None else (component.box.x, component.box.y)
            self._polyps[label] = _Shown(polyp, mask, is_active, prepare(shapes), at)
        if (len(before) > 1) is not (len(self._polyps) > 1):
            self.update()  # numbers come and go with the second one
        for label in before.keys() | self._polyps.keys():
            was, now = before.get(label), self._polyps.get(label)
            if was is not now:
                self._repaint(was)
                self._repaint(now)

    def show_state(self, words: str) -> None:
        """How far the frame is, in the corner where no picture is lost."""
        if words != self._state:
            self._state = words
            self.update(0, 0, self.width(), TAG_PX + 2 * theme.S)

    def show_places(self, shapes: tuple[Shape, ...]) -> None:
        """What a person said that it is there, to be drawn."""
        self._places = prepare(shapes)
        self.update()

    def show_guide(self, line: F32 | None) -> None:
        """A line that is being drawn, float32 [n, 2] frame pixels."""
        if line is not None or self._guide is not None:
            self._guide = line
            self.update()

    def show_brush(self, radius_px: float | None) -> None:
        """The circle round the mouse, frame pixels; None: a cross."""
        self._brush_px = radius_px
        cross = Qt.CursorShape.CrossCursor if radius_px is None else Qt.CursorShape.BlankCursor
        self.setCursor(cross)
        self.update()

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize:
            self.resize(self._canvas.size())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        target = self._canvas.picture_rect()
        if target.isEmpty():
            return
        painter = QPainter(self)
        painter.setClipRect(target)
        to_screen = self._to_screen()
        widths = self.devicePixelRatioF() * theme.line_scale(self.height())
        draw(painter, self._places, to_screen, widths)
        for one in sorted(self._polyps.values(), key=lambda one: one.is_active):
            draw(painter, one.drawables, to_screen, widths)
        self._paint_words(painter, to_screen)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._guide is not None:
            self._paint_guide(painter, to_screen)
        if self._at is not None and self._brush_px is not None:
            for token, width_px in ((theme.BLACK, 3.0), (theme.TEXT, 1.5)):
                painter.setPen(QPen(theme.colour(token), width_px))
                painter.drawEllipse(self._at, self._brush_on_screen(), self._brush_on_screen())
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is MIDDLE:
            self._pan(event)
        elif event.button() in (LEFT, RIGHT):
            self.pressed.emit(*self._in_frame(event.position()), event.button() is RIGHT)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & MIDDLE:
            self._pan(event)
            return
        self._follow(event.position())
        self.moved.emit(*self._in_frame(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is MIDDLE:
            self._pan(event)
        elif event.button() in (LEFT, RIGHT):
            self.released.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() is LEFT:
            self.closed.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()  # the canvas zooms
            return
        self.turned.emit(event.angleDelta().y() / 120)
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        event.accept()  # the right button has its use here

    def enterEvent(self, event: QEnterEvent) -> None:
        self._follow(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        self._follow(None)

    # Inside

    def _to_screen(self) -> QTransform:
        target, shown = self._canvas.picture_rect(), self._canvas.presentation
        assert shown is not None
        frame = shown.frame
        across, down = target.width() / frame.width_px, target.height() / frame.height_px
        return QTransform(across, 0, 0, down, target.x(), target.y())

    def _in_frame(self, position: QPointF) -> tuple[float, float]:
        """Also beside the picture: a stroke may leave it and come back."""
        if self._canvas.picture_rect().isEmpty():
            return -1.0, -1.0
        point = self._to_screen().inverted()[0].map(position)
        return point.x(), point.y()

    def _brush_on_screen(self) -> float:
        shown = self._canvas.presentation
        if shown is None or self._brush_px is None:
            return 0.0
        return self._brush_px * self._canvas.picture_rect().width() / shown.frame.width_px

    def _follow(self, position: QPointF | None) -> None:
        for at in (self._at, position):
            if at is not None and self._brush_px is not None:
                reach = self._brush_on_screen() + 3
                self.update(QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach).toAlignedRect())
        self._at = position

    def _paint_words(self, painter: QPainter, to_screen: QTransform) -> None:
        """The frame's state, and the numbers of polyps where there are several."""
        painter.setFont(theme.font(theme.CAPTION_PX, bold=True))
        places = [(QPointF(theme.S, TAG_PX + theme.S), self._state, theme.colour(theme.TEXT))]
        if len(self._polyps) > 1:
            places += [
                (to_screen.map(QPointF(*one.at)), str(one.polyp.number), QColor(*one.polyp.colour))
                for one in self._polyps.values()
                if one.at is not None
            ]
        painter.setClipping(False)
        for place, words, colour in places:
            if words:
                wide = painter.fontMetrics().horizontalAdvance(words) + theme.S
                ground = QRectF(place.x(), place.y() - TAG_PX, wide, TAG_PX)
                painter.fillRect(ground, theme.colour(theme.BLACK, 0.6))
                painter.setPen(colour)
                painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, words)
        painter.setClipping(True)

    def _repaint(self, polyp: _Shown | None) -> None:
        if polyp is None or self._canvas.picture_rect().isEmpty():
            return
        to_screen, widths = self._to_screen(), theme.line_scale(self.height())
        for drawable in polyp.drawables:
            around = bounds(drawable, to_screen, widths).adjusted(0, -TAG_PX, 0, 0)
            self.update(around.toAlignedRect())

    def _paint_guide(self, painter: QPainter, to_screen: QTransform) -> None:
        assert self._guide is not None
        line = to_screen.map(QPolygonF([QPointF(x, y) for x, y in self._guide.tolist()]))
        for token, width_px in ((theme.BLACK, 4.0), (theme.ACCENT, 2.0)):
            painter.setPen(QPen(theme.colour(token), width_px))
            painter.drawPolyline(line)
        painter.setBrush(theme.colour(theme.TEXT))
        for corner in line.toList()[:-1]:
            painter.drawEllipse(corner, CORNER_PX, CORNER_PX)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _pan(self, event: QMouseEvent) -> None:
        """The canvas moves the picture with its left button."""
        left = LEFT if event.button() is MIDDLE else Qt.MouseButton.NoButton
        QApplication.sendEvent(
            self._canvas,
            QMouseEvent(
                event.type(), event.position(), event.globalPosition(), left, LEFT, event.modifiers()
            ),
        )
