"""What makes a track of single sightings: times, never counts of frames."""

from __future__ import annotations

from dataclasses import dataclass

HOLD_S = 0.200
RELEASE_S = 0.400
RETURN_S = 3.0
# A slow source (many public clips have 5 Hz) is judged by its own frames where these take longer.
WINDOW_PERIODS, HOLD_PERIODS, RELEASE_PERIODS = 3, 1, 2
LEAST_HITS = 2


@dataclass(frozen=True, slots=True)
class TrackRule:
    """When a track is confirmed, and for how long it is kept; seconds.

    Confirmed: `hit_s` of hits inside the last `window_s`, so a source of 60 Hz is no quicker than one of
    30 Hz, and no less than two of them. Held: shown on over misses of at most `hold_s`. Released: after
    `release_s` without a hit. The same track again: at the same place within `return_s`.
    """

    hit_s: float
    window_s: float
    hold_s: float = HOLD_S
    release_s: float = RELEASE_S
    return_s: float = RETURN_S

    def at(self, period_s: float) -> TrackRule:
        """The rule for a source with a frame every `period_s`: windows hold some frames at least."""
        return TrackRule(
            self.hit_s,
            max(self.window_s, WINDOW_PERIODS * period_s),
            max(self.hold_s, HOLD_PERIODS * period_s),
            max(self.release_s, RELEASE_PERIODS * period_s),
            max(self.return_s, RELEASE_PERIODS * period_s),
        )
