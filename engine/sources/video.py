"""Video files by PyAV: the file's own time stamps, exact seek, cheap steps back, honest ends."""

from __future__ import annotations

import logging
import os
import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from av.container import InputContainer
from av.video.frame import VideoFrame

from engine.faults import FaultCode, FaultError
from engine.sources.base import SourceOptions
from engine.sources.breaks import Break, find_break
from engine.sources.decoding import Decoder, time_stamp
from engine.sources.demux import open_file
from engine.sources.index_thread import BackgroundIndex
from engine.sources.picture import Converter, VideoPicture, turn_of
from engine.sources.pts_index import PtsIndex
from engine.types import SourceInfo

log = logging.getLogger(__name__)

# Decoded frames kept behind the cursor. After a seek there are many, so that stepping back does not decode a
# GOP again for every step; while playing few: nobody steps, and the process is to stay small.
SEEK_RING_BYTES = 48 * 2**20
PLAY_RING_BYTES = 12 * 2**20
# A jump that landed behind its target (MPEG-TS: one GOP late every time) is tried again from so much earlier.
_STEP_BACK_S = (2.0, 5.0)


@dataclass(frozen=True, slots=True)
class _Decoded:
    rank: int
    pts: int
    frame: VideoFrame
    at_s: float


def open(address: str, options: SourceOptions) -> VideoFile:
    """Open a video file. Raises FaultError SOURCE_MISSING, SOURCE_UNREADABLE, ARGUMENT (a wrong `colour`)."""
    path = Path(address)
    return VideoFile(lambda: open_file(path), path.name, str(path), options, path)


