"""When a frame is due, when it is handed over, and when it is too late to be worth its conversion. Pure."""

from __future__ import annotations

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


def hand_over_s(due_s: float, previous_due_s: float | None) -> float:
    """When a file's frame goes to the network and the presenter.

    As soon as the frame before it is on the screen: a whole period for the network, so that the mask is
    there when its frame is due.
    """
    earliest_s = due_s - MAX_LEAD_S
    return earliest_s if previous_due_s is None else max(earliest_s, previous_due_s)


def is_too_late(now_s: float, due_s: float, period_s: float, last_handed_s: float | None) -> bool:
    """Whether a file's frame is skipped without conversion and inference.

    Otherwise one stall stays as a backlog of 40-200 ms for good.
    """
    if last_handed_s is None or now_s - last_handed_s > SHOW_AT_LEAST_EVERY_S:
        return False
    return now_s - due_s > period_s
