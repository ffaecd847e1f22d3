"""Whether a transport stream lost a picture where one is missing in time, or behind its last one.

A recorder that leaves a picture out writes a sound stream with a gap in its time stamps. A stream that lost
the picture later shows it: a broken count, a packet marked as faulty, the head of a picture that never came.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from engine.sources.file.promise import Holes
from engine.sources.file.transport import Form, form_of
from engine.types import U8

_SYNC = 0x47
_MOST_SPAN_BYTES = 16 * 2**20


def lost_in(path: Path, holes: Holes) -> int:
    """How many frames are missing where the stream is damaged; 0 for other files."""
    if not len(holes.places) or holes.places[0] < 0:
        return 0
    try:
        with path.open("rb") as stream:
            form = form_of(stream)
            if form is None:
                return 0
            lost = 0
            for frames, low, high in holes.spans:
                starts, damaged = _look_at(_rows(stream, form, low, high))
                came = np.searchsorted(holes.places, high, "right") - np.searchsorted(holes.places, low)
                lost += frames if damaged or starts > came else 0
            last = int(holes.places[-1])
            starts, _ = _look_at(_rows(stream, form, last, last + _MOST_SPAN_BYTES))
            return lost + max(0, starts - 1)
    except OSError:  # it is gone: what was read of it was whole
        return 0


def _rows(stream: BinaryIO, form: Form, low: int, high: int) -> U8:
    """The packets from the one at `low` to the one at `high`, uint8 [n, 188 or more]."""
    packet_bytes, offset = form
    start, end = low // packet_bytes * packet_bytes, high // packet_bytes * packet_bytes + packet_bytes
    stream.seek(start)
    data: U8 = np.frombuffer(stream.read(min(end - start, _MOST_SPAN_BYTES)), np.uint8)
    return data[: len(data) // packet_bytes * packet_bytes].reshape(-1, packet_bytes)[:, offset:]


def _look_at(rows: U8) -> tuple[int, bool]:
    """Of packets whose first is one of the video: how many pictures begin there, whether it is damaged."""
    if not len(rows):
        return 0, False
    faulty = (rows[:, 0] != _SYNC).any() or (rows[:, 1] & 0x80).any()
    pids = (rows[:, 1].astype(np.uint16) & 0x1F) << 8 | rows[:, 2]
    video = rows[(pids == pids[0]) & (rows[:, 3] & 0x10 != 0)]
    adapted = (video[:, 3] & 0x20) != 0
    steps = np.diff(video[:, 3] & 0x0F) % 16
    announced = adapted & (video[:, 4] > 0) & (video[:, 5] & 0x80 != 0)
    gaps = ((steps > 1) & ~announced[1:]).any()
    begins = (video[:, 1] & 0x40) != 0
    payload = np.minimum(4 + np.where(adapted, video[:, 4].astype(np.intp) + 1, 0), 185)
    heads = np.take_along_axis(video, payload[:, None] + np.arange(3), axis=1)
    headless = begins & (heads != (0, 0, 1)).any(axis=1)
    return int(begins.sum()), bool(faulty or gaps or headless.any())
