"""What a person has dismissed in a recording: where and when, so that it stays away when one comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.tracking.place import Place, likeness
from engine.tracking.tracks import Track

SLOT_S = 0.1  # of the recording: a place is remembered once in so much of it


@dataclass(frozen=True, slots=True)
class Trail:
    """Where one finding was. `tracks`: its ids, one a visit; `places`: by slot of its recording."""

    tracks: frozenset[int]
    places: Mapping[int, Place] = field(default_factory=dict)
    dismissed: bool = False

    def near(self, pts_s: float) -> list[Place]:
        """Where it was at that time, and one slot before and behind."""
        slot = _slot(pts_s)
        return [self.places[s] for s in (slot - 1, slot, slot + 1) if s in self.places]

    def seen_as(self, track: Track, pts_s: float) -> Trail:
        slot = _slot(pts_s)
        if track.id in self.tracks and slot in self.places:
            return self
        return replace(self, tracks=self.tracks | {track.id}, places={slot: track.place, **self.places})


@dataclass(frozen=True, slots=True)
class Dismissed:
    """Trails of one recording: of what is followed just now, and of all that was dismissed in it."""

    trails: tuple[Trail, ...] = ()

    def ids_of(self, track_id: int) -> frozenset[int]:
        """All ids under which that finding is known."""
        known = (trail.tracks for trail in self.trails if track_id in trail.tracks)
        return next(known, frozenset((track_id,)))

    def places(self, pts_s: float) -> list[Place]:
        """Where something was dismissed at that time."""
        return [place for trail in self.trails if trail.dismissed for place in trail.near(pts_s)]


def told(before: Dismissed, track_id: int, dismissed: bool) -> Dismissed:
    """A person's no, or the taking back of it."""
    return Dismissed(
        tuple(replace(t, dismissed=dismissed) if track_id in t.tracks else t for t in before.trails)
    )


def after(before: Dismissed, tracks: Sequence[Track], now_s: float, pts_s: float) -> Dismissed:
    """One look more: `now_s` on the tracks' clock, `pts_s` of the recording.

    A new track at a place where one was dismissed at that time of the recording is that one again.
    """
    trails = list(before.trails)
    for track in tracks:
        if track.seen_s == now_s:
            at = _trail_of(trails, track, pts_s)
            if at is None:
                trails.append(Trail(frozenset((track.id,)), {_slot(pts_s): track.place}))
            else:
                trails[at] = trails[at].seen_as(track, pts_s)
    alive = {track.id for track in tracks}
    return Dismissed(tuple(trail for trail in trails if trail.dismissed or trail.tracks & alive))


def _trail_of(trails: Sequence[Trail], track: Track, pts_s: float) -> int | None:
    own = (i for i, trail in enumerate(trails) if track.id in trail.tracks)
    visited = (
        i
        for i, trail in enumerate(trails)
        if trail.dismissed and any(likeness(place, track.place) > 0.0 for place in trail.near(pts_s))
    )
    return next(own, next(visited, None))


def _slot(pts_s: float) -> int:
    return int(pts_s // SLOT_S)
