"""What a live picture's way here tells of it: whether it moves, is late, or misses parts. Pure."""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.types import U8

Cells = npt.NDArray[np.bool_]

FROZEN_S = 0.3
# A picture that is sent twice (30 Hz in 60 Hz) or a slow source is not frozen.
_FROZEN_REPEATS = 3
_FROZEN_PERIODS = 2.5
_USUAL_LIMIT_S = 2.0
# x264 of one picture again and again: 3 levels and 0.27 on average from picture to picture. A camera's
# noise is more.
_REFINED_LEVELS = 4
_REFINED_MEAN = 0.4
# A clock that runs beside a frozen picture: no more parts of the whole than that, and always the same.
_CELLS = 16
_CLOCK_FRAC = 0.04
_KEPT_CHANGES = 9
_MIN_CHANGES = 3

BEHIND_S = 0.5
# Two clocks drift apart by less than this; a delay is forgotten no faster.
_DRIFT = 500e-6
_JUMP_S = 1.0
_AT_ONCE_S = 0.002
_WAITING_PACKETS = 10
# A busy machine takes a few milliseconds to hand over what has long been there.
_BUSY_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Signal:
    """Of one live picture.

    `still_s`: for how long it has been the same picture, 0 while it moves; `clock_runs`: something small
    beside it moves on, as a clock does; `behind_s`: how much later it came than the quickest one; `damaged`:
    parts of it, or of what it refers to, are missing; `lost_frac`: the share of the stream's packets that was
    lost in the last seconds.
    """

    still_s: float = 0.0
    clock_runs: bool = False
    behind_s: float = 0.0
    damaged: bool = False
    lost_frac: float = 0.0


class CatchUp:
    """Whether to skip to the next keyframe: the picture is late, and newer packets wait already."""

    def __init__(self) -> None:
        self._waited_s: deque[float] = deque(maxlen=_WAITING_PACKETS)
        self._busy_s: deque[float] = deque(maxlen=_WAITING_PACKETS)

    def look(self, waited_s: float, busy_s: float, behind_s: float) -> bool:
        """`waited_s`: for the newest packet; `busy_s`: with the one before it.

        A sender that is late itself has nothing newer to skip to: it is waited for.
        """
        self._waited_s.append(waited_s)
        self._busy_s.append(busy_s)
        there = max(_WAITING_PACKETS * _AT_ONCE_S, _BUSY_SHARE * sum(self._busy_s))
        return behind_s > BEHIND_S and len(self._waited_s) == _WAITING_PACKETS and sum(self._waited_s) < there


class StillWatch:
    """Tells a frozen sender by pictures that are the same but for what an encoder refines in them.

    What a clock needs may change, if it is always the same place: an endoscope's processor that holds its
    picture sends the time on. A camera's noise is everywhere.
    """

    def __init__(self) -> None:
        self._last: U8 | None = None
        self._changed_s = 0.0
        self._repeats = 0
        self._clock: Cells | None = None  # where it changed, since the picture stands
        self._steps_s: deque[float] = deque(maxlen=_KEPT_CHANGES)

    @property
    def clock_runs(self) -> bool:
        """Whether something small moves on beside the picture that stands."""
        return self._clock is not None and bool(self._clock.any())

    def look(self, samples: U8, now_s: float) -> float:
        """For how long the picture has been frozen, seconds; 0 while it moves as it usually does.

        `samples`: uint8 [h, w], lines of the picture.
        """
        moved = None if self._last is None else _moved(self._last, samples)
        clock = moved if self._clock is None or moved is None else self._clock | moved
        if clock is not None and np.count_nonzero(clock) <= _CLOCK_FRAC * clock.size:
            self._clock = clock
            self._repeats += 1
            self._last = samples
            still_s = now_s - self._changed_s
            return still_s if self._repeats >= _FROZEN_REPEATS and still_s >= self._limit_s() else 0.0
        if self._last is not None:
            self._steps_s.append(now_s - self._changed_s)
        self._last, self._changed_s, self._repeats, self._clock = samples, now_s, 0, None
        return 0.0

    def _limit_s(self) -> float:
        if len(self._steps_s) < _MIN_CHANGES:
            return FROZEN_S
        usual_s = min(statistics.median(self._steps_s), _USUAL_LIMIT_S / _FROZEN_PERIODS)
        return max(FROZEN_S, _FROZEN_PERIODS * usual_s)


def _moved(last: U8, samples: U8) -> Cells | None:
    """Which parts are not the same, bool [rows, columns]; None: the picture as a whole is another."""
    if last.shape != samples.shape:
        return None
    apart = np.asarray(cv2.absdiff(last, samples), np.uint8)
    most = apart
    for axis, side in enumerate(apart.shape):
        most = np.maximum.reduceat(most, np.arange(0, side, -(-side // _CELLS)), axis)
    moved = most > _REFINED_LEVELS
    if cv2.mean(apart)[0] > _REFINED_MEAN:  # what a clock adds to that is of its own place alone
        wide, high = samples.shape[1], samples.shape[0]
        where = cv2.resize(moved.astype(np.uint8), (wide, high), interpolation=cv2.INTER_NEAREST)
        if cv2.mean(apart, 1 - where)[0] > _REFINED_MEAN:
            return None
    return moved


class DelayWatch:
    """How far pictures are behind: their arrival against their time stamps, the quickest so far being 0."""

    def __init__(self) -> None:
        self._base_s: float | None = None
        self._pts_s = self._arrived_s = self._behind_s = 0.0

    def look(self, pts_s: float, arrived_s: float) -> float:
        """Seconds behind. Clocks may drift, and time stamps jump: a jump changes nothing of what is known."""
        took_s = arrived_s - pts_s
        if self._base_s is None:
            self._base_s = took_s
        else:
            self._base_s += _DRIFT * max(0.0, arrived_s - self._arrived_s)
            if pts_s < self._pts_s or took_s < self._base_s - _JUMP_S:
                self._base_s = took_s - self._behind_s
            self._base_s = min(self._base_s, took_s)
        self._pts_s, self._arrived_s = pts_s, arrived_s
        self._behind_s = took_s - self._base_s
        return self._behind_s
