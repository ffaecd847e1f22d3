"""The time line under the picture: lanes over one axis, zoomed at the mouse, clicked to the exact frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.review.along.lanes import LANES, Axis, Content, Lane
from app.widgets import theme, words
from app.widgets.controls import label

NAMES_PX = 80
AXIS_PX = 22
LEAST_S = 0.2  # that can be seen at once
ZOOM_A_NOTCH = 1.25


class Timeline(QWidget):
    """Seconds are those since the recording's beginning. `sought`: a person wants that place, exactly.

    `dragged`: while the button is down. `hovered` carries a time and a place on the screen, or None.
    """

    sought = Signal(float)
    dragged = Signal(float)
    hovered = Signal(object)  # tuple[float, QPoint] | None
    viewed = Signal(float, float)  # what is seen of it

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Time line")
        self.content = Content()
        self._length_s = 0.0
        self._wanted = (0.0, 0.0)
        self._box = _ViewBox(self)
        self._axis = _ClockAxis()
        self._plot = pg.PlotWidget(
            viewBox=self._box, axisItems={"bottom": self._axis}, background=theme.SURFACE
        )
        self._plot.setFrameShape(self._plot.Shape.NoFrame)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        item = self._plot.getPlotItem()
        item.hideAxis("left")
        item.hideButtons()
        item.setMenuEnabled(False)
        item.layout.setContentsMargins(0, 0, 0, 0)
        self._axis.setHeight(AXIS_PX)
        self._axis.setStyle(showValues=False)  # of nothing there is no time
        self._box.setDefaultPadding(0)
        self._box.invertY(True)
        self._box.setMouseEnabled(x=True, y=False)
        self._items: list[_LaneItem] = []
        self._range = pg.LinearRegionItem(
            movable=False, brush=theme.colour(theme.ACCENT, 0.15), pen=theme.colour(theme.ACCENT)
        )
        self._range.hide()
        self._cursor = pg.InfiniteLine(0.0, pen=pg.mkPen(theme.TEXT, width=1))
        for over in (self._range, self._cursor):
            self._box.addItem(over)
        self._box.sigXRangeChanged.connect(lambda _, seen: self.viewed.emit(*seen))
        self._plot.scene().sigMouseMoved.connect(self._hover)
        self._names = QVBoxLayout()
        self._name_labels: list[QLabel] = []
        self._lay_out()
        self.set_lanes(LANES)

    # What is shown

    def set_lanes(self, lanes: Sequence[Lane]) -> None:
        """From top to bottom."""
        if [item.lane for item in self._items] == [*lanes]:
            return
        for item in self._items:
            self._box.removeItem(item)
        while self._name_labels:
            self._name_labels.pop().deleteLater()
        self._items, top = [], 0
        for lane in lanes:
            item = _LaneItem(lane, top, self)
            self._box.addItem(item)
            self._items.append(item)
            self._name_labels.append(_name(lane))
            self._names.addWidget(self._name_labels[-1])
            top += lane.height_px
        self._box.setYRange(0, top, padding=0)
        self.setFixedHeight(top + AXIS_PX)

    def set_length(self, length_s: float) -> None:
        """Of the recording; all of it is seen until somebody zooms."""
        if length_s > 0 and length_s != self._length_s:
            first, last = self.part
            self._length_s = length_s
            self._axis.setStyle(showValues=True)
            self.show_content(is_open=True)
            self._box.setLimits(xMin=0.0, xMax=length_s, minXRange=LEAST_S, maxXRange=length_s)
            if last > 0.0:
                self.see(first, last)
            else:
                self.fit()

    def begin_with(self, from_s: float, to_s: float) -> None:
        """See that part, also when the length comes later; both 0: all of it."""
        self._wanted = (from_s, to_s)
        if to_s > from_s and self._length_s:
            self.see(from_s, to_s)

    @property
    def part(self) -> tuple[float, float]:
        """What is seen; (0, 0) while that is all of it."""
        if not self._length_s:
            return self._wanted
        first, last = self.seen
        is_all = first <= 0.0 and last >= self._length_s
        return (0.0, 0.0) if is_all else (first, last)

    def show_content(self, **changes: object) -> None:
        """Fields of `Content`; what is not named stays as it was."""
        self.content = replace(self.content, **changes)  # type: ignore[arg-type]
        self.repaint_lanes()

    def repaint_lanes(self) -> None:
        for item in self._items:
            item.change()

    def set_cursor(self, at_s: float) -> None:
        """What is seen goes along, unless a person looks elsewhere."""
        before_s = self._cursor.value()
        self._cursor.setValue(at_s)
        first, last = self.seen
        if before_s != at_s and first <= before_s <= last:
            self.reveal(at_s)

    def set_range(self, ends_s: tuple[float, float] | None) -> None:
        """The part that is looped."""
        self._range.setVisible(ends_s is not None)
        if ends_s is not None:
            self._range.setRegion(ends_s)

    @property
    def seen(self) -> tuple[float, float]:
        first, last = self._box.viewRange()[0]
        return float(first), float(last)

    def see(self, from_s: float, to_s: float) -> None:
        self._box.setXRange(from_s, to_s, padding=0)

    def fit(self) -> None:
        """All of it."""
        if self._length_s:
            self.see(0.0, self._length_s)

    def reveal(self, at_s: float) -> None:
        """Move what is seen, as far as it must, for this place to be among it."""
        first, last = self.seen
        if not first <= at_s <= last:
            wide = last - first
            begin = min(max(0.0, at_s - wide / 2), max(0.0, self._length_s - wide))
            self.see(begin, begin + wide)

    def x_of(self, at_s: float) -> float:
        """Where that is on this widget, px."""
        return NAMES_PX + self.axis().x_px(at_s)

    def axis(self) -> Axis:
        return Axis(*self.seen, max(1.0, self._box.width()))

    # Inside

    def _hover(self, at: QPointF) -> None:
        if not self._box.sceneBoundingRect().contains(at):
            self.hovered.emit(None)
            return
        at_s = min(max(self._box.mapSceneToView(at).x(), 0.0), self._length_s)
        place = self._plot.mapToGlobal(self._plot.mapFromScene(QPointF(at.x(), 0)))
        self.hovered.emit((float(at_s), place))

    def leaveEvent(self, event: object) -> None:
        self.hovered.emit(None)

    def seek_to(self, at_s: float) -> None:
        self.sought.emit(self._within(at_s))

    def drag_to(self, at_s: float) -> None:
        at_s = self._within(at_s)
        self.set_cursor(at_s)
        self.dragged.emit(at_s)

    def _within(self, at_s: float) -> float:
        return min(max(at_s, 0.0), self._length_s)

    def _lay_out(self) -> None:
        self._names.setContentsMargins(theme.S, 0, 0, AXIS_PX)
        self._names.setSpacing(0)
        side = QWidget()
        side.setFixedWidth(NAMES_PX)
        side.setLayout(self._names)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, theme.S, 0)
        row.setSpacing(0)
        row.addWidget(side)
        row.addWidget(self._plot, 1)


def _name(lane: Lane) -> QLabel:
    name = label(lane.name, role=theme.CAPTION, tone="secondary")
    name.setFixedHeight(lane.height_px)
    name.setToolTip(lane.tip)
    return name


class _ViewBox(pg.ViewBox):  # type: ignore[misc]
    """Left button: go there, drag = scrub. Wheel: zoom at the mouse; with Shift, or the right button: pan."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(enableMenu=False)
        self._timeline = timeline

    def mouseClickEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        if event.button() is Qt.MouseButton.LeftButton:
            event.accept()
            if event.double():
                self._timeline.fit()
            else:
                self._timeline.seek_to(self.mapSceneToView(event.scenePos()).x())

    def mouseDragEvent(self, event, axis=None) -> None:  # type: ignore[no-untyped-def]
        event.accept()
        at_s = self.mapSceneToView(event.scenePos()).x()
        if event.button() is Qt.MouseButton.LeftButton:
            (self._timeline.seek_to if event.isFinish() else self._timeline.drag_to)(at_s)
        else:
            before_s = self.mapSceneToView(event.lastScenePos()).x()
            self._pan(before_s - at_s)

    def wheelEvent(self, event, axis=None) -> None:  # type: ignore[no-untyped-def]
        event.accept()
        notches = event.delta() / 120
        first, last = self._timeline.seen
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._pan(-notches * (last - first) / 10)
            return
        at_s = self.mapSceneToView(event.scenePos()).x()
        by = ZOOM_A_NOTCH**-notches
        self._timeline.see(at_s - (at_s - first) * by, at_s + (last - at_s) * by)

    def _pan(self, by_s: float) -> None:
        self.translateBy(x=by_s, y=0)


