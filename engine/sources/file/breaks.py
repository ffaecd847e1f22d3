"""Whether a video file is shorter than its own header says. Reads a few bytes, decodes nothing.

Demuxers end such a file as if it were whole: no error comes out of FFmpeg for a cut MP4 or MKV.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MAX_BOXES = 100_000
_TS_PACKET_BYTES = (188, 192, 204)
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_HEAD_BYTES = 65536
_OGG_PAGE, _OGG_LAST = b"OggS", 4
_OGG_TAIL_BYTES = 2 * 65536  # a page is shorter
_DV_HEADER = b"\x1f\x07\x00"  # the first block of a frame
_DV_FRAME_BYTES = {False: 120_000, True: 144_000}  # NTSC, PAL; DV50 and DV100 are multiples
_EBML_ID, _SEGMENT_ID = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


@dataclass(frozen=True, slots=True)
class Break:
    """What the header promised and what there is, in words that fit "Found ... instead of ..."."""

    expected: str
    got: str
    duration_s: float | None = None  # what the header says, where FFmpeg no longer does


def find_break(path: Path) -> Break | None:
    """Where the file breaks off, None when nothing says that it does. Raises OSError."""
    with path.open("rb") as stream:
        size_bytes = os.fstat(stream.fileno()).st_size
        head = stream.read(16)
        if head[:4] == _EBML_ID:
            promised_bytes = _matroska_bytes(stream)
        elif head[:4] == b"RIFF":
            promised_bytes = _riff_bytes(stream, size_bytes)
        elif is_mp4(head):
            promised_bytes = _mp4_bytes(stream, size_bytes)
        elif head == _ASF_HEADER:
            return _asf_break(stream, size_bytes)
        elif head[:4] == _OGG_PAGE:
            return _ogg_break(stream, size_bytes)
        elif head[:3] == _DV_HEADER:
            return _dv_break(size_bytes, head[3])
        elif head[:1] == b"\x47" or head[4:5] == b"\x47":
            return _transport_break(stream, size_bytes)
        else:
            return None
    if promised_bytes is None or promised_bytes <= size_bytes:
        return None
    return _short(promised_bytes, size_bytes)


def is_mp4(head: bytes) -> bool:
    """Whether these first bytes are those of an MP4 or QuickTime file."""
    return head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp")


def has_mp4_index(path: Path) -> bool:
    """Whether an MP4 carries its `moov` box, without which nothing in it can be found."""
    with path.open("rb") as stream:
        return any(kind == b"moov" for kind, _ in _boxes(stream, os.fstat(stream.fileno()).st_size))


def _boxes(stream: BinaryIO, size_bytes: int) -> list[tuple[bytes, int]]:
    """Top-level boxes as (kind, where it ends); the last one may end beyond the file."""
    boxes: list[tuple[bytes, int]] = []
    at = 0
    while at + 8 <= size_bytes and len(boxes) < _MAX_BOXES:
        stream.seek(at)
        header = stream.read(16)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0:  # "to the end of the file"
            length = size_bytes - at
        if length < 8:
            break
        at += length
        boxes.append((kind, at))
    if 0 < size_bytes - at < 8:
        boxes.append((b"", at + 8))
    return boxes


def _mp4_bytes(stream: BinaryIO, size_bytes: int) -> int | None:
    boxes = _boxes(stream, size_bytes)
    return boxes[-1][1] if boxes else None


def _riff_bytes(stream: BinaryIO, size_bytes: int) -> int | None:
    # OpenDML files are several RIFF chunks in a row.
    at = 0
    while at + 8 <= size_bytes:
        stream.seek(at)
        header = stream.read(8)
        if header[:4] != b"RIFF":
            return None
        length = int.from_bytes(header[4:8], "little")
        if length in (0, 0xFFFFFFFF):  # written by a recorder that never came back to fill it in
            return None
        at += 8 + length + length % 2
    # The pad byte of the last chunk may be missing.
    return at if at > size_bytes + 1 else None


def _matroska_bytes(stream: BinaryIO) -> int | None:
    stream.seek(0)
    for wanted in (_EBML_ID, _SEGMENT_ID):
        if stream.read(4) != wanted:
            return None
        length = _vint(stream)
        if length is None:  # a live recording: no size was promised
            return None
        if wanted == _SEGMENT_ID:
            return stream.tell() + length
        stream.seek(length, os.SEEK_CUR)
    return None


def _asf_break(stream: BinaryIO, size_bytes: int) -> Break | None:
    """By the file properties: id (16 bytes), size of the file, time of creation, packets, how long it plays
    and is sent (100 ns), the lead that counts as playing (ms), flags.
    """
    stream.seek(0)
    head = stream.read(_ASF_HEAD_BYTES)
    at = head.find(_ASF_FILE_PROPERTIES)
    if at < 0 or at + 92 > len(head):
        return None
    promised_bytes, _, _, plays, _, lead_ms, flags = struct.unpack_from("<6QL", head, at + 40)
    if flags & 1 or promised_bytes <= size_bytes:  # 1: a broadcast, which promises nothing
        return None
    return _short(promised_bytes, size_bytes, plays / 1e7 - lead_ms / 1e3)


def _ogg_break(stream: BinaryIO, size_bytes: int) -> Break | None:
    stream.seek(max(0, size_bytes - _OGG_TAIL_BYTES))
    tail = stream.read()
    at = tail.rfind(_OGG_PAGE)
    if at < 0 or at + 5 >= len(tail) or tail[at + 5] & _OGG_LAST:
        return None
    return Break(expected="an Ogg file with a last page that says so", got="one that breaks off before it")


def _dv_break(size_bytes: int, flags: int) -> Break | None:
    frame_bytes = _DV_FRAME_BYTES[bool(flags & 0x80)]
    if not (left_over := size_bytes % frame_bytes):
        return None
    return Break(
        expected=f"a DV file of whole frames of {frame_bytes:,} bytes",
        got=f"one that breaks off inside a frame, {left_over:,} bytes into it",
    )


def _short(promised_bytes: int, size_bytes: int, duration_s: float | None = None) -> Break:
    return Break(
        expected=f"the {promised_bytes:,} bytes that its header promises",
        got=f"a file that breaks off after {size_bytes:,}",
        duration_s=duration_s,
    )


def _vint(stream: BinaryIO) -> int | None:
    first = stream.read(1)
    if not first or first[0] == 0:
        return None
    extra = 8 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & (0x7F >> extra)]) + stream.read(extra), "big")
    unknown = (1 << (7 * (extra + 1))) - 1
    return None if value == unknown else value


def _transport_break(stream: BinaryIO, size_bytes: int) -> Break | None:
    stream.seek(0)
    probe = stream.read(5 * max(_TS_PACKET_BYTES))
    for packet_bytes in _TS_PACKET_BYTES:
        offset = packet_bytes - 188 if packet_bytes == 192 else 0
        marks = probe[offset::packet_bytes][:4]
        if len(marks) == 4 and set(marks) == {0x47}:
            left_over = size_bytes % packet_bytes
            if left_over:
                return Break(
                    expected=f"a transport stream of whole {packet_bytes}-byte packets",
                    got=f"one that breaks off inside a packet, {left_over} bytes into it",
                )
            return None
    return None
