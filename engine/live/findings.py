"""What a map means in a frame of the live path: findings over time, how good the view is, and the alarm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.drawing.components import find_components
from engine.live.board import Status
from engine.tracking.alarm import Alarms
from engine.tracking.alarm import after as alarms_after
from engine.tracking.dismissed import Dismissed, told
from engine.tracking.dismissed import after as dismissed_after
from engine.tracking.follow import DRAWN, Following, at_point, drawn, follow, largest_first
from engine.tracking.place import Place, likeness, place_of
from engine.tracking.tracks import dismiss
from engine.types import U8, Component, Field, Frame, Mask, OperatingPoint, Result, SourceState, TrackState

_STANDS = (SourceState.PAUSED, SourceState.ENDED)


@dataclass(frozen=True, slots=True)
class Found:
    """Of one frame: as in `Result`."""

    components: tuple[Component, ...]
    candidates: tuple[Component, ...] = ()
    view: tuple[str, ...] = ()
    rings: tuple[int, ...] = ()
    dismissed: frozenset[int] = frozenset()  # found again where a person has dismissed them


class Findings:
    """Used by the network's thread alone.

    `before`: of another network, whose ids are not given again, and what was dismissed of its recording.
    """

    def __init__(self, before: Findings | None = None) -> None:
        self._recording: str | None = None if before is None else before._recording
        self._dismissed: Dismissed = Dismissed() if before is None else before._dismissed
        self._following: Following = Following() if before is None else before._following.anew()
        self._alarms = Alarms()
        self._serial: int | None = None

    def dismiss(self, track_id: int, dismissed: bool = True) -> frozenset[int]:
        """A person's no: the finding is silent and undrawn for as long as it is known at that place.

        In a recording also when one comes back to that time. Returns the ids that it has had so far.
        """
        self._dismissed = told(self._dismissed, track_id, dismissed)
        ids = self._dismissed.ids_of(track_id)
        self._refuse(ids, dismissed)
        return ids

    def _refuse(self, ids: frozenset[int], dismissed: bool = True) -> None:
        tracks = self._following.tracks
        for track_id in ids:
            tracks = dismiss(tracks, track_id, dismissed)
        self._following = replace(self._following, tracks=tracks)

    def _back(self, frame: Frame, status: Status, now_s: float) -> frozenset[int]:
        """What was dismissed of this recording before one went elsewhere in it and came back."""
        if status.info is None or status.info.live:
            return frozenset()
        if status.info.id != self._recording:
            self._recording, self._dismissed = status.info.id, Dismissed()
        tracks = self._following.tracks.tracks
        self._dismissed = dismissed_after(self._dismissed, tracks, now_s, frame.pts_s)
        refused = frozenset(i for trail in self._dismissed.trails if trail.dismissed for i in trail.tracks)
        back = frozenset(track.id for track in tracks if track.id in refused and not track.dismissed)
        self._refuse(back)
        return back

    def of(self, frame: Frame, picture: U8, mask: Mask, status: Status) -> Found:
        """`picture`: what the network was shown, uint8 [h, w, 3]."""
        point = status.point
        if not point.follows or frame.name is not None:
            return Found(find_components(mask, frame.width_px, frame.height_px, point))
        if frame.seek_serial != self._serial:
            self._serial = frame.seek_serial
            self._following = self._following.anew()
        now_s, period_s = _time_of(frame, status)
        seen = follow(
            self._following,
            mask,
            picture,
            frame.size,
            point,
            now_s=now_s,
            period_s=period_s,
            field=frame.field,
        )
        self._following = seen.following
        back = self._back(frame, status, now_s)
        tracks = self._following.tracks.tracks
        self._alarms = alarms_after(self._alarms, tracks, now_s)
        view = tuple(sorted(self._following.view.faults))
        components, candidates = seen.components, seen.candidates
        if back:
            field = frame.field or Field(mask.roi)
            components, candidates = drawn(tracks, field, now_s, tentative=point.shows_tentative)
        if status.source_state in _STANDS:
            refused = [track.place for track in tracks if track.dismissed]
            refused += self._dismissed.places(frame.pts_s)
            shown, rest = _with_still(mask, frame, point, components, candidates, refused)
            return Found(shown, rest, view, dismissed=back)
        return Found(components, candidates, view, self._alarms.ringing, back)


def moved_to(result: Result, point: OperatingPoint) -> Result:
    """The same frame at another operating point: no inference is needed for that.

    Where findings are followed, what was drawn stays drawn with its new outline; a preset's times hold from
    the next frame on.
    """
    if not point.follows or not result.point.follows:
        found = find_components(result.mask, result.size.width_px, result.size.height_px, point)
        return replace(result, components=found, candidates=(), point=point)
    every = replace(point, min_peak=0.0)
    found = find_components(result.mask, result.size.width_px, result.size.height_px, every)
    components, candidates = at_point(found, result.components, result.candidates)
    return replace(result, components=components, candidates=candidates, point=point)


def as_told(result: Result, dismissed: frozenset[int]) -> Result:
    """The same frame without what a person has dismissed, and with what was brought back. No inference.

    A candidate that is confirmed is one that was dismissed when the frame was judged.
    """
    out = [c for c in result.components if c.track in dismissed]
    back = [c for c in result.candidates if c.state in DRAWN and c.track not in dismissed]
    if not out and not back:
        return result
    shown = [c for c in result.components if c.track not in dismissed]
    rest = [c for c in result.candidates if c.state not in DRAWN or c.track in dismissed]
    return replace(result, components=largest_first([*shown, *back]), candidates=largest_first([*rest, *out]))


def of_itself(result: Result) -> Result:
    """Without held findings: those are of an earlier frame, and would stand on this one for good."""
    own = tuple(c for c in result.components if c.state is not TrackState.HELD)
    return result if len(own) == len(result.components) else replace(result, components=own)


def _with_still(
    mask: Mask,
    frame: Frame,
    point: OperatingPoint,
    components: Sequence[Component],
    candidates: Sequence[Component],
    refused: Sequence[Place],
) -> tuple[tuple[Component, ...], tuple[Component, ...]]:
    """A picture that stands is judged as a still, too: nothing comes after it that could confirm it.

    `refused`: where a person has dismissed a finding.
    """
    still = find_components(mask, frame.width_px, frame.height_px, point)
    known = (*map(place_of, components), *refused)
    new = [c for c in still if not _near(c, known)]
    places = [place_of(c) for c in new]
    return largest_first([*components, *new]), tuple(c for c in candidates if not _near(c, places))


def _near(component: Component, places: Sequence[Place]) -> bool:
    at = place_of(component)
    return any(likeness(place, at) > 0.0 for place in places)


def _time_of(frame: Frame, status: Status) -> tuple[float, float]:
    """The frame's own time and the source's frame interval, seconds. Played backwards, time runs on, too."""
    info = status.info
    period_s = 1.0 / info.rate_hz if info is not None and info.rate_hz else 0.0
    if info is not None and info.live:
        return frame.captured_s, period_s
    return (frame.pts_s if status.speed > 0 else -frame.pts_s), period_s
