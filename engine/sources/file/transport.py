"""Transport streams whose programme, video PID or codec changes on the way: where each part begins.

FFmpeg gives every new PID a stream of its own, and PyAV knows only those of the opening, so such a file is
read part by part. The tables say it: PAT (which programme has its PMT where), PMT (which PIDs are video).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from engine.types import U8

PACKET_BYTES = (188, 192, 204)
_VIDEO_TYPES = frozenset({0x01, 0x02, 0x10, 0x1B, 0x24, 0x33, 0x42, 0xD1, 0xEA})
_PAT_PID, _PAT_TABLE, _PMT_TABLE = 0, 0x00, 0x02
_SCAN_BYTES = 4 * 2**20
# Smaller files are read whole; of larger ones samples tell whether anything changes at all.
_WHOLE_BYTES = 32 * 2**20
_SAMPLES = 16
_TABLES_BYTES = 8 * max(PACKET_BYTES)

Form = tuple[int, int]  # bytes of a packet, place of its sync byte in it
Video = tuple[int, int, int, int]  # programme, PID of its PMT, PID and type of its first video


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of the file, from `start` up to `end`."""

    start: int
    end: int


def parts_of(path: Path) -> tuple[Part, ...]:
    """The parts of a transport stream, one where nothing changes; none for other files. Raises OSError."""
    with path.open("rb") as stream:
        size_bytes = stream.seek(0, io.SEEK_END)
        form = form_of(stream)
        if form is None:
            return ()
        starts = [0, *_changes(stream, form, size_bytes)]
    return tuple(Part(*ends) for ends in zip(starts, [*starts[1:], size_bytes], strict=True))


def form_of(stream: BinaryIO) -> Form | None:
    """(bytes of a packet, place of its sync byte in it); None when it is no transport stream."""
    stream.seek(0)
    probe = stream.read(5 * max(PACKET_BYTES))
    for packet_bytes in PACKET_BYTES:
        offset = 4 if packet_bytes == 192 else 0
        marks = probe[offset::packet_bytes][:4]
        if len(marks) == 4 and set(marks) == {0x47}:
            return packet_bytes, offset
    return None


class PartFile(io.RawIOBase):
    """A part as a file of its own, for FFmpeg."""

    def __init__(self, path: Path, part: Part) -> None:
        self._file = path.open("rb")
        self._part = part
        self._at = 0
        self.name = str(path)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        left = self._part.end - self._part.start - self._at
        self._file.seek(self._part.start + self._at)
        data = self._file.read(max(0, left if size < 0 else min(size, left)))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._part.end - self._part.start}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self._file.close()
        super().close()


@dataclass(slots=True)
class _Tables:
    """What the tables have said so far."""

    programmes: dict[int, int] = field(default_factory=dict)  # PID of the PMT -> programme
    videos: dict[int, tuple[int, int] | None] = field(default_factory=dict)  # PID of the PMT -> first video
    changed_at: int | None = None  # where a table came that made the last answer old
    pat_at: int = -(10**9)  # where the last PAT came: what begins with a PMT needs the one in front of it

    def take(self, packet: bytes, at: int) -> None:
        """One packet with the start of a table; others are passed over."""
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        section = _section(packet)
        if len(section) < 8:
            return
        if pid == _PAT_PID and section[0] == _PAT_TABLE:
            self.pat_at = at
            programmes = dict(_programmes(section))
            if programmes != self.programmes:
                self.programmes, self.videos = programmes, {}
                self.changed_at = at if self.changed_at is None else self.changed_at
        elif pid in self.programmes and section[0] == _PMT_TABLE:
            video = _first_video(section)
            if self.videos.get(pid, ()) != video:
                self.videos[pid] = video
                begins_at = self.pat_at if at - self.pat_at <= _TABLES_BYTES else at
                self.changed_at = begins_at if self.changed_at is None else self.changed_at

    @property
    def video(self) -> Video | None:
        """The first programme's video, once every programme has said what it has."""
        if not self.programmes or self.videos.keys() != self.programmes.keys():
            return None
        for pmt_pid, programme in self.programmes.items():
            if (found := self.videos[pmt_pid]) is not None:
                return (programme, pmt_pid, *found)
        return None


