"""The source that is open: from asking for it to remembering what was seen in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice, QObject, Qt, Signal
from PySide6.QtGui import QImage, QImageWriter

from app.player.painter import image_of
from app.start.positions import Positions, worth_keeping
from app.start.recent import RecentItems, Watched
from app.widgets import theme
from engine.faults import Fault
from engine.sources import SEPARATOR
from engine.sources.base import SourceOptions, SourceSpec
from engine.types import Presentation, Snapshot, SourceState

if TYPE_CHECKING:
    from engine.live.pipeline import Pipeline  # cv2 and pydantic: not before the window is up

JPEG_QUALITY = 82


class Opening(QObject):
    """What is asked for before the pipeline is there is opened as soon as it is."""

    began = Signal()
    closed = Signal()
    first_picture = Signal()
    failed_at_once = Signal(object)  # Fault: nothing of it has ever been seen

    def __init__(self, recent: RecentItems, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._recent = recent
        self._pipeline: Pipeline | None = None
        self._spec: SourceSpec | None = None
        self.decode = "software"  # for every source of this run; see SourceOptions
        self._options = SourceOptions()
        self._positions = Positions()
        self.resume_s: float | None = None  # media time at which this recording was left
        self._id_before: str | None = None
        self._spec_before: SourceSpec | None = None  # also after it was closed
        self._snapshot: Snapshot | None = None
        self._seen = False
        self._has_marked_thumbnail = False
        self._watched = Watched()

    @property
    def spec(self) -> SourceSpec | None:
        return self._spec

    @property
    def title(self) -> str:
        """A name for it before it says its own."""
        return "" if self._spec is None else title_of(self._spec)

    @property
    def watched_s(self) -> int:
        """Seconds of it that were seen with a mask."""
        return self._watched.seen_s

    def connect_to(self, pipeline: Pipeline | None) -> None:
        self._pipeline = pipeline
        if pipeline is not None and self._spec is not None:
            pipeline.open(self._spec, self._options)

    def open(
        self, spec: SourceSpec, options: SourceOptions | None = None, *, from_start: bool = False
    ) -> None:
        """Close what is open and open this; `resume_s` tells where it was left, if that is wanted."""
        self._remember()
        spec = _whole(spec)
        self.resume_s = None if from_start else self._positions.of(spec)
        info = self._snapshot.info if self._snapshot is not None else None
        # The next snapshots may still be of the source before; the same source again is told by nothing.
        self._id_before = info.id if info is not None and spec != self._spec_before else None
        self._spec_before = spec
        self._spec, self._options = spec, replace(options or SourceOptions(), decode=self.decode)
        self._seen = self._has_marked_thumbnail = False
        self._watched = Watched()
        if self._pipeline is not None:
            self._pipeline.open(self._spec, self._options)
        self.began.emit()

    def open_again(self) -> None:
        """Try the same source once more, from its start."""
        if self._spec is not None:
            self.open(self._spec, self._options, from_start=True)

    def close(self) -> None:
        """Close the source, remembering what was marked in it."""
        self._remember()
        self._spec = None
        if self._pipeline is not None:
            self._pipeline.close_source()
        self.closed.emit()

    def take(self, snapshot: Snapshot) -> None:
        """Take note of the newest state."""
        self._snapshot = snapshot
        if self._spec is None or self._seen:
            return
        info = snapshot.info
        if info is not None and info.id != self._id_before and snapshot.presentation is not None:
            self._seen = True
            self._recent.opened(self._spec, info.title, None if info.live else info.duration_s)
            self._recent.keep_thumbnail(self._spec, thumbnail_of(snapshot.presentation))
            self.first_picture.emit()
        elif snapshot.source_state is SourceState.FAILED and snapshot.faults:
            self.failed_at_once.emit(_of_source(snapshot.faults))

    def painted(self, presentation: Presentation) -> None:
        """This picture was on the screen."""
        if self._spec is None or not self._seen:
            return
        self._watched.note(presentation)
        result = presentation.result
        if result is not None and result.components and not self._has_marked_thumbnail:
            self._has_marked_thumbnail = True
            self._recent.keep_thumbnail(self._spec, thumbnail_of(presentation))

    def _remember(self) -> None:
        if self._spec is not None and self._seen:
            self._recent.watched(self._spec, self._watched)
            self._positions.keep(self._spec, self._left_at())

    def _left_at(self) -> float | None:
        """Media time of the picture that stands there, None where nobody wants to come back to it."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.info is None or snapshot.presentation is None:
            return None
        frame, info = snapshot.presentation.frame, snapshot.info
        at_s = frame.index / info.rate_hz if info.rate_hz else frame.pts_s
        return frame.pts_s if worth_keeping(at_s, info.duration_s) else None


def _whole(spec: SourceSpec) -> SourceSpec:
    """A path that still means the same from another folder: recent items are opened from anywhere."""
    if spec.kind not in ("file", "images"):
        return spec
    return SourceSpec(spec.kind, str(Path(spec.address).absolute()))


def title_of(spec: SourceSpec) -> str:
    """What a source is called while it says nothing itself."""
    if spec.kind == "demo":
        return "the demonstration"
    if spec.kind == "stream":
        return spec.title
    path = spec.address.partition(SEPARATOR)[0]
    return Path(path).name if spec.kind in ("file", "images", "joined") else spec.address


def thumbnail_of(presentation: Presentation) -> Callable[[], bytes]:
    """Makes the JPEG when called, in whatever thread."""

    def encode() -> bytes:
        pixels = presentation.frame.image
        if pixels is None:
            return b""
        image: QImage = image_of(pixels).scaled(
            2 * theme.THUMBNAIL_PX[0],
            2 * theme.THUMBNAIL_PX[1],
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        writer = QImageWriter(buffer, b"jpg")
        writer.setQuality(JPEG_QUALITY)
        writer.write(image)
        return bytes(buffer.data().data())

    return encode


def _of_source(faults: tuple[Fault, ...]) -> Fault:
    """The newest fault of the source; others may stand beside it."""
    ours = [fault for fault in faults if fault.place == "source"]
    return (ours or list(faults))[-1]
