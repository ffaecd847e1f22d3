"""Small pictures of the recording, fetched from the side-car when they are first wanted."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from app.review.side_car import SideCarThread
from engine.review.pictures import picture_at
from engine.review.store import SideCar

KEPT = 800
NEAR = 75  # frames: what is further away may give way to a nearer one as more is analysed
TELL_AFTER_MS = 40  # many come at once, and one painting shows them all


class SmallPictures(QObject):
    """`of` gives the picture nearest to a rank, None until it is there; `came`: there are more."""

    came = Signal()

    def __init__(self, side_car: SideCarThread, parent: QObject) -> None:
        super().__init__(parent)
        self._side_car = side_car
        self._images: OrderedDict[int, QImage] = OrderedDict()  # by the rank that was asked for
        self._asked: set[int] = set()
        self._far: set[int] = set()
        self._tell = QTimer(self)
        self._tell.setSingleShot(True)
        self._tell.setInterval(TELL_AFTER_MS)
        self._tell.timeout.connect(self.came)

    def of(self, rank: int) -> QImage | None:
        image = self._images.get(rank)
        if image is not None:
            self._images.move_to_end(rank)
        if rank not in self._asked:
            self._asked.add(rank)
            self._side_car.ask(lambda car: _read(car, rank), lambda found: self._take(rank, found))
        return image

    def renew(self) -> None:
        """More is analysed: what was the nearest may no longer be it."""
        self._asked -= self._far
        self._far.clear()

    def _take(self, rank: int, found: tuple[int, QImage] | None) -> None:
        if found is None or abs(found[0] - rank) > NEAR:
            self._far.add(rank)
        if found is None:
            return
        self._images[rank] = found[1]
        while len(self._images) > KEPT:
            old, _ = self._images.popitem(last=False)
            self._asked.discard(old)
        if not self._tell.isActive():
            self._tell.start()


def _read(car: SideCar, rank: int) -> tuple[int, QImage] | None:
    found = picture_at(car.database, rank)
    if found is None:
        return None
    pixels = found[1]
    high, wide = pixels.shape[:2]
    image = QImage(pixels.tobytes(), wide, high, wide * 3, QImage.Format.Format_BGR888)
    return found[0], image.copy()  # of its own: the bytes go
