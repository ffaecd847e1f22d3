"""Dragging along the time line: the nearest small picture at once, the exact frame as soon as it is there."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.player.canvas import Canvas
from engine.types import Presentation

REST_MS = 60  # the mouse stands: a frame that takes long is looked for now, and none before it is in its way
QUICK_S = 0.08  # an exact frame that came this soon is shown all along the drag
PATIENCE_MS = 3000  # a frame that is missing never comes


class StandIn(QWidget):
    """A small picture over the canvas, in place of a frame that is being looked for."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._canvas = canvas
        self._image: QImage | None = None
        self.hide()

    @property
    def image(self) -> QImage | None:
        """What is seen of it; None: the frame itself is."""
        return self._image

    def show_image(self, image: QImage) -> None:
        self._image = image
        self.show()
        self.update()

    def withdraw(self) -> None:
        self._image = None
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image is None:
            return
        painter = QPainter(self)
        painter.setClipRect(self._canvas.picture_rect())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self._place(self._image), self._image)
        painter.end()

    def _place(self, image: QImage) -> QRectF:
        """Where the endoscope's picture is; small pictures show nothing else."""
        target, shown = self._canvas.picture_rect(), self._canvas.presentation
        if shown is not None and shown.result is not None:
            box, frame = shown.result.mask.roi, shown.frame
            across, down = target.width() / frame.width_px, target.height() / frame.height_px
            return QRectF(
                target.x() + box.x * across, target.y() + box.y * down, box.w * across, box.h * down
            )
        size = image.size().scaled(target.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(QPointF(0, 0), size.toSizeF())
        place.moveCenter(target.center())
        return place


class Scrub(QObject):
    """`drag` while the button is down, `go` where it is let go or clicked; seconds of the recording.

    `picture`: the small one that is nearest to a time, None while there is none; `seek`: to the exact frame.
    One frame at most is looked for at a time, and always the last one that was wanted.
    """

    def __init__(
        self,
        stand_in: StandIn,
        picture: Callable[[float], QImage | None],
        seek: Callable[[float], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._stand_in = stand_in
        self._picture = picture
        self._seek = seek
        self._wanted_s: float | None = None  # None: what is wanted is shown
        self._sought_s: float | None = None  # what the player was asked for last, until it shows it
        self._asked_at_s = 0.0
        self._serial = -1  # of the seek before that
        self._took_s = QUICK_S
        self._presentation: Presentation | None = None
        self._rest = _timer(self, REST_MS, self._go)
        self._patience = _timer(self, PATIENCE_MS, self._came)

    def drag(self, at_s: float) -> None:
        self._wanted_s = at_s
        self.look()
        self._rest.start()
        if self._took_s <= QUICK_S:
            self._go()

    def go(self, at_s: float) -> None:
        self._wanted_s = at_s
        self.look()
        self._rest.stop()
        self._go()

    def look(self) -> None:
        """There may be a small picture by now."""
        if self._wanted_s is not None and (image := self._picture(self._wanted_s)) is not None:
            self._stand_in.show_image(image)

    def show(self, presentation: Presentation | None) -> None:
        """What the player shows now."""
        self._presentation = presentation
        if presentation is None or self._sought_s is None or presentation.frame.seek_serial == self._serial:
            return
        self._took_s = time.monotonic() - self._asked_at_s
        self._came()

    def _go(self) -> None:
        if self._wanted_s is None or self._sought_s is not None:
            return
        shown = self._presentation
        self._serial = -1 if shown is None else shown.frame.seek_serial
        self._sought_s, self._asked_at_s = self._wanted_s, time.monotonic()
        self._patience.start()
        self._seek(self._wanted_s)

    def _came(self) -> None:
        """The frame that was looked for, or none will."""
        if self._wanted_s == self._sought_s:
            self._end()
            return
        self._sought_s = None  # the drag has gone on meanwhile
        if self._took_s <= QUICK_S or not self._rest.isActive():
            self._go()

    def _end(self) -> None:
        self._patience.stop()
        self._wanted_s = self._sought_s = None
        self._stand_in.withdraw()


def _timer(owner: QObject, after_ms: int, act: Callable[[], None]) -> QTimer:
    timer = QTimer(owner)
    timer.setSingleShot(True)
    timer.setInterval(after_ms)
    timer.timeout.connect(act)
    return timer