def _changes(stream: BinaryIO, form: Form, size_bytes: int) -> Iterator[int]:
    if size_bytes <= _WHOLE_BYTES:
        yield from _changes_between(stream, form, 0, size_bytes, None)
        return
    places = [size_bytes * number // _SAMPLES // form[0] * form[0] for number in range(_SAMPLES)]
    places.append(max(0, size_bytes - _SCAN_BYTES) // form[0] * form[0])
    known = [(at, video) for at in places if (video := _video_at(stream, form, at)) is not None]
    for (low, before), (high, after) in pairwise(known):
        if before == after:
            continue
        while high - low > _WHOLE_BYTES:
            middle = (low + high) // 2 // form[0] * form[0]
            if _video_at(stream, form, middle) in (before, None):
                low = middle
            else:
                high = middle
        yield from _changes_between(stream, form, low, min(size_bytes, high + _SCAN_BYTES), before)


def _video_at(stream: BinaryIO, form: Form, at: int) -> Video | None:
    tables = _Tables()
    for place, packet in _table_packets(stream, form, at, at + _SCAN_BYTES):
        tables.take(packet, place)
        if tables.video is not None:
            return tables.video
    return None


def _changes_between(
    stream: BinaryIO, form: Form, start: int, end: int, current: Video | None
) -> Iterator[int]:
    tables = _Tables()
    for place, packet in _table_packets(stream, form, start, end):
        tables.take(packet, place)
        video = tables.video
        if video is None:
            continue
        changed_at, tables.changed_at = tables.changed_at, None
        if current is not None and video != current and changed_at is not None:
            yield changed_at
        current = video


def _table_packets(stream: BinaryIO, form: Form, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """(place in the file, 188 bytes) of every packet with the start of a table in it."""
    packet_bytes, offset = form
    block_bytes = _SCAN_BYTES // packet_bytes * packet_bytes
    for place in range(start, end, block_bytes):
        stream.seek(place)
        data = np.frombuffer(stream.read(min(block_bytes, end - place)), np.uint8)
        rows = data[: len(data) // packet_bytes * packet_bytes].reshape(-1, packet_bytes)[:, offset:]
        for row in _with_tables(rows[:, :188]):
            yield place + int(row) * packet_bytes, rows[row, :188].tobytes()


def _with_tables(rows: U8) -> npt.NDArray[np.intp]:
    begins = (rows[:, 0] == 0x47) & (rows[:, 1] & 0x40 != 0)
    payload = 4 + np.where(rows[:, 3] & 0x20, rows[:, 4].astype(np.intp) + 1, 0)
    at = np.minimum(payload, 185)[:, None] + np.arange(3)
    is_elementary = (np.take_along_axis(rows, at, axis=1) == (0, 0, 1)).all(axis=1)
    return np.flatnonzero(begins & ~is_elementary)


def _section(packet: bytes) -> bytes:
    at = 4 + (packet[4] + 1 if packet[3] & 0x20 else 0)
    if at >= len(packet):
        return b""
    at += 1 + packet[at]
    return packet[at:]


def _programmes(section: bytes) -> Iterator[tuple[int, int]]:
    end = min(len(section), 3 + ((section[1] & 0x0F) << 8 | section[2]) - 4)
    for at in range(8, end - 3, 4):
        programme = section[at] << 8 | section[at + 1]
        if programme:  # 0 is the network's own table
            yield (section[at + 2] & 0x1F) << 8 | section[at + 3], programme


def _first_video(section: bytes) -> tuple[int, int] | None:
    if len(section) < 12:
        return None
    end = min(len(section), 3 + ((section[1] & 0x0F) << 8 | section[2]) - 4)
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    while at + 5 <= end:
        if section[at] in _VIDEO_TYPES:
            return (section[at + 1] & 0x1F) << 8 | section[at + 2], section[at]
        at += 5 + ((section[at + 3] & 0x0F) << 8 | section[at + 4])
    return None
