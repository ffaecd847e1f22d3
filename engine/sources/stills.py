"""Still pictures as they are to be shown: all pages of a file, upright, eight bits a channel.

The one reader of pictures for the window, `analyse` and the training. Formats: TIFF 6.0 and BigTIFF, APNG 1.0
(acTL), WebP container (ANMF). OpenCV decodes; this knows how many pages there are, which OpenCV does not say.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import numpy.typing as npt

from engine.sources.orientation import upright
from engine.types import U8

_PNG, _TIFFS = b"\x89PNG\r\n\x1a\n", {b"II*\0": "<", b"MM\0*": ">"}
_BIG_TIFFS = {b"II+\0": "<", b"MM\0+": ">"}
_MOST_PAGES = 100_000
# What cameras and microscopes put into 16 bits; of a picture with more, all 16 count.
_SMALL_DEPTHS = (8, 10, 12)
COLOUR = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
_BLOCK_PAGES = 8


@dataclass(frozen=True, slots=True)
class Still:
    """`pixels` uint8 [h, w, 3] BGR; `bits` that were used of a 16-bit channel, 0 of others."""

    pixels: U8
    bits: int = 0


def page_count(path: Path) -> int:
    """How many pages or frames a picture file says that it has; 1 where it does not say. Raises OSError."""
    with path.open("rb") as stream:
        head = stream.read(16)
        try:
            if head[:8] == _PNG:
                return max(1, _png_frames(stream))
            if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
                return max(1, _webp_frames(stream))
            if head[:4] in _TIFFS:
                return max(1, _tiff_pages(stream, _TIFFS[head[:4]], big=False))
            if head[:4] in _BIG_TIFFS:
                return max(1, _tiff_pages(stream, _BIG_TIFFS[head[:4]], big=True))
        except struct.error:  # cut short
            return 1
    return 1


class Pages:
    """The pages of one file after the other, a few decoded together. For one thread."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._data = b""
        self._first = 0
        self._stills: list[Still] = []

    def read(self, path: Path, page: int, pages: int) -> Still | None:
        """Page `page` of `pages`; None when it cannot be read."""
        if path != self._path:
            self._path, self._data, self._stills = path, _bytes_of(path), []
        if not self._first <= page < self._first + len(self._stills):
            self._first, self._stills = page, decode_pages(self._data, page, pages)
        place = page - self._first
        return self._stills[place] if place < len(self._stills) else None


def decode_pages(data: bytes, first: int, pages: int) -> list[Still]:
    """Up to 8 pages from `first` on of a file's bytes; fewer where they are damaged."""
    if not data:
        return []
    count = min(_BLOCK_PAGES, pages - first)
    flat: npt.NDArray[np.uint8] = np.frombuffer(data, np.uint8)
    decoded: list[Any]
    try:
        if pages == 1:
            # Not imread: on Windows it opens no name beyond ASCII.
            decoded = [cv2.imdecode(flat, COLOUR)]
        elif data[:4] in _TIFFS or data[:4] in _BIG_TIFFS:
            _, found = cv2.imdecodemulti(flat, COLOUR, range=(first, first + count))
            decoded = list(found)
        else:
            _, animation = cv2.imdecodeanimation(flat.reshape(1, -1), start=first, count=count)
            decoded = [frame[..., :3] for frame in animation.frames]
    except (cv2.error, TypeError):
        return []
    return [eight_bit(upright(np.asarray(pixels), data)) for pixels in decoded if pixels is not None]


def eight_bit(pixels: npt.NDArray[Any]) -> Still:
    """Of 16 bits those that were used: a 12-bit camera's picture would be almost black."""
    if pixels.dtype == np.uint8:
        return Still(np.ascontiguousarray(pixels, np.uint8))
    if pixels.dtype != np.uint16:
        return Still(np.clip(pixels * (255.0 if pixels.max() <= 1 else 1.0), 0, 255).astype(np.uint8))
    highest = int(pixels.max())
    bits = next((bits for bits in _SMALL_DEPTHS if 0 < highest < 1 << bits), 16)
    return Still((pixels >> (bits - 8)).astype(np.uint8), bits)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _png_frames(stream: BinaryIO) -> int:
    stream.seek(8)
    while (head := stream.read(8)) and head[4:] != b"IDAT":  # acTL lies in front of the pixels
        (size,) = struct.unpack(">I", head[:4])
        if head[4:] == b"acTL":
            return int(struct.unpack(">I", stream.read(4))[0])
        stream.seek(size + 4, os.SEEK_CUR)
    return 1


def _webp_frames(stream: BinaryIO) -> int:
    stream.seek(12)
    frames = 0
    while len(head := stream.read(8)) == 8 and frames < _MOST_PAGES:
        (size,) = struct.unpack("<I", head[4:])
        frames += head[:4] == b"ANMF"
        if head[:4] in (b"VP8 ", b"VP8L"):
            return 1
        stream.seek(size + size % 2, os.SEEK_CUR)
    return frames


def _tiff_pages(stream: BinaryIO, order: str, *, big: bool) -> int:
    """Directories that follow each other; a circle ends."""
    pointer, entry_bytes, count = (f"{order}Q", 20, f"{order}Q") if big else (f"{order}I", 12, f"{order}H")
    stream.seek(8 if big else 4)
    seen: set[int] = set()
    try:
        while len(seen) < _MOST_PAGES:
            (at,) = struct.unpack(pointer, stream.read(struct.calcsize(pointer)))
            if at == 0 or at in seen:
                break
            seen.add(at)
            stream.seek(at)
            (entries,) = struct.unpack(count, stream.read(struct.calcsize(count)))
            stream.seek(entries * entry_bytes, os.SEEK_CUR)
    except struct.error:  # cut short: the page that is not there was promised
        pass
    return len(seen)
