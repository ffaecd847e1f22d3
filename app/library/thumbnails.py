"""Small pictures of recordings, fetched when a row is painted first."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from app.library.reading import Reading

KEPT = 600
TELL_AFTER_MS = 40  # many come at once, and one painting shows them all


class Thumbnails(QObject):
    """`of` gives that of a side-car, None until it is there; `came`: there are more."""

    came = Signal()

    def __init__(self, reading: Reading, parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading
        self._images: OrderedDict[Path, QImage] = OrderedDict()
        self._asked: set[Path] = set()
        self._tell = QTimer(self)
        self._tell.setSingleShot(True)
        self._tell.setInterval(TELL_AFTER_MS)
        self._tell.timeout.connect(self.came)

    def of(self, folder: Path | None) -> QImage | None:
        if folder is None:
            return None
        if (image := self._images.get(folder)) is not None:
            self._images.move_to_end(folder)
        elif folder not in self._asked:
            self._asked.add(folder)
            self._reading.ask(lambda: _read(self._reading, folder), lambda found: self._take(folder, found))
        return image

    def renew(self) -> None:
        """Recordings that had no picture yet may have one by now."""
        self._asked.intersection_update(self._images)

    def _take(self, folder: Path, image: QImage | None) -> None:
        if image is None:
            return
        self._images[folder] = image
        while len(self._images) > KEPT:
            old, _ = self._images.popitem(last=False)
            self._asked.discard(old)
        if not self._tell.isActive():
            self._tell.start()


def _read(reading: Reading, folder: Path) -> QImage | None:
    data = reading.library.thumbnail(folder)
    image = QImage.fromData(data) if data else QImage()
    return None if image.isNull() else image
