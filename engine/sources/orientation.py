"""How a still picture is to be turned: the orientation in its EXIF block, for every reader alike.

A camera stores the pixels as its sensor lies and notes how they are to be shown; every viewer and most tools
to draw masks with show them so. Format: CIPA DC-008 (Exif), tag 0x0112 of the first directory.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

AS_STORED = 1
TAG = 0x0112
TIFF = (b"II*\0", b"MM\0*")
WORDS = {
    1: "as stored",
    2: "mirrored left to right",
    3: "turned by 180 degrees",
    4: "mirrored top to bottom",
    5: "mirrored along the main diagonal",
    6: "turned by 90 degrees clockwise",
    7: "mirrored along the other diagonal",
    8: "turned by 90 degrees counterclockwise",
}
Array = npt.NDArray[Any]


def orientation_of(data: bytes) -> int:
    """1 to 8 of a JPEG, PNG, WebP or TIFF file's bytes; 1 where it says nothing, or nothing that is valid."""
    try:
        block = _tiff_block(data)
        found = _tag(block) if block else AS_STORED
    except (struct.error, IndexError):
        return AS_STORED
    return found if found in WORDS else AS_STORED


def oriented(pixels: Array, orientation: int) -> Array:
    """[h, w] or [h, w, c] as they are to be shown; a view where that is enough."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def upright(decoded: Array, data: bytes) -> Array:
    """What cv2.imdecode makes of the file's bytes with IMREAD_IGNORE_ORIENTATION or IMREAD_UNCHANGED, as it
    is to be shown. OpenCV turns TIFF whatever it is asked."""
    return decoded if data[:4] in TIFF else oriented(decoded, orientation_of(data))


def _tiff_block(data: bytes) -> bytes | None:
    """Where the Exif block lies in each kind of file."""
    if data[:2] == b"\xff\xd8":
        return _of_jpeg(data)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _of_chunks(data, 8, b"eXIf", ">I", length_first=True)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        block = _of_chunks(data, 12, b"EXIF", "<I", length_first=False)
        return block[6:] if block and block.startswith(b"Exif\0\0") else block
    return data if data[:4] in TIFF else None


def _of_jpeg(data: bytes) -> bytes | None:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, size = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == 0xDA:  # the pixels begin
            return None
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            return data[at + 10 : at + 2 + size]
        at += 2 + size
    return None


def _of_chunks(data: bytes, at: int, name: bytes, number: str, *, length_first: bool) -> bytes | None:
    while at + 8 <= len(data):
        first, second = data[at : at + 4], data[at + 4 : at + 8]
        size = struct.unpack(number, first if length_first else second)[0]
        if (second if length_first else first) == name:
            return data[at + 8 : at + 8 + size]
        at += 8 + size + (4 if length_first else size % 2)  # PNG has a checksum, RIFF pads to even
    return None


def _tag(block: bytes) -> int:
    order = "<" if block[:2] == b"II" else ">"
    (at,) = struct.unpack_from(f"{order}I", block, 4)
    (entries,) = struct.unpack_from(f"{order}H", block, at)
    for entry in range(min(entries, 512)):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", block, at + 2 + 12 * entry)
        if tag == TAG:
            return int(value) if kind == 3 else AS_STORED
    return AS_STORED
