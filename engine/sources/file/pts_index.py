"""Which frame starts when: packets to a table of time stamps, without decoding them.

Headers cannot be trusted for it: frame counts are 0 in MKV, MPEG-TS and fragmented MP4, start times are not
0, mean rates are no rates . The rank of a frame is its place in the sorted time stamps.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from engine.sources.file.decoding import Decoder, Landing
from engine.sources.file.demux import openers_of
from engine.sources.file.promise import Promise
from engine.sources.file.time_stamps import time_stamp

log = logging.getLogger(__name__)

# So many frames are decoded to prove that packets and frames are the same list.
_PROOF_FRAMES = 8
_BREATHER_PACKETS = 256


@dataclass(frozen=True, slots=True)
class PtsIndex:
    """Time stamps of all frames in presentation order, int64 [n], growing, and which are keyframes, bool [n].

    `ordered` is False where the file's own stamps are missing or run backwards (`time_stamp` made
    these): such a file can only be seeked by counting from its start.
    """

    pts: npt.NDArray[np.int64]
    keyframe: npt.NDArray[np.bool_]
    time_base: Fraction
    ordered: bool
    parts: tuple[tuple[int, int], ...] = ()  # of a file in parts: first time stamp and what was added to all
    position: npt.NDArray[np.int64] | None = (
        None  # where the packets lie in the file, int64 [n], -1: not known
    )

    def __len__(self) -> int:
        return len(self.pts)

    def rank_of(self, pts: int) -> int | None:
        """The first frame with exactly this time stamp."""
        if not self.ordered:
            return None
        rank = int(np.searchsorted(self.pts, pts))
        return rank if rank < len(self.pts) and self.pts[rank] == pts else None

    def is_place(self, landed: Landing | None) -> bool:
        """Whether a packet that came after a jump, by time stamp and place in the file, is where it was.

        A cut MXF, for one, jumps by bytes and then says the wrong time.
        """
        if landed is None or self.position is None or landed[0] is None or landed[1] is None or landed[1] < 0:
            return True
        rank = self.rank_of(landed[0])
        return rank is None or self.position[rank] in (-1, landed[1])

    def rank_at(self, pts_s: float) -> int:
        """The last frame that starts at or before `pts_s`; the first one before that."""
        # pts_s went through a float; a whole frame may be one tick long.
        ticks = pts_s / float(self.time_base) + 1e-3
        return max(0, int(np.searchsorted(self.pts, ticks, side="right")) - 1)

    def keyframes_before(self, rank: int) -> list[int]:
        """Ranks of the keyframe at or before `rank` and of the one before that, nearest first."""
        return [int(key) for key in np.flatnonzero(self.keyframe[: rank + 1])[-2:][::-1]]

    @property
    def duration_s(self) -> float:
        """From the first frame to the end of the last, which is taken to last as long as its predecessor."""
        if len(self.pts) < 2:
            return 0.0
        ticks = int(self.pts[-1] - self.pts[0]) * len(self.pts) / (len(self.pts) - 1)
        return ticks * float(self.time_base)

    @property
    def rate_hz(self) -> float | None:
        """Mean frames a second."""
        return len(self.pts) / self.duration_s if self.duration_s > 0 else None


def build(path: Path, stopped: Callable[[], bool]) -> PtsIndex | None:
    """Read the whole file's packets; None when `stopped` says so before the end.

    The first frames are decoded too: what a decoder does not put out (leading pictures of a cut stream, edit
    lists) is not counted, and where packets do not tell the frames, all frames are decoded instead.
    Raises FaultError as `open_file` does.
    """
    decoder = _Packets(path)
    try:
        table = decoder.scan(stopped)
    finally:
        decoder.close()
    if table is None and not stopped():
        log.info("%s: packets do not tell the frames, decoding it for the index", path.name)
        table = _by_decoding(path, stopped)
    return table


class _Packets:
    def __init__(self, path: Path) -> None:
        first, *following = openers_of(path)
        self._decoder = Decoder(first, path.name, throughput=False, threads=1, following=following)

    def close(self) -> None:
        self._decoder.close()

    def scan(self, stopped: Callable[[], bool]) -> PtsIndex | None:
        """The table, or None when stopped or when packets and frames do not agree."""
        promise = Promise()
        proof: list[int | None] = []
        refused = 0
        breather = threading.Event()
        for packet in self._decoder.packets():
            if packet.size and not packet.is_discard:
                promise.packet(packet.pts, packet.is_keyframe, packet.pos)
            if len(proof) < _PROOF_FRAMES:
                try:
                    proof.extend(frame.pts for frame in packet.decode())
                except av.FFmpegError:
                    refused += 1
            if not promise.ordered:
                return None
            if promise.packets % _BREATHER_PACKETS == 0:
                # The first pictures are being decoded beside this: give the interpreter away now and then.
                breather.wait(0.001)
                if stopped():
                    return None
        return self._proven(promise, proof, refused)

    def _proven(self, promise: Promise, proof: list[int | None], refused: int) -> PtsIndex | None:
        for shown in proof:
            promise.frame(shown, refused)
        if not proof or not promise.ordered:
            return None
        pts, keyframe, position = promise.table()
        decoder = self._decoder
        return PtsIndex(pts, keyframe, decoder.time_base, True, tuple(decoder.part_starts), position)


def _by_decoding(path: Path, stopped: Callable[[], bool]) -> PtsIndex | None:
    first, *following = openers_of(path)
    decoder = Decoder(first, path.name, throughput=True, threads=1, following=following)
    pts: list[int] = []
    keyframe: list[bool] = []
    own = True  # the file's own stamps are complete and grow
    try:
        while (frame := decoder.next()) is not None:
            if stopped():
                return None
            pts.append(time_stamp(frame.pts, pts[-1] if pts else None, decoder.frame_ticks))
            own = own and frame.pts == pts[-1]
            keyframe.append(bool(frame.key_frame))
        times = np.asarray(pts, dtype=np.int64)
        return PtsIndex(times, np.asarray(keyframe, dtype=np.bool_), decoder.time_base, ordered=own)
    finally:
        decoder.close()
