"""One reading of a picture file for all that is asked of it: pixels, whether it is whole, its hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.types import U8

# Decoders fill the rest of a cut JPEG with grey and say so on stderr only.
ENDS = {b"\xff\xd8": b"\xff\xd9", b"\x89PNG": b"IEND"}
TAIL_BYTES = 4096  # some cameras and recorders write after the end


@dataclass(frozen=True, slots=True)
class PictureFile:
    """`pixels` uint8 [h, w] grey, or [h, w, 3] blue first; `sha256` of the file."""

    pixels: U8
    sha256: str


def read_picture(path: Path, colour: bool = False) -> PictureFile:
    """Raises ValueError, in words for a list of problems: not there, cut short, not a picture."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from error
    for start, end in ENDS.items():
        if data.startswith(start) and end not in data[-TAIL_BYTES:]:
            raise ValueError(f"cut short after {len(data)} bytes")
    flag = cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag) if data else None
    except cv2.error:
        pixels = None
    if pixels is None:
        raise ValueError("not a picture that can be read")
    return PictureFile(pixels.astype(np.uint8, copy=False), hashlib.sha256(data).hexdigest())
