"""When a person is called: once a confirmed track, and not twice within two seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.tracking.tracks import Track
from engine.types import TrackState

APART_S = 2.0


@dataclass(frozen=True, slots=True)
class Alarms:
    """`called`: tracks that have had theirs. `last_s`: when it last rang. `ringing`: those of this look."""

    called: frozenset[int] = frozenset()
    last_s: float | None = None
    ringing: tuple[int, ...] = ()


def after(before: Alarms, tracks: Sequence[Track], now_s: float) -> Alarms:
    """Tracks that were confirmed too soon after an alarm are called by that one: nothing rings late.

    A look that goes back in time (another place of a recording) starts anew; ids are never given twice.
    """
    new = [t.id for t in tracks if t.state is TrackState.CONFIRMED and not t.dismissed]
    new = [track_id for track_id in new if track_id not in before.called]
    alive = frozenset(track.id for track in tracks)
    called = (before.called & alive) | frozenset(new)
    last_s = before.last_s if before.last_s is None or before.last_s <= now_s else None
    if not new or (last_s is not None and now_s - last_s < APART_S):
        return Alarms(called, last_s)
    return Alarms(called, now_s, tuple(new))
