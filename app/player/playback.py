"""What the transport keys mean. Pure."""

from __future__ import annotations

from engine.types import Snapshot, SourceState

LADDER = (1.0, 2.0, 4.0, 8.0)
SPEEDS = (0.1, 0.25, 0.5, *LADDER)
SECOND_S, FEW_S, MINUTE_S = 1.0, 5.0, 60.0


def shuttle(speed: float, *, running: bool, direction: int) -> float:
    """The speed after J (direction -1) or L (+1): a first press starts at 1x, each further one doubles.

    Turning round starts at 1x again.
    """
    if not running or speed * direction <= 0:
        return float(direction)
    faster = [step for step in LADDER if step > abs(speed) + 1e-9]
    return direction * (faster[0] if faster else LADDER[-1])


def next_speed(speed: float, steps: int) -> float:
    """The speed of SPEEDS so many steps away, in the same direction."""
    nearest = min(range(len(SPEEDS)), key=lambda at: abs(SPEEDS[at] - abs(speed)))
    amount = SPEEDS[min(max(nearest + steps, 0), len(SPEEDS) - 1)]
    return amount if speed >= 0 else -amount


def is_recording(snapshot: Snapshot) -> bool:
    """Whether it can be paused and searched."""
    return snapshot.info is not None and snapshot.info.seekable and not snapshot.info.live


def is_live(snapshot: Snapshot) -> bool:
    return snapshot.info is not None and snapshot.info.live


def is_frozen(snapshot: Snapshot) -> bool:
    """Whether a person holds a live picture."""
    return is_live(snapshot) and snapshot.source_state is SourceState.PAUSED


def is_running(snapshot: Snapshot) -> bool:
    return snapshot.source_state in (SourceState.RUNNING, SourceState.OPENING)


class Origin:
    """Media time of a recording's first frame: time stamps of a stream copy may start anywhere."""

    def __init__(self) -> None:
        self._source_id: str | None = None
        self._at_s = 0.0

    def update(self, snapshot: Snapshot) -> float:
        """Take note of a snapshot; returns the origin, seconds.

        Taken from the first picture seen: its time stamp less its rank at the nominal rate.
        """
        info, shown = snapshot.info, snapshot.presentation
        if info is None or shown is None:
            self._source_id = None
            return 0.0
        frame = shown.frame
        if info.id != self._source_id or frame.index == 0:
            self._source_id = info.id
            before_s = frame.index / info.rate_hz if info.rate_hz else 0.0
            self._at_s = frame.pts_s - before_s
        return self._at_s

    @property
    def at_s(self) -> float:
        return self._at_s
