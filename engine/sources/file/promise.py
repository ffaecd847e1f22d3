"""What the packets of a track promise: how many frames, and each one's rank, told while they are read.

The same rules serve whoever plays from the start and whoever only reads the packets for an index, so a frame
has one number however it is decoded, and a frame that is lost leaves a gap.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_MOST_REORDERED = 32
_PROOF = 8
_PLACEHOLDER_BYTES = 16
_MOST_MISSING_FRAC = 0.3  # fields are a half
_NEAR = 8  # frames; so far apart in the file are two that follow each other on the screen
_STEADY_FRAC = 0.8  # so many steps of a constant rate are alike, losses and all
_STEP_SLACK_FRAC = 0.35


@dataclass(frozen=True, slots=True)
class Holes:
    """`spans`: frames missing, and the places in the file of the first and the last packet near them.

    `places`: of all packets, growing, int64 [n], -1 where not known.
    """

    spans: tuple[tuple[int, int, int], ...]
    places: npt.NDArray[np.int64]


class Promise:
    """Feed it every packet and every decoded frame, in the order in which they come.

    `ordered` turns False where time stamps are missing, double or run backwards, or where a frame is two
    packets (fields): then packets do not tell the frames, and who asks for a rank counts.
    """

    def __init__(self, strict: bool = False) -> None:
        self.ordered = True
        self._strict = strict  # the container has no time stamps of pictures, FFmpeg makes them (AVI)
        self.packets = 0
        self._substantial = 0
        self._pts: list[int] = []  # growing
        self._positions: dict[int, int] = {}
        self._keys: set[int] = set()
        self._first_key_pts: int | None = None
        self._start_pts: int | None = None
        self._given = 0

    def packet(self, pts: int | None, is_key: bool, position: int | None = None, size_bytes: int = 0) -> None:
        """A packet that is not empty and not to be discarded."""
        self.packets += 1
        self._substantial += size_bytes > _PLACEHOLDER_BYTES
        if pts is None or pts in self._positions or self._is_backwards(pts):
            self.ordered = False
        if not self.ordered or pts is None:
            return
        self._positions[pts] = -1 if position is None else position
        insort(self._pts, pts)
        if is_key:
            self._keys.add(pts)
            self._first_key_pts = pts if self._first_key_pts is None else self._first_key_pts

    def frame(self, pts: int | None, refused: int = 0) -> int | None:
        """The rank of a frame that the decoder gave; None when packets do not tell.

        What lies before the first keyframe is no frame of this file (a recording joined in the middle),
        unless the decoder gives it. `refused`: packets that the decoder refused so far.
        """
        if not self.ordered or pts is None or pts not in self._positions:
            self.ordered = self.ordered and self._given > 0
            return None
        if self._start_pts is None:
            key_pts = self._first_key_pts
            self._start_pts = pts if key_pts is None else min(pts, key_pts)
        rank = bisect_left(self._pts, pts) - self._first
        # Two packets a frame from the first frame on are fields, not losses; in AVI B-frames look so.
        if refused == 0 and ((self._given == 1 and rank == 2) or (self._strict and rank != self._given)):
            self.ordered = False
            return None
        self._given += 1
        return rank

    @property
    def frames(self) -> int:
        """How many frames the packets read so far promise; as many as packets where they do not tell."""
        return len(self._pts) - self._first if self.ordered else self.packets

    def missing(self, given: int) -> int:
        """Frames that did not come of packets without usable time stamps, where a packet is a frame (AVI).

        Packets of a few bytes are placeholders there: the picture stays.
        """
        missing = self._substantial - given
        return missing if self._strict and missing <= _MOST_MISSING_FRAC * self.packets else 0

    def holes(self) -> int:
        """How many frames are missing between the time stamps of a constant rate; 0 where it is none."""
        return int(np.sum(self._lacking()))

    def _lacking(self) -> npt.NDArray[np.int64]:
        """Frames missing behind each frame but the last; none where the rate is not constant."""
        none = np.zeros(0, np.int64)
        if not self.ordered or len(self._pts) < _PROOF:
            return none
        steps = np.diff(np.asarray(self._pts[self._first :], np.int64)).astype(np.float64)
        usual = float(np.median(steps))
        if np.mean(np.abs(steps - usual) <= _STEP_SLACK_FRAC * usual) < _STEADY_FRAC:
            return none
        lacking: npt.NDArray[np.int64] = np.maximum(np.rint(steps / usual) - 1, 0).astype(np.int64)
        return lacking

    def holes_near(self) -> Holes:
        """Where in the file frames of a constant rate would lie that have no packet."""
        lacking = self._lacking()
        pts = self._pts[self._first :]
        spans = []
        for rank in np.flatnonzero(lacking):
            near = [self._positions[at] for at in pts[max(0, rank - _NEAR) : rank + 2 + _NEAR]]
            spans.append((int(lacking[rank]), min(near), max(near)))
        places = sorted(self._positions.values()) if self.ordered else []
        return Holes(tuple(spans), np.asarray(places, np.int64))

    def table(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Time stamps, growing; which are keyframes; where their packets lie in the file (-1: not known)."""
        pts = self._pts[self._first :]
        return (
            np.asarray(pts, dtype=np.int64),
            np.asarray([at in self._keys for at in pts], dtype=np.bool_),
            np.asarray([self._positions[at] for at in pts], dtype=np.int64),
        )

    def _is_backwards(self, pts: int) -> bool:
        """Whether it is shown before more frames than any codec puts in another order: a joined recording."""
        return len(self._pts) > _MOST_REORDERED and pts < self._pts[-_MOST_REORDERED]

    @property
    def _first(self) -> int:
        start = self._start_pts if self._start_pts is not None else self._first_key_pts
        return 0 if start is None else bisect_left(self._pts, start)
