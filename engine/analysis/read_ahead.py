"""A source read in a thread of its own, a few pictures ahead: for work that may lose none (docs/adr/0002)."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from engine.faults import FaultError
from engine.sources.base import Picture, Source
from engine.sources.picture import VideoPicture
from engine.types import U8, Size

POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Item:
    """One picture, converted. `bgra` is uint8 [H, W, 4] where it was asked for; `tags` for an encoder."""

    index: int
    pts_s: float
    name: str | None
    width_px: int
    height_px: int
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
    """Iterate over it for every picture in order. Use as a context: leaving it ends the thread.

    Faults that are not fatal (the file breaks off, a still that is none) are kept in `faults`; a fatal one is
    raised where the pictures are taken.
    """

    def __init__(self, source: Source, size: Size, with_pixels: bool, ahead: int) -> None:
        self._source = source
        self._size = size
        self._with_pixels = with_pixels
        self._queue: queue.Queue[Item | BaseException | None] = queue.Queue(ahead)
        self._stopping = threading.Event()
        self._faults: list[FaultError] = []
        self._thread = threading.Thread(target=self._run, name="polyplive-read-ahead", daemon=True)

    @property
    def faults(self) -> tuple[FaultError, ...]:
        """Those met so far, in order."""
        return tuple(self._faults)

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
            if isinstance(item, BaseException):
                raise item
            yield item

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    picture = self._source.read()
                except FaultError as error:
                    if error.fatal:
                        raise
                    self._faults.append(error)
                    continue
                if picture is None:
                    self._put(None)
                    return
                self._put(self._item(picture))
        except BaseException as error:
            self._put(error)

    def _item(self, picture: Picture) -> Item:
        return Item(
            index=picture.index,
            pts_s=picture.pts_s,
            name=picture.name,
            width_px=picture.width_px,
            height_px=picture.height_px,
            rgb=picture.rgb(self._size),
            bgra=picture.bgra() if self._with_pixels else None,
            tags=_tags(picture) if self._with_pixels else None,
        )

    def _put(self, item: Item | BaseException | None) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=POLL_S)
                return


def _tags(picture: Picture) -> VideoTags | None:
    if not isinstance(picture, VideoPicture):
        return None
    frame = picture.frame
    time_base = frame.time_base
    if not time_base:
        return None
    return VideoTags(
        Fraction(time_base), int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc)
    )
