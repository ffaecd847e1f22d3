"""Findings over time made of stored maps, by the same code as live: no network is asked (docs/adr/0033)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.drawing.components import find_components
from engine.review.findings import Finding, Sighted
from engine.review.maps import Chunk, StoredFrame, view_faults
from engine.tracking.follow import Find, Following, follow_moved, lowest, passed_by
from engine.tracking.tracks import Tracks
from engine.types import Component, Mask, OperatingPoint, Rect, Size, TrackState

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
        changes: dict[str, Any] = {}
        if known.last_rank != frame.rank or not known.frames:
            changes = {"frames": known.frames + 1, "last_rank": frame.rank, "end_s": frame.pts_s}
        if one.state is TrackState.CONFIRMED and known.confirmed_s is None:
            changes["confirmed_s"] = frame.pts_s
        if one.peak > known.peak:
            changes["peak"] = one.peak
        if one.area_px > known.area_px:
            field_px = frame.field.box.w * frame.field.box.h
            changes |= {
                "best_rank": frame.rank,
                "box": one.box,
                "area_px": one.area_px,
                "field_frac": one.area_px / max(field_px, 1),
            }
        known = replace(known, **changes) if changes else known
        self._found[one.track] = known
        if one.area_px <= GROWN * self._pictured_px.get(one.track, 0.0):
            return False
        self._pictured_px[one.track] = one.area_px
        return True


class Follower:
    """Takes stored frames in order, from the recording's first one on.

    `size`: the recording's. The same frames give the same findings, however often they are read. `find`: as
    `follow_moved` has it; `first_id`: of the findings.
    """

    def __init__(
        self,
        size: Size,
        point: OperatingPoint,
        period_s: float = 0.0,
        *,
        find: Find = find_components,
        first_id: int = 1,
    ) -> None:
        self._point = point
        self._period_s = period_s
        self._find = find
        longest = max(size.width_px, size.height_px)
        self._scale = min(1.0, LOOKED_PX / longest)
        self._size = Size(
            max(1, round(size.width_px * self._scale)), max(1, round(size.height_px * self._scale))
        )
        self._before = Following(Tracks(next_id=first_id))
        self.noted = Noted()

    def add(self, frame: StoredFrame) -> Followed:
        if frame.damaged:  # as `analyse` has it: nothing is marked on it, and nothing forgotten
            return Followed(frame.rank, (), ())
        roi = self._looked_at(frame.field.box)
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
            find=self._find,
        )
        self._before = now.following
        seen = tuple(
            self._in_frame(component, component.track, component.state)
            for component in (*now.components, *now.candidates)
            if component.track is not None and component.state is not None
        )
        grown = tuple(dict.fromkeys(one.track for one in seen if self.noted.add(one, frame)))
        return Followed(frame.rank, seen, grown)

    def quiet(self, chunk: Chunk, first: int, size: Size) -> int:
        """How many frames of a chunk, from its `first` on, give nothing: they are done with, without their
        maps, which would have that `size`.
        """
        if self._before.tracks.tracks:
            return 0
        loud = np.flatnonzero(chunk.peaks[first:] >= lowest(self._point) * 255.0)
        stop = first + int(loud[0]) if len(loud) else len(chunk.ranks)
        seen = first + np.flatnonzero(chunk.damaged[first:stop] == 0)
        if len(seen):
            self._before = passed_by(
                self._before,
                chunk.pts_s[seen],
                [view_faults(int(bits)) for bits in chunk.views[seen]],
                self._looked_at(chunk.fields[chunk.field_of[seen[-1]]].box),
                size,
                self._period_s,
            )
        return stop - first

    def _looked_at(self, box: Rect) -> Rect:
        return Rect(*(round(side * self._scale) for side in (box.x, box.y, box.w, box.h)))

    def _in_frame(self, component: Component, track: int, state: TrackState) -> Sighted:
        box, by = component.box, 1.0 / self._scale
        place = Rect(*(round(side * by) for side in (box.x, box.y, box.w, box.h)))
        return Sighted(track, state, place, round(component.area_px * by * by), component.peak)
