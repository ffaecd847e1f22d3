"""A slider that comes to where one clicks, with a part and single values marked."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSlider, QStyle, QStyleOptionSlider, QWidget

from app.widgets import theme


class JumpSlider(QSlider):
    """A slider whose handle comes to where one clicks. `scrubbed`: a person moved it, to this value."""

    scrubbed = Signal(int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.actionTriggered.connect(lambda _: self.scrubbed.emit(self.sliderPosition()))
        self._marked: tuple[int, int] | None = None
        self._points: tuple[int, ...] = ()

    @property
    def points(self) -> tuple[int, ...]:
        return self._points

    def set_points(self, points: tuple[int, ...]) -> None:
        """Mark single values, above the groove: moments that a person wants to find again."""
        if points != self._points:
            self._points = points
            self.update()

    @property
    def marked(self) -> tuple[int, int] | None:
        return self._marked

    def set_marked(self, marked: tuple[int, int] | None) -> None:
        """Mark a part, from one value to another, such as a loop."""
        if marked != self._marked:
            self._marked = marked
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._marked is None and not self._points:
            return
        painter = QPainter(self)
        for value in self._marked or ():
            top = (self.height() - theme.L) // 2
            painter.fillRect(QRect(self._x_of(value) - 1, top, 2, theme.L), theme.colour(theme.TEXT))
        for value in self._points:
            box = QRect(self._x_of(value) - 2, (self.height() - theme.L) // 2 - 2, 4, 4)
            painter.fillRect(box, theme.colour(theme.TEXT))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
            return
        self.setSliderDown(True)
        self._jump(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self._jump(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setSliderDown(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def _jump(self, x_px: float) -> None:
        groove, handle_px = self._groove()
        value = QStyle.sliderValueFromPosition(
            self.minimum(),
            self.maximum(),
            round(x_px - groove.x() - handle_px / 2),
            max(1, groove.width() - handle_px),
        )
        if value != self.value():
            self.setValue(value)
            self.scrubbed.emit(value)

    def _x_of(self, value: int) -> int:
        groove, handle_px = self._groove()
        room = max(1, groove.width() - handle_px)
        along = QStyle.sliderPositionFromValue(self.minimum(), self.maximum(), value, room)
        return groove.x() + handle_px // 2 + along

    def _groove(self) -> tuple[QRect, int]:
        """Where the handle runs, and how wide it is."""
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        control = QStyle.ComplexControl.CC_Slider
        parts = QStyle.SubControl
        groove: QRect = self.style().subControlRect(control, option, parts.SC_SliderGroove, self)
        handle: QRect = self.style().subControlRect(control, option, parts.SC_SliderHandle, self)
        return groove, handle.width()
