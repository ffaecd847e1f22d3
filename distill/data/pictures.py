"""One reading of a picture file for all that is asked of it: pixels, whether it is whole, its hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from distill.data.mask_values import Array
from engine.sources.orientation import AS_STORED, orientation_of, upright
from engine.sources.stills import COLOUR, eight_bit, page_count
from engine.types import U8


@dataclass(frozen=True, slots=True)
class PictureFile:
    """`pixels` uint8 [h, w] grey, or [h, w, 3] blue first, as they are to be shown; `sha256` of the file.

    `orientation`: how the stored pixels were turned for that, 1 to 8 as EXIF counts.
    """

    pixels: U8
    sha256: str
    orientation: int = AS_STORED


def read_picture(path: Path, colour: bool = False) -> PictureFile:
    """As the window shows it. Raises ValueError, in words for a list of problems: not there, cut short, not a
    picture, several."""
    data = read_data(path)
    one_page(path)
    flag = COLOUR if colour else cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = eight_bit(upright(decoded(data, flag), data)).pixels
    return PictureFile(
        pixels.astype(np.uint8, copy=False), hashlib.sha256(data).hexdigest(), orientation_of(data)
    )


def read_data(path: Path) -> bytes:
    """The file's bytes. Raises ValueError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from error


def one_page(path: Path) -> None:
    """Raises ValueError for a file of several pictures: a mask belongs to one."""
    pages = page_count(path)
    if pages > 1:
        raise ValueError(f"{pages} pages, where one picture is expected; save them one by one")


def decoded(data: bytes, flag: int) -> Array:
    """Raises ValueError for what is not a whole picture.

    From memory and not from the file: imread makes grey of what a cut JPEG lacks, imdecode refuses it.
    """
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag) if data else None
    except cv2.error:
        pixels = None
    if pixels is None:
        raise ValueError(f"not a whole picture ({len(data)} bytes)")
    return np.asarray(pixels)
