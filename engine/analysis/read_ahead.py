"""A source read in a thread of its own, a few pictures ahead: for work that may lose none (docs/adr/0002)."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from engine.faults import FaultCode, FaultError
from engine.sources.base import Picture, Source
from engine.sources.field_finder import FieldFinder, whole
from engine.sources.picture import VideoPicture
from engine.types import U8, Field, Size

POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Item:
    """One picture, converted. `bgra` is uint8 [H, W, 4] where it was asked for; `tags` for an encoder."""

    index: int
    pts_s: float
    name: str | None
    width_px: int
    height_px: int
    damaged: bool
    field: Field  # the endoscope's picture, which `rgb` shows alone
    rgb: U8  # uint8 [h, w, 3] at the network's size
    bgra: U8 | None
    tags: VideoTags | None


@dataclass(frozen=True, slots=True)
class VideoTags:
    """What a copy of the video has to say of itself: ticks a second, and ITU-T H.273 numbers."""

    time_base: Fraction
    matrix: int
    primaries: int
    transfer: int


class ReadAhead:
    """Iterate over it for every picture from rank `start` on. Use as a context: leaving it ends the thread.

    `finder`: tells what of a picture is given, None for all of it. Where the pictures are taken, `tell` hears
    the faults that are not fatal (the file breaks off, a still that is none). A fatal one ends them and is
    then `failure`.
    """

    def __init__(
        self,
        source: Source,
        size: Size,
        start: int,
        with_pixels: bool,
        ahead: int,
        tell: Callable[[FaultError], object],
        finder: FieldFinder | None = None,
    ) -> None:
        self._source = source
        self._size = size
        self._start = start
        self._with_pixels = with_pixels
        self._tell = tell
        self._finder = finder
        self._queue: queue.Queue[Item | FaultError | None] = queue.Queue(ahead)
        self._stopping = threading.Event()
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="polyplive-read-ahead", daemon=True)

    def __enter__(self) -> ReadAhead:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue.get_nowait()
        self._thread.join()

    def __iter__(self) -> Iterator[Item]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, Item):
                yield item
            else:
                self._tell(item)

    def _run(self) -> None:
        try:
            if self._start:
                self._jump()
            while not self._stopping.is_set():
                try:
                    picture = self._source.read()
                except FaultError as error:
                    if error.fatal:
                        raise
                    self._put(error)
                    continue
                if picture is None:
                    break
                if picture.index >= self._start:  # not those before it, nor the last one, for a start behind
                    self._put(self._item(picture))
        except BaseException as error:
            self.failure = error
        finally:
            self._put(None)

    def _jump(self) -> None:
        """To where it starts or, in a source without jumping, no further: then all before it is read."""
        try:
            self._source.seek(self._start)
        except FaultError as error:
            if error.code is not FaultCode.SEEK:
                raise

    def _item(self, picture: Picture) -> Item:
        size = Size(picture.width_px, picture.height_px)
        field = whole(size)
        if self._finder is not None:
            self._finder.look(picture, picture.pts_s)
            field = self._finder.field_of(picture, picture.pts_s)
        part = None if field.box == whole(size).box else field.box
        return Item(
            index=picture.index,
            pts_s=picture.pts_s,
            name=picture.name,
            width_px=picture.width_px,
            height_px=picture.height_px,
            damaged=picture.damaged,
            field=field,
            rgb=picture.rgb(self._size, part),
            bgra=picture.bgra() if self._with_pixels else None,
            tags=tags_of(picture) if self._with_pixels else None,
        )

    def _put(self, item: Item | FaultError | None) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=POLL_S)
                return


def tags_of(picture: Picture) -> VideoTags | None:
    """What a copy of the picture's video has to say; None where there is none."""
    if not isinstance(picture, VideoPicture):
        return None
    frame = picture.frame
    time_base = frame.time_base
    if not time_base:
        return None
    return VideoTags(
        Fraction(time_base), int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc)
    )
