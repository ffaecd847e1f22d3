"""One reading of a picture file for all that is asked of it: pixels, whether it is whole, its hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.types import U8


@dataclass(frozen=True, slots=True)
class PictureFile:
    """`pixels` uint8 [h, w] grey, or [h, w, 3] blue first; `sha256` of the file."""

    pixels: U8
    sha256: str


def read_picture(path: Path, colour: bool = False) -> PictureFile:
    """Raises ValueError, in words for a list of problems: not there, cut short, not a picture.

    From memory and not from the file: imread makes grey of what a cut JPEG lacks, imdecode refuses it.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from error
    flag = cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag) if data else None
    except cv2.error:
        pixels = None
    if pixels is None:
        raise ValueError(f"not a whole picture ({len(data)} bytes)")
    return PictureFile(pixels.astype(np.uint8, copy=False), hashlib.sha256(data).hexdigest())