class _ClockAxis(pg.AxisItem):  # type: ignore[misc]
    """Seconds as h:mm:ss."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self.setPen(theme.LINE)
        self.setTextPen(theme.SECONDARY)
        self.setStyle(tickFont=theme.font(theme.CAPTION_PX), tickLength=-theme.XS, maxTickLevel=1)
        self.enableAutoSIPrefix(False)

    def tickStrings(self, values, scale, spacing):  # type: ignore[no-untyped-def]
        said = words.duration if spacing >= 1.0 else words.short_clock if spacing >= 0.1 else words.clock
        return [said(value) for value in values]


class _LaneItem(pg.GraphicsObject):  # type: ignore[misc]
    """One lane: painted in the pixels of the screen, whatever the axis shows."""

    def __init__(self, lane: Lane, top_px: float, timeline: Timeline) -> None:
        super().__init__()
        self.lane, self._top_px, self._timeline = lane, top_px, timeline
        self._painted: tuple[tuple[tuple[float, float], QSizeF], QPixmap] | None = None

    def change(self) -> None:
        """What it shows has changed."""
        self._painted = None
        self.update()

    def boundingRect(self) -> QRectF:
        first, last = self._timeline.seen
        return QRectF(first, self._top_px, max(last - first, 1e-6), self.lane.height_px)

    def viewRangeChanged(self) -> None:
        self.prepareGeometryChange()
        self.update()

    def paint(self, painter: QPainter, *_: object) -> None:
        box = self.getViewBox()
        area = self.mapRectToDevice(self.boundingRect())
        if box is None or area is None:
            return
        seen = self._timeline.seen
        if self._painted is None or self._painted[0] != (seen, area.size()):
            self._painted = (
                (seen, area.size()),
                self._picture(seen, area, painter.device().devicePixelRatioF()),
            )
        painter.save()
        painter.resetTransform()
        painter.drawPixmap(area.topLeft(), self._painted[1])
        painter.restore()

    def _picture(self, seen: tuple[float, float], area: QRectF, ratio: float) -> QPixmap:
        """Kept until something in it changes: while a recording plays, the cursor moves with every frame."""
        picture = QPixmap((area.size() * ratio).toSize())
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        inner = QRectF(0, 0, area.width(), area.height()).adjusted(0, 1, 0, -1)
        self.lane.paint(painter, inner, Axis(*seen, area.width()), self._timeline.content)
        painter.end()
        return picture
