"""Small pictures of the recording, fetched from the side-car when they are first wanted."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from app.review.side_car import SideCarThread
from engine.review.pictures import picture_at
from engine.review.store import SideCar

KEPT = 800
NEAR = 75  # frames: what is further away may give way to a nearer one as more is analysed
TELL_AFTER_MS = 40  # the first is told at once; many come together, and one painting shows them all


class SmallPictures(QObject):
    """`of` gives the picture nearest to a rank, None until it is there; `came`: there are more."""

    came = Signal()

    def __init__(self, side_car: SideCarThread, parent: QObject) -> None:
        super().__init__(parent)
        self._side_car = side_car
        self._images: OrderedDict[int, QImage] = OrderedDict()  # by their own ranks
        self._ranks: list[int] = []  # the same, in order
        self._nearest: dict[int, int] = {}  # of the ranks that were asked for
        self._asked: set[int] = set()
        self._far: set[int] = set()
        self._tell = QTimer(self)
        self._tell.setSingleShot(True)
        self._tell.setInterval(TELL_AFTER_MS)
        self._tell.timeout.connect(self._tell_more)
        self._more = False

    def of(self, rank: int) -> QImage | None:
        own = self._nearest.get(rank, -1)
        image = self._images.get(own)
        if image is not None:
            self._images.move_to_end(own)
        if rank not in self._asked:
            self._asked.add(rank)
            self._side_car.ask(lambda car: _read(car, rank), lambda found: self._take(rank, found))
        return image

    def near(self, rank: int) -> QImage | None:
        """One that is there and not far, at once; asks for the nearest where none is."""
        at = bisect_left(self._ranks, rank)
        known = min(self._ranks[max(0, at - 1) : at + 1], key=lambda one: abs(one - rank), default=None)
        if known is not None and abs(known - rank) <= NEAR // 2:
            return self._images[known]
        return self.of(rank)

    def renew(self) -> None:
        """More is analysed: what was the nearest may no longer be it."""
        self._asked -= self._far
        self._far.clear()

    def _take(self, rank: int, found: tuple[int, QImage] | None) -> None:
        if found is None or abs(found[0] - rank) > NEAR:
            self._far.add(rank)
        if found is None:
            return
        own, image = found
        if own not in self._images:
            insort(self._ranks, own)
        self._images[own] = image
        self._nearest[rank] = own
        while len(self._images) > KEPT:
            old, _ = self._images.popitem(last=False)
            self._ranks.remove(old)
            gone = [asked for asked, its in self._nearest.items() if its == old]
            for asked in gone:
                del self._nearest[asked]
            self._asked.difference_update(gone)
        if self._tell.isActive():
            self._more = True
        else:
            self._tell.start()
            self.came.emit()

    def _tell_more(self) -> None:
        if self._more:
            self._more = False
            self._tell.start()
            self.came.emit()


def _read(car: SideCar, rank: int) -> tuple[int, QImage] | None:
    found = picture_at(car.database, rank)
    if found is None:
        return None
    pixels = found[1]
    high, wide = pixels.shape[:2]
    image = QImage(pixels.tobytes(), wide, high, wide * 3, QImage.Format.Format_BGR888)
    return found[0], image.copy()  # of its own: the bytes go
