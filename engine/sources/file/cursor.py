"""Where in a file the reader is: ranks, exact seek, and the pictures kept for stepping back."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from av.video.frame import VideoFrame

from engine.sources.file.decoding import Decoder
from engine.sources.file.header import header_frames
from engine.sources.file.promise import Holes
from engine.sources.file.pts_index import PtsIndex
from engine.sources.file.time_stamps import time_stamp

# Decoded frames kept behind the cursor. After a seek there are many, so that stepping back does not decode a
# GOP again for every step; while playing few: nobody steps, and the process is to stay small.
SEEK_RING_BYTES = 48 * 2**20
PLAY_RING_BYTES = 4 * 2**20
# A jump that landed behind its target (MPEG-TS: one GOP late every time) is tried again from so much earlier.
_STEP_BACK_S = (2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A frame in its place. `pts` counts the decoder's `time_base`; `at_s` is `time.monotonic()`."""

    rank: int
    pts: int
    frame: VideoFrame
    at_s: float


class FrameCursor:
    """Gives a decoder's frames one by one and moves among them.

    Ranks come from the packets read since the start, so they are right before there is an index; after a jump
    they come from the index. `stopped` ends long searches. `broken`: the file is known to break off, so
    pictures that the decoder calls damaged are left out: the last one is half a picture.
    """

    def __init__(self, decoder: Decoder, stopped: Callable[[], bool], broken: bool) -> None:
        self._decoder = decoder
        self._stopped = stopped
        self._broken = broken
        self._ring: deque[Decoded] = deque()
        self._at = 0  # place in the ring of the frame that `next` gives
        self._ring_bytes = PLAY_RING_BYTES
        self._frame_bytes = (("", 0, 0), 0)
        self._table: PtsIndex | None = None  # set by a jump: from then on ranks come from it
        self._given = 0  # frames since the start, where packets do not tell the frames
        self._lost: set[int] = set()
        self._smeared: set[int] = set()

    @property
    def promised(self) -> int:
        """How many frames there are, as far as was read; by the index after a jump."""
        if self._table is not None:
            return len(self._table)
        decoder = self._decoder
        counted = decoder.promise.ordered and header_frames(decoder.container, decoder.stream)
        # What an edit list cuts off counts in the header, too.
        counted = counted and counted - self._decoder.discarded
        return max(self._decoder.promise.frames, counted or 0)

    @property
    def lost(self) -> frozenset[int]:
        """Ranks that were passed over because their frames did not come; at the end those behind the last."""
        return frozenset(self._lost)

    @property
    def holes(self) -> int:
        """Frames that are gone without a packet, of a file that was read from its start."""
        return self._decoder.promise.holes() if self._table is None and self._decoder.hurt else 0

    @property
    def holes_near(self) -> Holes | None:
        """As `Promise.holes_near`, of a file that was read from its start."""
        return self._decoder.promise.holes_near() if self._table is None else None

    @property
    def ends_smeared(self) -> bool:
        """Whether the newest frame is a damaged picture."""
        return bool(self._ring) and self._ring[-1].rank in self._smeared

    @property
    def smeared(self) -> int:
        """How many frames came whose pictures the decoder calls damaged."""
        return len(self._smeared)

    @property
    def next_rank(self) -> int:
        """Rank of the frame that `next` gives, if none is lost."""
        if self._at < len(self._ring):
            return self._ring[self._at].rank
        return self._ring[-1].rank + 1 if self._ring else 0

    def next(self) -> Decoded | None:
        """The frame at the cursor, which moves on; None after the last one and when stopped."""
        if self._at == len(self._ring):
            self._ring_bytes = PLAY_RING_BYTES
            if not self._decode_one():
                return None
        self._at += 1
        return self._ring[self._at - 1]

    def go_to_start(self) -> None:
        """Make the first frame the next one. Needs no index."""
        if self._ring and self._ring[0].rank == 0:
            self._at = 0
        else:
            self._restart()

    def go_to(self, table: PtsIndex, rank: int) -> None:
        """Make the frame with this rank the next one; the last one there is, when decoding ends before it.

        A frame that is lost gives its successor.
        """
        self._ring_bytes = SEEK_RING_BYTES
        if not self._is_ahead(table, rank):
            self._land(table, rank)
        while not (self._ring and self._ring[-1].rank >= rank):
            self._at = len(self._ring)
            if not self._decode_one():
                break
        ranks = [decoded.rank for decoded in self._ring]
        self._at = max(0, min(bisect_left(ranks, rank), len(ranks) - 1))

    def start_again(self, table: PtsIndex | None, rank: int) -> None:
        """Open the file anew, for another decoder, and make the frame with this rank the next one."""
        self._restart()
        if table is not None:
            self.go_to(table, rank)
            return
        while not (self._ring and self._ring[-1].rank >= rank):
            self._at = len(self._ring)
            if not self._decode_one():
                return
        self._at = len(self._ring) - 1

    def clear(self) -> None:
        """Let go of all pictures."""
        self._ring.clear()
        self._at = 0

    def _is_ahead(self, table: PtsIndex, rank: int) -> bool:
        """Whether `rank` is in the ring, or nearer by decoding on than by a jump."""
        if not self._ring or rank < self._ring[0].rank:
            return False
        last = self._ring[-1].rank
        return (
            rank <= last or not table.ordered or any(key <= last for key in table.keyframes_before(rank)[:1])
        )

    def _land(self, table: PtsIndex, rank: int) -> None:
        """Put the decoder at a frame at or before `rank`, as near as this container can."""
        target = int(table.pts[rank])
        tries = [int(table.pts[key]) for key in table.keyframes_before(rank)]
        tries += [target - round(back_s / float(self._decoder.time_base)) for back_s in _STEP_BACK_S]
        for pts in tries if table.ordered else ():
            if pts < int(table.pts[0]):
                break
            self.clear()
            self._table = table
            if (
                self._decoder.jump(pts, table.parts)
                and self._decode_one()
                and self._ring[0].pts <= target
                and table.is_place(self._decoder.landed)
            ):
                return
        self._restart()

    def _restart(self) -> None:
        self.clear()
        self._decoder.rewind()
        self._table, self._given = None, 0

    def _decode_one(self) -> bool:
        """Decode one more frame into the ring. False at the end, or when stopped."""
        while not self._stopped():
            frame = self._decoder.next()
            if frame is None:
                self._note_the_rest()
                return False
            previous = self._ring[-1] if self._ring else None
            if previous is not None and self._comes_late(frame.pts, previous.pts):
                continue
            pts = time_stamp(frame.pts, previous.pts if previous else None, self._decoder.frame_ticks)
            rank = self._rank(pts, previous)
            if frame.is_corrupt and self._broken:
                continue
            self._note(rank, previous, frame.is_corrupt)
            if self._at == len(self._ring):
                self._trim(frame)
            self._ring.append(Decoded(rank, pts, frame, time.monotonic()))
            return True
        return False

    def _comes_late(self, pts: int | None, last_pts: int) -> bool:
        """Whether it comes behind its successors, as H.264 gives a picture behind a refused packet.

        Its own place has passed, and any other is the next frame's: all behind it would be one too high.
        """
        told_by = self._table or self._decoder.promise
        return bool(self._decoder.damaged) and told_by.ordered and pts is not None and pts <= last_pts

    def _rank(self, pts: int, previous: Decoded | None) -> int:
        after = previous.rank + 1 if previous else 0
        if self._table is not None:
            found = self._table.rank_of(pts)
        else:
            found = self._decoder.promise.frame(pts, self._decoder.damaged)
        return after if found is None else max(found, after)

    def _note(self, rank: int, previous: Decoded | None, is_smeared: bool) -> None:
        """Frames between this one and the one before it are lost, unless they come another time."""
        self._given += 1
        if previous is not None:
            self._lost.update(range(previous.rank + 1, rank))
        elif self._table is None:
            self._lost.update(range(rank))
        self._lost.discard(rank)
        if is_smeared:
            self._smeared.add(rank)

    def _note_the_rest(self) -> None:
        """At the end: what was promised behind the last frame is lost as well.

        A jump behind the last keyframe, as transport streams make, gives no frame and tells of none.
        """
        if self._table is not None and not self._ring:
            return
        last = self._ring[-1].rank if self._ring else -1
        promise, damaged = self._decoder.promise, self._decoder.damaged
        if self._table is not None or promise.ordered:
            self._lost.update(range(last + 1, self.promised))
            return
        # Without usable time stamps only their number tells; it is put behind the last frame.
        missing = promise.missing(self._given)
        if damaged or self._smeared:
            missing = max(damaged, self.promised - self._given)
        self._lost.update(range(last + 1, last + 1 + missing))

    def _trim(self, newest: VideoFrame) -> None:
        kept = max(2, self._ring_bytes // max(1, self._bytes_of(newest)))
        while len(self._ring) >= kept:
            self._ring.popleft()
            self._at -= 1

    def _bytes_of(self, frame: VideoFrame) -> int:
        key = (frame.format.name, frame.width, frame.height)
        if self._frame_bytes[0] != key:
            self._frame_bytes = (key, sum(plane.buffer_size for plane in frame.planes))
        return self._frame_bytes[1]
