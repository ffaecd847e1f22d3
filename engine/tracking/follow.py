"""One source followed from frame to frame: maps in, findings that were seen for long enough out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from engine.drawing.components import find_components
from engine.tracking.carried import carried
from engine.tracking.place import Place, Shift, likeness, overlap_px, place_of
from engine.tracking.rule import TrackRule
from engine.tracking.steady import BAND, steadied
from engine.tracking.tracks import INTERVALS, Sighting, Track, Tracks, restart, step
from engine.types import F32, U8, Component, Field, Mask, OperatingPoint, Rect, Size, TrackState
from engine.view.motion import STILL, Motion, look_of, motion_between
from engine.view.quality import ViewFault, ViewQuality, faults_of, measure
from engine.view.quality import after as quality_after

DRAWN = (TrackState.CONFIRMED, TrackState.HELD)
Find = Callable[[Mask, int, int, OperatingPoint], tuple[Component, ...]]
NO_RULE = TrackRule(0.0, 0.0)  # for where there is nothing to confirm
CONTINUED = frozenset(TrackState) - {TrackState.RELEASED}
# How fast a blob may move beside the picture's motion, sides of the picture a second: of polyps at 5 Hz that
# motion leaves 0.09 of a side unexplained from frame to frame (mean of 354), at 25 Hz 0.016.
DRIFT_FRAC_S = 1.0


@dataclass(frozen=True, slots=True)
class Following:
    """What is remembered from one frame to the next.

    `look`: of the last picture, to tell its motion by; `inside`: uint8 [h, w], what its map had inside;
    `roi`: where that map lay; `view`: what has been wrong with the view, which stops new findings.
    """

    tracks: Tracks = Tracks()
    look: F32 | None = None
    inside: U8 | None = None
    roi: Rect | None = None
    view: ViewQuality = ViewQuality()

    def anew(self) -> Following:
        """Behind a seek, or with another source: only which ids were given is kept."""
        return Following(restart(self.tracks))


@dataclass(frozen=True, slots=True)
class Followed:
    """Of one frame. `components` are drawn, `candidates` are not; the largest first."""

    following: Following
    components: tuple[Component, ...]
    candidates: tuple[Component, ...]


def follow(
    before: Following,
    mask: Mask,
    picture: U8,
    size: Size,
    point: OperatingPoint,
    *,
    now_s: float,
    period_s: float = 0.0,
    field: Field | None = None,
) -> Followed:
    """One frame more. `picture`: what the network was shown, uint8 [h, w, 3]; the rest as `step` has it.

    `field`: the outline in the map's box outside of which nothing is drawn; None: there is none.
    """
    look = look_of(picture)
    motion = STILL
    if before.look is not None and before.roi in (None, mask.roi) and _has_something(before):
        motion = motion_between(before.look, look)
    wrong = faults_of(measure(picture))
    found = follow_moved(
        before, mask, motion, wrong, size, point, now_s=now_s, period_s=period_s, field=field
    )
    return replace(found, following=replace(found.following, look=look))


def follow_moved(
    before: Following,
    mask: Mask,
    motion: Motion,
    wrong: frozenset[ViewFault],
    size: Size,
    point: OperatingPoint,
    *,
    now_s: float,
    period_s: float = 0.0,
    field: Field | None = None,
    find: Find = find_components,
) -> Followed:
    """One frame more whose picture is not at hand: `motion` is what it said against the one before, `wrong`
    what is wrong with it as a view; `find`: `find_components`, or what remembers its answers.
    """
    view = quality_after(before.view, wrong, now_s)
    if before.roi is not None and before.roi != mask.roi:
        before, motion = replace(before, inside=None), STILL
    shift = Shift(motion.dx_frac * mask.roi.w, motion.dy_frac * mask.roi.h)
    if _is_empty(mask, point):  # most frames of a recording, and then none of the rest has to be made
        seen: tuple[Sighting, ...] = ()
        inside = np.zeros_like(mask.probability)
    else:
        high, wide = mask.probability.shape
        on_map = Shift(shift.dx_px * wide / mask.roi.w, shift.dy_px * high / mask.roi.h)
        steady = steadied(mask.probability, before.inside, point.threshold, on_map)
        tracks = before.tracks.tracks
        seen = ()
        if tracks or int(steady.max()) >= point.hit_peak * 255.0 - 1.0:  # else nothing starts, or goes on
            known = [track.place.moved(shift) for track in tracks if track.state in CONTINUED]
            seen = _sightings(replace(mask, probability=steady), size, point, known, find)
        inside = (steady >= point.threshold * 255.0).view(np.uint8)
    after = step(
        before.tracks,
        seen,
        now_s=now_s,
        rule=TrackRule(point.hit_s, point.window_s),
        motion=shift,
        drift_px_s=DRIFT_FRAC_S * max(mask.roi.w, mask.roi.h),
        period_s=period_s,
        may_start=view.is_good,
    )
    shown_in = field or Field(mask.roi)
    components, candidates = drawn(after.tracks, shown_in, now_s, tentative=point.shows_tentative)
    return Followed(Following(after, None, inside, mask.roi, view), components, candidates)


def passed_by(
    before: Following,
    times_s: npt.NDArray[np.float64],
    wrong: Sequence[frozenset[ViewFault]],
    roi: Rect,
    size: Size,
    period_s: float = 0.0,
) -> Following:
    """As `follow_moved` of some frames more, while nothing is followed and nothing is in their maps.

    `times_s`: float64 [n], at least one; `wrong`: of each frame's view; `roi`: where the last of their maps
    lies; `size`: of that map.
    """
    view, tracks = before.view, before.tracks
    for faults, at_s in zip(wrong, times_s.tolist(), strict=True):
        view = quality_after(view, faults, at_s)
    grows = tracks.at_s is not None and tracks.at_s < times_s[0] and bool(np.all(np.diff(times_s) > 0))
    if grows and len(times_s) > INTERVALS:  # what is known of times before these is forgotten by then
        tracks = Tracks((), tracks.next_id, float(times_s[-INTERVALS - 1]))
        times_s = times_s[-INTERVALS:]
    for at_s in times_s.tolist():
        tracks = step(tracks, (), now_s=at_s, rule=NO_RULE, period_s=period_s)
    return Following(tracks, None, np.zeros((size.height_px, size.width_px), np.uint8), roi, view)


def lowest(point: OperatingPoint) -> float:
    """Probability below which nothing is found, even of what was inside a moment ago."""
    return min(point.keep or 1.0, point.threshold - BAND)


def _has_something(before: Following) -> bool:
    """Whether there is anything that could have moved with the picture."""
    return bool(before.tracks.tracks) or (before.inside is not None and bool(before.inside.any()))


def _is_empty(mask: Mask, point: OperatingPoint) -> bool:
    return int(mask.probability.max(initial=0)) < lowest(point) * 255.0


def _sightings(
    mask: Mask, size: Size, point: OperatingPoint, known: Sequence[Place], find: Find
) -> tuple[Sighting, ...]:
    """All that lies over the threshold, and beside it what a finding is continued by.

    `known`: where findings are to be. Where each of them meets what is over the threshold, nothing else is
    looked for: it would cost as much again.
    """
    every, kept = _levels(point)
    found = find(mask, size.width_px, size.height_px, every)
    seen = [Sighting(component, component.peak >= point.hit_peak) for component in found]
    places = [place_of(component) for component in found]
    missing = any(not any(overlap_px(at, place) for place in places) for at in known)
    if missing and kept is not None:
        faint = find(mask, size.width_px, size.height_px, kept)
        alone = (c for c in faint if not any(overlap_px(place_of(c), place) for place in places))
        seen += [Sighting(component, strong=False) for component in alone]
    return tuple(seen)


@lru_cache(maxsize=8)
def _levels(point: OperatingPoint) -> tuple[OperatingPoint, OperatingPoint | None]:
    """At which all is found, and at which what continues a finding; None: nothing fainter does."""
    every = replace(point, min_peak=0.0)
    return every, replace(every, threshold=point.keep) if 0.0 < point.keep < point.threshold else None


def drawn(
    tracks: Sequence[Track], field: Field, now_s: float, *, tentative: bool = False
) -> tuple[tuple[Component, ...], tuple[Component, ...]]:
    """The components of findings that are drawn at `now_s`, and those of all others seen then.

    `tentative`: those that were seen but twice are drawn, too. A held one that has moved out of `field` is
    not: nothing is marked outside of the picture.
    """
    components: list[Component] = []
    candidates: list[Component] = []
    for track in tracks:
        seen = track.seen_s == now_s
        twice = tentative and seen and track.state is TrackState.TENTATIVE and not track.dismissed
        is_drawn = track.is_shown or twice
        if not is_drawn and not seen:
            continue
        own = [_of(track, component) for component in track.components]
        if track.state is TrackState.HELD:
            own = carried(own, track.moved, field)
        if is_drawn:
            components += own
        else:
            candidates += own
    return largest_first(components), largest_first(candidates)


def _of(track: Track, c: Component) -> Component:
    return Component(c.box, c.area_px, c.peak, c.mean, c.contours, track.id, track.state)


def largest_first(components: Sequence[Component]) -> tuple[Component, ...]:
    return tuple(sorted(components, key=lambda component: component.area_px, reverse=True))


def at_point(
    components: Sequence[Component], drawn_before: Sequence[Component], candidates: Sequence[Component]
) -> tuple[tuple[Component, ...], tuple[Component, ...]]:
    """Components of another operating point: drawn where a drawn finding was, candidates elsewhere.

    `drawn_before`: what was drawn of the frame, of a picture that stands also what belongs to no track;
    `candidates`: the rest.
    """
    known = (*drawn_before, *candidates)
    shown: list[Component] = []
    others: list[Component] = []
    for component in components:
        at = place_of(component)
        near = max(known, key=lambda k: likeness(place_of(k), at), default=None)
        same = near is not None and likeness(place_of(near), at) > 0.0
        own = (
            replace(component, track=near.track, state=near.state) if near is not None and same else component
        )
        stands = same and own.state is None and any(near is one for one in drawn_before)
        (shown if own.state in DRAWN or stands else others).append(own)
    return tuple(shown), tuple(others)
