"""Blobs of single frames become tracks: one a place, confirmed by time, with an identity that lasts.

N of M, not N in a row: systems on the market see a polyp in about half of its frames (Brand et al. 2022,
ENDOTEST 2022), and withholding what lasts less than 200 ms removes most false marks without losing polyps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from engine.tracking.place import (
    UNMOVED,
    Place,
    Shift,
    around,
    is_compact,
    is_part,
    likeness,
    place_of,
)
from engine.tracking.rule import LEAST_HITS, TrackRule
from engine.types import Component, TrackState

DISMISSED_S = 30.0  # a person's no is remembered for so long after the place was last seen
INTERVALS = 5
LONGEST_DRIFT_S = 0.25  # of a track that is not released: one that is has to be where it was
LONGEST_WORTH = 1.5  # periods: a stall is no time in which something was seen
EXACT_S = 1e-6


_SURE = (TrackState.CONFIRMED, TrackState.HELD, TrackState.HIDDEN)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A blob of one frame. A weak one continues a track and never starts one."""

    component: Component
    strong: bool = True


@dataclass(frozen=True, slots=True)
class Hit:
    """A frame in which a track was seen, and the time that this frame stands for."""

    at_s: float
    worth_s: float


@dataclass(frozen=True, slots=True)
class Track:
    """One finding over time; times in seconds of the clock that `step` is given.

    `components`: the blobs of its last sighting, the largest first; `moved`: how the picture has moved since
    then. `hits`: its strong sightings inside the window. `confirmed_s`: when it was confirmed first.
    """

    id: int
    state: TrackState
    components: tuple[Component, ...]
    place: Place
    hits: tuple[Hit, ...]
    first_s: float
    seen_s: float
    sightings: int
    peak: float
    confirmed_s: float | None = None
    moved: Shift = UNMOVED
    dismissed: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether it is drawn as a finding."""
        return self.state in (TrackState.CONFIRMED, TrackState.HELD) and not self.dismissed


@dataclass(frozen=True, slots=True)
class Tracks:
    """All that is remembered from one look to the next. `tracks`: by id, those still of interest."""

    tracks: tuple[Track, ...] = ()
    next_id: int = 1
    at_s: float | None = None
    intervals_s: tuple[float, ...] = ()

    @property
    def shown(self) -> tuple[Track, ...]:
        return tuple(track for track in self.tracks if track.is_shown)


def restart(before: Tracks) -> Tracks:
    """After a seek, or with another source: nothing is remembered but which ids were given."""
    return Tracks(next_id=before.next_id)


def dismiss(before: Tracks, track_id: int, dismissed: bool = True) -> Tracks:
    """A person's no: the track is silent and undrawn for as long as it is known at that place.

    False takes it back.
    """
    tracks = (replace(t, dismissed=dismissed) if t.id == track_id else t for t in before.tracks)
    return replace(before, tracks=tuple(tracks))


def step(
    before: Tracks,
    sightings: Sequence[Sighting],
    *,
    now_s: float,
    rule: TrackRule,
    motion: Shift = UNMOVED,
    drift_px_s: float = 0.0,
    period_s: float = 0.0,
    may_start: bool = True,
) -> Tracks:
    """One look at a frame: what is known after it.

    `now_s`: the frame's own time (media time, or capture when live). `motion`: of the picture since the look
    before; `drift_px_s`: how fast a blob may have moved beside that. `period_s`: the source's frame interval,
    where it is known, until it has been seen. `may_start` False: the view is bad; a confirmed track that is
    still seen goes on, nothing starts or is confirmed.
    """
    if before.at_s is not None and now_s <= before.at_s:
        before = restart(before)
    intervals_s = before.intervals_s
    if before.at_s is not None:
        intervals_s = (*intervals_s, now_s - before.at_s)[-INTERVALS:]
    elif period_s:
        intervals_s = (period_s,) * INTERVALS  # what the source says counts until it has been seen
    if not before.tracks and not sightings:  # most of a recording
        return Tracks((), before.next_id, now_s, intervals_s)
    usual_s = median(intervals_s) if intervals_s else 0.0
    rule = rule.at(usual_s)
    worth_s = min(intervals_s[-1], LONGEST_WORTH * usual_s) if intervals_s else usual_s

    moved = tuple(_moved(track, motion) for track in before.tracks)
    seen, left = _matched(moved, sightings, now_s, drift_px_s)
    seen, left = _with_parts(moved, seen, left)
    tracks = []
    for track in moved:
        after = _after(track, seen.get(track.id, ()), now_s, worth_s, rule, may_start)
        kept_s = DISMISSED_S if track.dismissed else rule.return_s
        if now_s - after.seen_s <= kept_s + EXACT_S:
            tracks.append(after)
    next_id = before.next_id
    for sighting in left:
        if sighting.strong and may_start:
            tracks.append(_begun(next_id, sighting, now_s, worth_s))
            next_id += 1
    return Tracks(tuple(tracks), next_id, now_s, intervals_s)


def _moved(track: Track, by: Shift) -> Track:
    if by == UNMOVED:
        return track
    moved = Shift(track.moved.dx_px + by.dx_px, track.moved.dy_px + by.dy_px)
    return _unseen(track, track.place.moved(by), track.hits, track.state, moved)


def _unseen(track: Track, place: Place, hits: tuple[Hit, ...], state: TrackState, moved: Shift) -> Track:
    # By its fields in order: `replace` takes three times as long, and this is done for each track and frame.
    return Track(
        track.id,
        state,
        track.components,
        place,
        hits,
        track.first_s,
        track.seen_s,
        track.sightings,
        track.peak,
        track.confirmed_s,
        moved,
        track.dismissed,
    )


def _begun(track_id: int, sighting: Sighting, now_s: float, worth_s: float) -> Track:
    component = sighting.component
    return Track(
        id=track_id,
        state=TrackState.CANDIDATE,
        components=(component,),
        place=place_of(component),
        hits=(Hit(now_s, worth_s),),
        first_s=now_s,
        seen_s=now_s,
        sightings=1,
        peak=component.peak,
    )


Seen = dict[int, tuple[Sighting, ...]]


def _matched(
    tracks: Sequence[Track], sightings: Sequence[Sighting], now_s: float, drift_px_s: float
) -> tuple[Seen, list[Sighting]]:
    """The likest pairs first, each track and each sighting once. Ties go to the older track."""
    if not sightings:
        return {}, []
    pairs = []
    places = [place_of(sighting.component) for sighting in sightings]
    for track in tracks:
        since_s = 0.0 if track.state is TrackState.RELEASED else now_s - track.seen_s
        drift_px = drift_px_s * min(since_s, LONGEST_DRIFT_S)
        own = _places(track)
        for i, at in enumerate(places):
            like = max(likeness(place, at, drift_px) for place in own)
            if like > 0.0:
                pairs.append((-like, track.id, i))
    seen: Seen = {}
    taken: set[int] = set()
    for _, track_id, i in sorted(pairs):
        if track_id not in seen and i not in taken:
            seen[track_id] = (sightings[i],)
            taken.add(i)
    return seen, [sighting for i, sighting in enumerate(sightings) if i not in taken]


def _places(track: Track) -> tuple[Place, ...]:
    """Where it is as a whole, and of one that came apart where its parts are."""
    if len(track.components) == 1:
        return (track.place,)
    return (track.place, *(place_of(component).moved(track.moved) for component in track.components))


def _with_parts(tracks: Sequence[Track], seen: Seen, left: Sequence[Sighting]) -> tuple[Seen, list[Sighting]]:
    """Blobs beside the matched ones, where their tracks were: what came apart is one as long as it is near.

    Without an end to that, whatever flashes between two parts would be as sure as they are.
    """
    rest = []
    for sighting in left:
        at = place_of(sighting.component)
        whole = next((t for t in tracks if t.id in seen and any(is_part(at, p) for p in _places(t))), None)
        if whole is None or not is_compact([at, *(place_of(one.component) for one in seen[whole.id])]):
            rest.append(sighting)
        else:
            seen = {**seen, whole.id: (*seen[whole.id], sighting)}
    return seen, rest


def _after(
    track: Track, seen: tuple[Sighting, ...], now_s: float, worth_s: float, rule: TrackRule, may_start: bool
) -> Track:
    start_s = now_s - rule.window_s + EXACT_S
    hits = track.hits
    if hits and hits[0].at_s <= start_s:
        hits = tuple(hit for hit in hits if hit.at_s > start_s)
    if not seen:
        state = _missing(track, now_s, rule)
        same = hits is track.hits and state is track.state  # most of what is released
        return track if same else _unseen(track, track.place, hits, state, track.moved)
    released = track.state is TrackState.RELEASED
    if released:
        hits = ()  # what is seen again has to be seen for long enough again
    if any(sighting.strong for sighting in seen) and may_start:
        hits = (*hits, Hit(now_s, worth_s))
    is_confirmed = track.state in _SURE
    enough = len(hits) >= LEAST_HITS and sum(hit.worth_s for hit in hits) >= rule.hit_s - EXACT_S
    state = TrackState.CANDIDATE
    if is_confirmed or (may_start and enough):
        state = TrackState.CONFIRMED
    elif len(hits) >= LEAST_HITS or track.state is TrackState.TENTATIVE:
        state = TrackState.TENTATIVE
    components = tuple(sorted((s.component for s in seen), key=lambda c: c.area_px, reverse=True))
    confirmed_s = track.confirmed_s
    if state is TrackState.CONFIRMED and confirmed_s is None:
        confirmed_s = now_s
    return Track(
        track.id,
        state,
        components,
        around([place_of(component) for component in components]),
        hits,
        track.first_s,
        now_s,
        track.sightings + 1,
        max(track.peak, *(component.peak for component in components)),
        confirmed_s,
        UNMOVED,
        track.dismissed,
    )


def _missing(track: Track, now_s: float, rule: TrackRule) -> TrackState:
    """Of a track that this frame does not show."""
    since_s = now_s - track.seen_s
    if since_s > rule.release_s + EXACT_S:
        return TrackState.RELEASED
    if track.state in _SURE:
        return TrackState.HELD if since_s <= rule.hold_s + EXACT_S else TrackState.HIDDEN
    return track.state
