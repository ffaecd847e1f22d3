"""Findings made again of stored maps, by the same code as live: no network is asked (docs/adr/0033)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from engine.drawing.components import find_components
from engine.review.database import Database
from engine.review.findings import Finding, Sighted, forget_findings, write_findings
from engine.review.following import Follower
from engine.review.maps import CHUNK, Chunk, chunks, maps_of
from engine.review.recording import Analysis, Recording, point_text
from engine.review.remaking.blobs import Blobs
from engine.review.timeline import FrameTable
from engine.tracking.follow import Find, lowest
from engine.tracking.rule import RETURN_S
from engine.types import U8, OperatingPoint, Size

FEW_FRAMES_S = 1.0  # until the interval of frames is known again, also at 5 Hz
PART_IDS = 1_000_000_000  # of findings of a part, until what is before it has been made
BEFORE_S, BEHIND_S = 20.0, 20.0  # of what is looked at: made first


@dataclass(frozen=True, slots=True)
class Remade:
    """Findings at an operating point as far as they are made; `sightings`: by rank.

    `frames`: of so many; `last_rank`: of the last of them, -1 before the first.
    """

    point: OperatingPoint
    frames: int
    findings: tuple[Finding, ...]
    sightings: dict[int, tuple[Sighted, ...]]
    last_rank: int = -1

    @property
    def confirmed(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.confirmed_s is not None)

    def with_part(self, part: Remade) -> Remade:
        """And what was made of a part further on, where this has not come yet."""
        behind = {rank: seen for rank, seen in part.sightings.items() if rank > self.last_rank}
        if not behind:
            return self
        later = tuple(one for one in part.findings if one.last_rank > self.last_rank)
        return replace(self, findings=(*self.findings, *later), sightings=self.sightings | behind)


class Remake:
    """Takes the chunks of an analysis in order. `size`: the recording's; `map_size`: of the stored maps.

    What has nothing above the lowest threshold costs next to nothing, and its maps are not even read. The
    rest as `Follower` has it. Whoever moves a slider on leaves it and begins another one.
    """

    def __init__(
        self,
        size: Size,
        map_size: Size,
        point: OperatingPoint,
        period_s: float = 0.0,
        *,
        find: Find = find_components,
        first_id: int = 1,
    ) -> None:
        self._map_size = map_size
        self._point = point
        self._follower = Follower(size, point, period_s, find=find, first_id=first_id)
        self._sightings: dict[int, tuple[Sighted, ...]] = {}
        self._frames = 0
        self._last_rank = -1

    def add(self, chunk: Chunk, read_maps: Callable[[Chunk], U8], first: int = 0) -> None:
        """Frames of a chunk, from its `first` on. `read_maps`: uint8 [n, h, w] of all of its frames."""
        at, stop, maps = first, len(chunk.ranks), None
        while at < stop:
            if quiet := self._follower.quiet(chunk, at, self._map_size):
                at += quiet
                continue
            maps = read_maps(chunk) if maps is None else maps
            seen = self._follower.add(chunk.frame(at, maps[at]))
            if seen.sightings:
                self._sightings[seen.rank] = seen.sightings
            at += 1
        self._frames += stop - first
        self._last_rank = int(chunk.ranks[-1])

    @property
    def so_far(self) -> Remade:
        return Remade(
            self._point,
            self._frames,
            self._follower.noted.findings,
            self._sightings.copy(),
            self._last_rank,
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Findings of an analysis at a point. `table`: what is analysed of it; `here`: rank of the frame that is
    looked at.
    """

    analysis: Analysis
    recording: Recording
    table: FrameTable
    point: OperatingPoint
    here: int = 0

    @property
    def period_s(self) -> float:
        return 1.0 / self.recording.rate_hz if self.recording.rate_hz else 0.0


SoFar = Callable[[], Remade]


def made_again(database: Database, wanted: Wanted, blobs: Blobs) -> Iterator[SoFar]:
    """What is known so far, whenever it has become more: first round what is looked at, then from the first
    frame on; the last one is all. `blobs`: of the analysis, and of nothing else. Raises FaultError.
    """
    analysis, size = wanted.analysis, wanted.recording.size
    if size is None:
        return
    blobs.begin(wanted.point)

    def read_maps(chunk: Chunk) -> U8:
        return maps_of(database, chunk, analysis.map_size)

    begun = partial(Remake, size, analysis.map_size, wanted.point, wanted.period_s)
    part: Remade | None = None
    if span := _looked_at(wanted):
        first, last, is_quiet = span
        # Outlines depend on those before: of what begins in the middle they are not to be remembered.
        near = begun(find=blobs.find if is_quiet else find_components, first_id=PART_IDS)
        for chunk in chunks(database, analysis.id, first - CHUNK):
            if chunk.ranks[0] > last:
                break
            near.add(chunk, read_maps, int(np.searchsorted(chunk.ranks, first)))
        part = replace(near.so_far, frames=0, last_rank=-1)
        yield lambda: part
    whole = begun(find=blobs.find)

    def so_far() -> Remade:
        return whole.so_far if part is None else whole.so_far.with_part(part)

    for chunk in chunks(database, analysis.id):
        whole.add(chunk, read_maps)
        yield so_far
    yield so_far


def _looked_at(wanted: Wanted) -> tuple[int, int, bool] | None:
    """First and last rank round what is looked at, and whether nothing before them matters; None where this
    comes first anyway.
    """
    table = wanted.table
    if not len(table) or wanted.here < table.ranks[0]:
        return None
    at_s = table.time_s(wanted.here)
    quiet, near = quiet_before(table, wanted.here, wanted.point), table.rank_at(at_s - BEFORE_S)
    first = max(quiet, near)
    if table.time_s(first) - float(table.pts_s[0]) < BEHIND_S:
        return None
    return first, table.rank_at(at_s + BEHIND_S), first == quiet


def quiet_before(table: FrameTable, rank: int, point: OperatingPoint) -> int:
    """The nearest frame before `rank`, or itself, from which on nothing depends on what was before: in the
    seconds for which a finding is remembered there is nothing. 0 where there is no such frame.

    A `Remake` of the frames from there on gives the findings of that part at once, but for their numbers.
    """
    end = int(np.searchsorted(table.ranks, rank, side="right"))
    loud = np.flatnonzero(table.peaks[:end] >= lowest(point) * 255.0)
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
