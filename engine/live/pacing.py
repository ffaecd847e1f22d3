"""When a frame is due, when it is handed over, and when it is too late to be worth its conversion. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Handed over at most this long before it is due, so that pausing and seeking feel immediate.
MAX_LEAD_S = 0.1
# Even a decoder that is always late shows a picture this often.
SHOW_AT_LEAST_EVERY_S = 0.2
# Later than this, the video is slower than real time for good: the clock starts anew.
RESTART_CLOCK_S = 1.0


@dataclass(frozen=True, slots=True)
class MediaClock:
    """Ties media time to `time.monotonic()`: the frame at `anchor_pts_s` is due at `anchor_s`."""

    anchor_pts_s: float
    anchor_s: float
    speed: float

    def due_s(self, pts_s: float) -> float:
        """When a frame is due. `speed` > 0."""
        return self.anchor_s + (pts_s - self.anchor_pts_s) / self.speed

    def pts_s(self, now_s: float) -> float:
        """Media time now; runs backwards when `speed` < 0."""
        return self.anchor_pts_s + (now_s - self.anchor_s) * self.speed


@dataclass(frozen=True, slots=True)
class NetworkPace:
    """What the network is doing, and how long it takes for a frame."""

    number: int = -1  # of the frame that it took last
    since_s: float | None = None  # when it took it; None: it is done with it
    takes_s: float | None = None  # usually, from taking a frame until its mask is there; None: not known yet

    def mask_at_s(self, number: int, now_s: float) -> float:
        """When the mask of frame `number` can be there. Infinite when it never will be, or nothing is known.

        The network takes the newest frame there is and never goes back to one that it has passed over.
        """
        if self.takes_s is None or number < self.number or (number == self.number and self.since_s is None):
            return math.inf
        free_s = now_s if self.since_s is None else self.since_s + self.takes_s
        if now_s > free_s + self.takes_s:  # it hangs: frame after frame would wait for nothing
            return math.inf
        return free_s if number == self.number else max(free_s, now_s) + self.takes_s


def usual_s(took_s: Sequence[float]) -> float:
    """What about four in five of these times (at least one) stay below.

    Not their median: beside a busy decoder every other mask would come after its frame was due.
    """
    return sorted(took_s)[len(took_s) * 4 // 5]


def lead_s(period_s: float, network_takes_s: float | None) -> float:
    """How long before it is due a file's frame goes to the network and the presenter.

    The network may be at a frame when the next one comes, and takes the newest one once it is done with it: a
    period passes at most until it begins, and then its own time. So each mask that is made is there when its
    frame is due, also of a network that is too slow for every frame.
    """
    return min(period_s + (network_takes_s or 0.0), MAX_LEAD_S)


def is_too_late(now_s: float, due_s: float, period_s: float, last_handed_s: float | None) -> bool:
    """Whether a file's frame is skipped without conversion and inference.

    Otherwise one stall stays as a backlog of 40-200 ms for good.
    """
    if last_handed_s is None or now_s - last_handed_s > SHOW_AT_LEAST_EVERY_S:
        return False
    return now_s - due_s > period_s