class VideoFile:
    """A `Source` (engine/sources/base.py) over a recording.

    Ranks are counted from the start, so they are right before the index is ready; after a seek they come from
    the index. `path` None (a recording behind a URL) means no index and no seek but to the start.
    """

    def __init__(
        self,
        open_container: Callable[[], InputContainer],
        title: str,
        id_: str,
        options: SourceOptions,
        path: Path | None,
    ) -> None:
        threads = os.cpu_count() or 1
        self._title = title
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._decoder = Decoder(
            open_container,
            title,
            throughput=options.throughput,
            # Slice threads beyond two gain nothing on one stream; frame threads each hold a picture back.
            threads=min(threads, 8) if options.throughput else min(threads, 2),
        )
        # `analyse` keeps every core busy already; live, a second thread halves the conversion.
        self._converter = Converter(options.colour, threads=1 if options.throughput else min(threads, 2))
        self._ring: deque[_Decoded] = deque()
        self._cursor = 0  # place in the ring of the picture that `read` gives next
        self._ring_bytes = PLAY_RING_BYTES
        self._frame_bytes = (("", 0, 0), 0)
        self._table: PtsIndex | None = None  # set by a seek: from then on ranks come from it
        self._count = 0
        self._first_pts: int | None = None
        self._index: BackgroundIndex | None = None
        self._break_told = False
        try:
            self._break = _break_in(path) if path else None
            self._info = self._opened_info(id_, seekable=path is not None)
        except BaseException:
            self._decoder.close()
            raise
        if path is not None:
            self._index = BackgroundIndex(path)

    @property
    def info(self) -> SourceInfo:
        """`frames`, and a `rate_hz` and `duration_s` that were counted, come when the index is ready."""
        table = self._index.table if self._index else None
        if table is not None and self._info.frames is None:
            self._info = replace(
                self._info,
                frames=len(table),
                rate_hz=table.rate_hz or self._info.rate_hz,
                duration_s=table.duration_s or self._info.duration_s,
            )
        return self._info

    @property
    def damaged(self) -> int:
        """How many packets the decoder refused so far."""
        return self._decoder.damaged

    def read(self) -> VideoPicture | None:
        """The next picture, None after the last one.

        Raises FaultError once, after the last picture there is: SOURCE_TRUNCATED (not fatal: a seek back works),
        SOURCE_LOST when it came from a server that went away.
        """
        with self._lock:
            if self._cursor == len(self._ring):
                self._ring_bytes = PLAY_RING_BYTES
                if not self._decode_one():
                    self._tell_the_break()
                    return None
            decoded = self._ring[self._cursor]
            self._cursor += 1
            return self._picture(decoded)

    def seek(self, index: int) -> None:
        """Make frame `index` (clamped) the next one. Waits for the index, except to the start.

        Raises FaultError SEEK when the source has none.
        """
        if index <= 0:
            with self._lock:
                self._go_to_start()
            return
        table = self._wait_for_table()
        if table is None:
            return  # closed meanwhile
        with self._lock:
            self._go_to(table, min(index, len(table) - 1))

    def index_at(self, pts_s: float) -> int:
        """Rank of the frame on the screen at `pts_s`. Waits for the index. Raises FaultError SEEK as `seek` does."""
        table = self._wait_for_table()
        return table.rank_at(pts_s) if table is not None else 0

    def close(self) -> None:
        """End the index thread and free the file. Idempotent; from any thread, a running `read` or `seek` ends."""
        self._closed.set()
        if self._index is not None:
            self._index.close()
        with self._lock:
            self._ring.clear()
            self._cursor = 0
            self._decoder.close()

    def _opened_info(self, id_: str, seekable: bool) -> SourceInfo:
        if not self._decode_one():
            raise FaultError(
                FaultCode.SOURCE_UNREADABLE,
                expected=f"{self._title} to be a video file",
                got="a video track from which not one picture could be decoded",
                remedy="copy or export the recording again",
            )
        first = self._picture(self._ring[0])
        stream, container = self._decoder.stream, self._decoder.container
        aspect = float(stream.sample_aspect_ratio or 1) or 1.0
        return SourceInfo(
            id=id_,
            title=self._title,
            width_px=first.width_px,
            height_px=first.height_px,
            rate_hz=self._decoder.rate_hz,
            duration_s=container.duration / 1e6 if container.duration else None,
            frames=None,
            seekable=seekable,
            live=False,
            colour=self._converter.colour(first.frame).text,
            pixel_aspect=1 / aspect if first.turn_deg in (90, -90) else aspect,
            interlaced=bool(first.frame.interlaced_frame),
        )

    def _picture(self, decoded: _Decoded) -> VideoPicture:
        return VideoPicture(
            index=decoded.rank,
            pts_s=decoded.pts * float(self._decoder.time_base),
            captured_s=decoded.at_s,
            frame=decoded.frame,
            converter=self._converter,
            turn_deg=turn_of(decoded.frame),
        )

    def _decode_one(self) -> bool:
        """Decode one more frame into the ring. False at the end, or when closed."""
        while not self._closed.is_set():
            frame = self._decoder.next()
            if frame is None:
                return False
            previous = self._ring[-1] if self._ring else None
            pts = time_stamp(frame.pts, previous.pts if previous else None, self._decoder.frame_ticks)
            rank = self._rank(pts, previous)
            # A half decoded picture is not shown where the file is known to break off.
            if frame.is_corrupt and self._break is not None:
                continue
            if self._cursor == len(self._ring):
                self._trim(frame)
            self._ring.append(_Decoded(rank, pts, frame, time.monotonic()))
            return True
        return False

    def _rank(self, pts: int, previous: _Decoded | None) -> int:
        if self._table is not None:
            after = previous.rank + 1 if previous else 0
            found = self._table.rank_of(pts)
            return after if found is None else max(found, after)
        # Counted from the start. Frames that were lost on the way have a rank too.
        if self._first_pts is None:
            self._first_pts = pts
        lost = sum(self._first_pts < lost_pts < pts for lost_pts in self._decoder.lost_pts)
        self._count += 1
        return self._count - 1 + lost

    def _trim(self, newest: VideoFrame) -> None:
        kept = max(2, self._ring_bytes // max(1, self._bytes_of(newest)))
        while len(self._ring) >= kept:
            self._ring.popleft()
            self._cursor -= 1

    def _bytes_of(self, frame: VideoFrame) -> int:
        key = (frame.format.name, frame.width, frame.height)
        if self._frame_bytes[0] != key:
            self._frame_bytes = (key, sum(plane.buffer_size for plane in frame.planes))
        return self._frame_bytes[1]

    def _wait_for_table(self) -> PtsIndex | None:
        if self._index is None:
            raise FaultError(
                FaultCode.SEEK,
                expected="a recording on this computer, to jump in it",
                got=f"a stream ({self._title})",
                remedy="download it and open the file",
                fatal=False,
            )
        return self._index.wait()

    def _go_to_start(self) -> None:
        if self._closed.is_set():
            return
        if self._ring and self._ring[0].rank == 0:
            self._cursor = 0
            return
        self._restart()

    def _restart(self) -> None:
        self._ring.clear()
        self._cursor = 0
        self._decoder.rewind()
        self._decoder.lost_pts.clear()
        self._table, self._count, self._first_pts = None, 0, None

    def _go_to(self, table: PtsIndex, rank: int) -> None:
        if self._closed.is_set():
            return
        self._ring_bytes = SEEK_RING_BYTES
        if not (self._ring and self._ring[0].rank <= rank):
            ahead = False
        else:
            last = self._ring[-1].rank
            keys = table.keyframes_before(rank)
            # Inside the ring, or nearer by decoding on than by jumping.
            ahead = rank <= last or (bool(keys) and keys[0] <= last) or not table.ordered
        if not ahead:
            self._land(table, rank)
        self._cursor = min(self._cursor, len(self._ring))
        self._decode_until(rank)
        ranks = [decoded.rank for decoded in self._ring]
        # Beyond the last frame that can be decoded, the last one is what there is.
        self._cursor = max(0, min(bisect_left(ranks, rank), len(ranks) - 1))

    def _decode_until(self, rank: int) -> None:
        while not (self._ring and self._ring[-1].rank >= rank):
            self._cursor = len(self._ring)
            if not self._decode_one():
                return

    def _land(self, table: PtsIndex, rank: int) -> None:
        """Put the decoder at a frame at or before `rank`, as near as this container can."""
        target = int(table.pts[rank])
        tries = [int(table.pts[key]) for key in table.keyframes_before(rank)]
        tries += [target - round(back_s / float(self._decoder.time_base)) for back_s in _STEP_BACK_S]
        for pts in tries if table.ordered else ():
            if pts < int(table.pts[0]):
                break
            self._ring.clear()
            self._cursor = 0
            self._table = table
            if self._decoder.jump(pts) and self._decode_one() and self._ring[0].pts <= target:
                return
        self._restart()

    def _tell_the_break(self) -> None:
        error = self._decoder.end_error
        if self._closed.is_set() or self._break_told or (self._break is None and error is None):
            return
        self._break_told = True
        last = f"picture {self._ring[-1].rank + 1}" if self._ring else "the start"
        raise FaultError(
            FaultCode.SOURCE_TRUNCATED if self._index else FaultCode.SOURCE_LOST,
            expected=self._break.expected if self._break else f"{self._title} to go on to its end",
            got=f"{self._break.got}, after {last}" if self._break else f"{error} after {last}",
            remedy="use what there is, or copy the recording again if the original is longer",
            fatal=False,
        )


def _break_in(path: Path) -> Break | None:
    try:
        return find_break(path)
    except OSError as error:
        log.info("cannot tell whether %s is whole: %s", path.name, error)
        return None
