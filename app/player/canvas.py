"""The picture with its marks. Raster painting: 0.2 to 3.6 ms a frame where a texture upload costs more."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import chain

from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.player.painter import (
    Drawable,
    Look,
    as_late,
    bounds,
    draw,
    image_of,
    paint_cross,
    paint_message,
    paint_surround,
    prepare,
)
from app.player.zoom import Placement, View, panned, place, zoomed
from app.widgets import theme
from engine.drawing.shape import Shape
from engine.types import U8, Presentation, Result

Overlay = Callable[[Result], tuple[Shape, ...]]
OnPainted = Callable[[Presentation, float, float], None]

DIMMED_OPACITY = 0.38
ZOOM_A_STEP = 1.25


class Canvas(QWidget):
    """Shows one Presentation at a time. `on_painted` hears of each one's first painting."""

    double_clicked = Signal()
    menu_asked = Signal(QPoint)  # on the screen
    zoomed = Signal(float)
    viewed = Signal(object)  # View: a person zoomed, panned, or wants the whole picture
    focused = Signal()

    def __init__(self, on_painted: OnPainted = lambda *_: None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Picture")
        self.on_painted = on_painted
        self._presentation: Presentation | None = None
        self._pixels: U8 | None = None  # what _image points into
        self._image: QImage | None = None
        self._aspect = 1.0
        self._overlay: Overlay = lambda result: ()
        self._drawables: tuple[Drawable, ...] = ()
        self._beside: dict[str, tuple[Drawable, ...]] = {}  # what is no finding, by what it is
        self._look = Look.PLAIN
        self._late = False  # the marks are those of an older picture
        self._raw = False
        self._message = ""
        self._view = View()
        self._grab: QPointF | None = None
        self._reported: Presentation | None = None

    # What is shown

    @property
    def presentation(self) -> Presentation | None:
        return self._presentation

    @property
    def raw(self) -> bool:
        """Whether the marks are held back."""
        return self._raw

    def show_presentation(self, presentation: Presentation | None, pixel_aspect: float = 1.0) -> None:
        """Show this from the next paint on; None for black."""
        if presentation is self._presentation and pixel_aspect == self._aspect:
            return
        before = self._presentation.result if self._presentation is not None else None
        result = presentation.result if presentation is not None else None
        pixels = presentation.frame.image if presentation is not None else None
        same_picture = pixels is self._pixels and pixel_aspect == self._aspect
        marks = self._drawables
        self._presentation = presentation
        self._aspect = pixel_aspect
        if pixels is not self._pixels:
            self._image = None if pixels is None else image_of(pixels)
            self._pixels = pixels
        was_late, self._late = self._late, presentation is not None and presentation.late_s is not None
        if result is not before or self._late is not was_late:
            self._drawables = self._marks(result)
        if same_picture:
            self.update(self._around(marks + self._drawables))
        else:
            self.update()

    def set_overlay(self, overlay: Overlay) -> None:
        """Change how findings are drawn, also on the picture that stands there now."""
        self._overlay = overlay
        result = self._presentation.result if self._presentation is not None else None
        self._drawables = self._marks(result)
        self.update()

    def show_beside(self, name: str, shapes: tuple[Shape, ...]) -> None:
        """Something that is no finding, beside them; () for nothing of that name."""
        if shapes or self._beside.get(name):
            self._beside[name] = prepare(shapes)
            self.update()

    def set_look(self, look: Look) -> None:
        if look is not self._look:
            self._look = look
            self.update()

    def set_raw(self, raw: bool) -> None:
        """Hold the marks back (True) or show them again."""
        if raw is not self._raw:
            self._raw = raw
            self.update()

    @property
    def message(self) -> str:
        return self._message

    def set_message(self, text: str) -> None:
        """Words in the middle, shown only while there is no picture."""
        if text != self._message:
            self._message = text
            self.update()

    def fit(self) -> None:
        """Show the whole picture again."""
        self._see(View())

    def set_view(self, view: View) -> None:
        """Show the part that another canvas shows."""
        self._view = view
        if view.zoom > 1.0:
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self.unsetCursor()
        self.update()

    @property
    def overlay(self) -> Overlay:
        """How findings are drawn."""
        return self._overlay

    @property
    def view(self) -> View:
        """What of the picture is seen."""
        return self._view

    @property
    def zoom(self) -> float:
        return self._view.zoom

    def picture_rect(self) -> QRectF:
        """Where the picture lies, widget coordinates; empty without one."""
        placed = self._placement()
        if placed is None:
            return QRectF()
        ratio = self.devicePixelRatioF()
        return QRectF(placed.x / ratio, placed.y / ratio, placed.width / ratio, placed.height / ratio)

    def to_frame(self, position: QPointF) -> QPointF | None:
        """Where that is in the frame, its pixels; None beside the picture."""
        target = self.picture_rect()
        if target.isEmpty() or not target.contains(position):
            return None
        back, _ = self.to_screen().inverted()
        return back.map(position)

    def picture_px(self) -> tuple[int, int]:
        """Width and height of the picture on the screen, device pixels; (0, 0) without one."""
        placed = self._placement()
        return (0, 0) if placed is None else (round(placed.width), round(placed.height))

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        start_s = time.monotonic()
        painter = QPainter(self)
        target = self.picture_rect()
        paint_surround(painter, self.rect(), target)
        if self._image is None:
            paint_message(painter, self.rect(), self._message)
        else:
            self._paint_picture(painter, self._image, target)
        painter.end()
        if self._presentation is not None and self._presentation is not self._reported:
            self._reported = self._presentation
            self.on_painted(self._presentation, start_s, time.monotonic())

    def wheelEvent(self, event: QWheelEvent) -> None:
        placed = self._placement()
        if placed is None or self._presentation is None:
            return
        ratio = self.devicePixelRatioF()
        at = event.position() * ratio
        factor = ZOOM_A_STEP ** (event.angleDelta().y() / 120)
        frame = self._presentation.frame
        size = frame.width_px, frame.height_px
        self._see(zoomed(self._view, factor, (at.x(), at.y()), size, self._aspect, self._size_px()))
        self.zoomed.emit(self._view.zoom)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focused.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_asked.emit(event.globalPos())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if event.button() is Qt.MouseButton.LeftButton and self._view.zoom > 1.0:
            self._grab = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        placed = self._placement()
        if self._grab is None or placed is None:
            super().mouseMoveEvent(event)
            return
        moved = (event.position() - self._grab) * self.devicePixelRatioF()
        self._grab = event.position()
        self._see(panned(self._view, moved.x(), moved.y(), placed))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grab = None
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.double_clicked.emit()

    # Painting

    def _paint_picture(self, painter: QPainter, image: QImage, target: QRectF) -> None:
        assert self._presentation is not None
        frame = self._presentation.frame
        unscaled = target.width() * self.devicePixelRatioF() == frame.width_px
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not unscaled)
        if self._look is not Look.PLAIN:
            painter.fillRect(target, theme.colour(theme.BLACK))
            painter.setOpacity(DIMMED_OPACITY)
        painter.drawImage(target, image)
        painter.setOpacity(1.0)
        marks = () if self._raw else (*chain.from_iterable(self._beside.values()), *self._drawables)
        if self._look is Look.CROSSED:
            paint_cross(painter, target)
        elif marks:
            painter.setClipRect(target)
            widths = self.devicePixelRatioF() * theme.line_scale(self.height())
            draw(painter, marks, self.to_screen(), widths)

    def _marks(self, result: Result | None) -> tuple[Drawable, ...]:
        if result is None:
            return ()
        shapes = self._overlay(result)
        return prepare(as_late(shapes) if self._late else shapes)

    def _see(self, view: View) -> None:
        self.set_view(view)
        self.viewed.emit(view)

    def to_screen(self) -> QTransform:
        """Takes a frame's pixels to the widget's; of a picture that is there."""
        assert self._presentation is not None
        target = self.picture_rect()
        frame = self._presentation.frame
        x_scale, y_scale = target.width() / frame.width_px, target.height() / frame.height_px
        return QTransform(x_scale, 0, 0, y_scale, target.x(), target.y())

    def _around(self, drawables: tuple[Drawable, ...]) -> QRegion:
        """What to paint for these marks to come or go; never empty, or the paint would not be reported.

        The mask of a live frame comes after its picture: painting all of it again would cost as much as a
        frame more.
        """
        target = self.picture_rect()
        if self._presentation is None or not drawables:
            return QRegion(QRectF(target.topLeft(), QSizeF(1, 1)).toAlignedRect())
        to_screen, line_scale = self.to_screen(), theme.line_scale(self.height())
        region = QRegion()
        for drawable in drawables:
            region |= bounds(drawable, to_screen, line_scale).toAlignedRect()
        return region

    def _placement(self) -> Placement | None:
        if self._presentation is None or self._image is None:
            return None
        frame = self._presentation.frame
        return place((frame.width_px, frame.height_px), self._aspect, self._size_px(), self._view)

    def _size_px(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio))
