"""Findings over time made of stored maps, by the same code as live: no network is asked (docs/adr/0033)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.review.database import Database
from engine.review.findings import Finding, Sighted, forget_findings, write_findings
from engine.review.maps import StoredFrame, view_faults
from engine.review.recording import point_text
from engine.review.timeline import FrameTable
from engine.tracking.follow import Following, follow_moved
from engine.tracking.rule import RETURN_S
from engine.tracking.steady import BAND
from engine.types import Component, Mask, OperatingPoint, Rect, Size, TrackState

FEW_FRAMES_S = 1.0  # until the interval of frames is known again, also at 5 Hz
LOOKED_PX = 480  # of a frame's longer side: where a blob is, and how large, needs no more
GROWN = 1.3  # of the area: a finding that grows steadily is not pictured anew in each frame


@dataclass(frozen=True, slots=True)
class Followed:
    """Of one frame. `grown`: findings that are larger in it than in any before, by a good part."""

    rank: int
    sightings: tuple[Sighted, ...]
    grown: tuple[int, ...]


class Noted:
    """What becomes of sightings: a finding for each track."""

    def __init__(self) -> None:
        self._found: dict[int, Finding] = {}
        self._pictured_px: dict[int, float] = {}
        self._changed: set[int] = set()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that were ever seen, also what was never confirmed, in the order of their beginning."""
        return tuple(sorted(self._found.values(), key=lambda one: (one.first_rank, one.id)))

    def take_changed(self) -> tuple[Finding, ...]:
        """Those that are new or other than when this was last asked."""
        changed, self._changed = sorted(self._changed), set()
        return tuple(self._found[track] for track in changed)

    def add(self, one: Sighted, frame: StoredFrame) -> bool:
        """Whether the finding has grown by a good part; nothing comes of one that is held, and not seen."""
        if one.state is TrackState.HELD:
            return False
        self._changed.add(one.track)
        known = self._found.get(one.track)
        if known is None:
            known = Finding(
                id=one.track,
                first_rank=frame.rank,
                last_rank=frame.rank,
                best_rank=frame.rank,
                start_s=frame.pts_s,
                end_s=frame.pts_s,
                confirmed_s=None,
                frames=0,
                peak=0.0,
                box=one.box,
                area_px=0,
                field_frac=0.0,
            )
        if known.last_rank != frame.rank or not known.frames:
            known = replace(known, frames=known.frames + 1, last_rank=frame.rank, end_s=frame.pts_s)
        if one.state is TrackState.CONFIRMED and known.confirmed_s is None:
            known = replace(known, confirmed_s=frame.pts_s)
        known = replace(known, peak=max(known.peak, one.peak))
        if one.area_px > known.area_px:
            field_px = frame.field.box.w * frame.field.box.h
            known = replace(
                known,
                best_rank=frame.rank,
                box=one.box,
                area_px=one.area_px,
                field_frac=one.area_px / max(field_px, 1),
            )
        self._found[one.track] = known
        if one.area_px <= GROWN * self._pictured_px.get(one.track, 0.0):
            return False
        self._pictured_px[one.track] = one.area_px
        return True


class Follower:
    """Takes stored frames in order, from the recording's first one on.

    `size`: the recording's. The same frames give the same findings, however often they are read.
    """

    def __init__(self, size: Size, point: OperatingPoint, period_s: float = 0.0) -> None:
        self._point = point
        self._period_s = period_s
        longest = max(size.width_px, size.height_px)
        self._scale = min(1.0, LOOKED_PX / longest)
        self._size = Size(
            max(1, round(size.width_px * self._scale)), max(1, round(size.height_px * self._scale))
        )
        self._before = Following()
        self.noted = Noted()

    def add(self, frame: StoredFrame) -> Followed:
        if frame.damaged:  # as `analyse` has it: nothing is marked on it, and nothing forgotten
            return Followed(frame.rank, (), ())
        box = frame.field.box
        roi = Rect(*(round(side * self._scale) for side in (box.x, box.y, box.w, box.h)))
        now = follow_moved(
            self._before,
            Mask(frame.rank, frame.map, roi),
            frame.motion,
            view_faults(frame.view),
            self._size,
            self._point,
            now_s=frame.pts_s,
            period_s=self._period_s,
            field=replace(frame.field, box=roi),
        )
        self._before = now.following
        seen = tuple(
            self._in_frame(component, component.track, component.state)
            for component in (*now.components, *now.candidates)
            if component.track is not None and component.state is not None
        )
        grown = tuple(dict.fromkeys(one.track for one in seen if self.noted.add(one, frame)))
        return Followed(frame.rank, seen, grown)

    def _in_frame(self, component: Component, track: int, state: TrackState) -> Sighted:
        box, by = component.box, 1.0 / self._scale
        place = Rect(*(round(side * by) for side in (box.x, box.y, box.w, box.h)))
        return Sighted(track, state, place, round(component.area_px * by * by), component.peak)


@dataclass(frozen=True, slots=True)
class Remade:
    """Findings at an operating point as far as they are made; `sightings`: by rank."""

    point: OperatingPoint
    frames: int
    findings: tuple[Finding, ...]
    sightings: dict[int, tuple[Sighted, ...]]

    @property
    def confirmed(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.confirmed_s is not None)


def quiet_before(table: FrameTable, rank: int, point: OperatingPoint) -> int:
    """The nearest frame before `rank`, or itself, from which on nothing depends on what was before: in the
    seconds for which a finding is remembered there is nothing. 0 where there is no such frame.

    `remade` of the frames from there on gives the findings of that part at once, but for their numbers.
    """
    lowest = min(point.keep or 1.0, point.threshold - BAND) * 255.0
    end = int(np.searchsorted(table.ranks, rank, side="right"))
    loud = np.flatnonzero(table.peaks[:end] >= lowest)
    # A frame that is empty itself, and this long after the last one that is not.
    last = np.full(end, -np.inf)
    last[loud] = table.pts_s[loud]
    last = np.maximum.accumulate(last)
    quiet = np.flatnonzero(table.pts_s[:end] - last > RETURN_S + FEW_FRAMES_S)
    return int(table.ranks[quiet[-1]]) if len(quiet) and np.isfinite(last[quiet[-1]]) else 0


def keep(database: Database, analysis: int, made: Remade) -> bool:
    """These are the findings that the side-car has from now on. False, and nothing is kept, while the
    analysis is not done: it adds to those of its own point. Raises FaultError.
    """
    with database.change() as change:
        if not change.rows("SELECT 1 FROM analysis WHERE id = ? AND done", analysis):
            return False
        forget_findings(change, analysis)
        write_findings(change, analysis, made.findings, made.sightings.items())
        change.run(
            "UPDATE analysis SET point = ?, preset = ? WHERE id = ?",
            point_text(made.point),
            made.point.preset,
            analysis,
        )
    return True


def remade(
    frames: Iterable[StoredFrame],
    size: Size,
    point: OperatingPoint,
    period_s: float = 0.0,
    every: int = 4096,
) -> Iterator[Remade]:
    """The findings at another point: what is known after each `every` frames, and at the end.

    Nothing has to be waited for to leave it: whoever moves a slider on begins another one.
    """
    follower = Follower(size, point, period_s)
    sightings: dict[int, tuple[Sighted, ...]] = {}
    count = 0
    for frame in frames:
        seen = follower.add(frame)
        if seen.sightings:
            sightings[seen.rank] = seen.sightings
        count += 1
        if count % every == 0:
            yield Remade(point, count, follower.noted.findings, sightings.copy())
    yield Remade(point, count, follower.noted.findings, sightings)
