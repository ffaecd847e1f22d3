"""Full screen: the side panel goes, and after 2 s without the mouse all but picture, word and edge."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import QWidget

from app.widgets import theme

# Asking where the mouse is costs less than hearing of every move over every child.
LOOK_EVERY_MS = 250


def platform() -> str:
    """What Qt draws on: "xcb" (X11), "wayland", "windows", "cocoa", "offscreen" ..."""
    return QGuiApplication.platformName()


class FullScreen(QObject):
    """`changed`: entered or left. `rests`: whether the mouse has been still for long enough."""

    changed = Signal(bool)
    rests = Signal(bool)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._before = Qt.WindowState.WindowNoState
        self._alone: QRect | None = None  # the window's place before it filled the screen by itself
        self._at = QPoint()
        self._still_ms = 0
        self._hidden = False
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)

    @property
    def is_on(self) -> bool:
        return self._timer.isActive()

    @property
    def is_resting(self) -> bool:
        """Whether the mouse has been still for long enough."""
        return self._hidden

    def toggle(self) -> None:
        self.leave() if self.is_on else self.enter()

    def enter(self) -> None:
        if self.is_on:
            return
        self._before = self._window.windowState() & Qt.WindowState.WindowMaximized
        self._at, self._still_ms = QCursor.pos(), 0
        self._window.showFullScreen()
        self._timer.start()
        self.changed.emit(True)

    def leave(self) -> None:
        if not self.is_on:
            return
        self._timer.stop()
        self._hide(False)
        self._window.setWindowState(self._before)
        self._window.show()
        if self._alone is not None and self._before == Qt.WindowState.WindowNoState:
            self._window.setGeometry(self._alone)
        self._alone = None
        self.changed.emit(False)

    def wake(self) -> None:
        """Somebody uses the keyboard to reach what has gone: it comes back as for the mouse."""
        self._still_ms = 0
        self._hide(False)

    def stop(self) -> None:
        """The window closes."""
        self._timer.stop()
        self._hide(False)

    def _look(self) -> None:
        at = QCursor.pos()
        if at != self._at:
            self._at, self._still_ms = at, 0
        else:
            self._still_ms += LOOK_EVERY_MS
        self._hide(self._still_ms >= theme.HIDE_AFTER_MS)
        self._fill_screen()

    def _fill_screen(self) -> None:
        # X11 without a window manager (an appliance, Xvfb): nobody else gives the window its size.
        screen = self._window.screen().geometry()
        if self._alone is None and platform() == "xcb" and self._window.size() != screen.size():
            self._alone = self._window.geometry()
            self._window.setGeometry(screen)

    def _hide(self, hide: bool) -> None:
        if hide == self._hidden:
            return
        self._hidden = hide
        if hide:
            QGuiApplication.setOverrideCursor(Qt.CursorShape.BlankCursor)
        else:
            QGuiApplication.restoreOverrideCursor()
        self.rests.emit(hide)
