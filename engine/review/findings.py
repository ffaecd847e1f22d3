"""The findings of a recording: a row for each track, and where in which frame each was seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.review.database import Database
from engine.types import Rect, TrackState


@dataclass(frozen=True, slots=True)
class Finding:
    """One track. Ranks and times are those of frames in which it was seen; `best_rank`: where it is largest.

    `box`, `area_px`, `field_frac` (of the endoscope's picture) are those of its best frame; `peak` its
    highest probability anywhere. `confirmed_s` None: it was never seen for long enough.
    """

    id: int
    first_rank: int
    last_rank: int
    best_rank: int
    start_s: float
    end_s: float
    confirmed_s: float | None
    frames: int
    peak: float
    box: Rect
    area_px: int
    field_frac: float

    @property
    def lasted_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Sighted:
    """A blob of a track in one frame; a held one is where the track was last seen, moved with the picture."""

    track: int
    state: TrackState
    box: Rect
    area_px: int
    peak: float


def write_findings(
    change: Database,
    analysis: int,
    findings: Iterable[Finding],
    sightings: Iterable[tuple[int, Sequence[Sighted]]],
) -> None:
    """Add or replace findings, and add sightings by rank, inside `Database.change`."""
    change.run_all(
        f"INSERT OR REPLACE INTO track (analysis, {_COLUMNS}) VALUES (?{', ?' * 15})",
        [
            (
                analysis, one.id, one.first_rank, one.last_rank, one.best_rank, one.start_s, one.end_s,
                one.confirmed_s, one.frames, one.peak, one.box.x, one.box.y, one.box.w, one.box.h,
                one.area_px, one.field_frac,
            )
            for one in findings
        ],
    )  # fmt: skip
    change.run_all(
        "INSERT INTO sighting VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                analysis, rank, one.track, one.state.value, one.box.x, one.box.y, one.box.w, one.box.h,
                one.area_px, one.peak,
            )
            for rank, seen in sightings
            for one in seen
        ],
    )  # fmt: skip


def forget_findings(change: Database, analysis: int) -> None:
    """Before they are written anew at another operating point, inside `Database.change`."""
    change.run("DELETE FROM sighting WHERE analysis = ?", analysis)
    change.run("DELETE FROM track WHERE analysis = ?", analysis)


def read_findings(database: Database, analysis: int, *, confirmed: bool = True) -> tuple[Finding, ...]:
    """In the order of their beginning; `confirmed` False: also those that were never confirmed."""
    only = " AND confirmed_s IS NOT NULL" if confirmed else ""
    rows = database.rows(
        f"SELECT {_COLUMNS} FROM track WHERE analysis = ?{only} ORDER BY first_rank, id", analysis
    )
    return tuple(_finding(*row) for row in rows)


def read_sightings(
    database: Database, analysis: int, first_rank: int, last_rank: int
) -> dict[int, tuple[Sighted, ...]]:
    """By rank, of the frames between these two, both included."""
    found: dict[int, list[Sighted]] = {}
    for row in database.rows(
        "SELECT rank, track, state, x, y, w, h, area_px, peak FROM sighting "
        "WHERE analysis = ? AND rank BETWEEN ? AND ? ORDER BY rank, rowid",
        analysis,
        first_rank,
        last_rank,
    ):
        with database.decoding():
            one = Sighted(row[1], TrackState(row[2]), Rect(*row[3:7]), row[7], row[8])
        found.setdefault(row[0], []).append(one)
    return {rank: tuple(seen) for rank, seen in found.items()}


class StoredSightings(Mapping[int, tuple[Sighted, ...]]):
    """As `read_sightings` of all frames, a frame looked up when it is asked for: hours open at once.

    For the thread that opened the side-car; a frame is as it was when it was first asked for.
    """

    def __init__(self, database: Database, analysis: int) -> None:
        self._database = database
        self._analysis = analysis
        self._known: dict[int, tuple[Sighted, ...]] = {}

    def __getitem__(self, rank: int) -> tuple[Sighted, ...]:
        if rank not in self._known:
            found = read_sightings(self._database, self._analysis, rank, rank)
            self._known[rank] = found.get(rank, ())
        if not self._known[rank]:
            raise KeyError(rank)
        return self._known[rank]

    def __iter__(self) -> Iterator[int]:
        rows = self._database.rows(
            "SELECT DISTINCT rank FROM sighting WHERE analysis = ? ORDER BY rank", self._analysis
        )
        return (row[0] for row in rows)

    def __len__(self) -> int:
        row = self._database.row(
            "SELECT count(DISTINCT rank) FROM sighting WHERE analysis = ?", self._analysis
        )
        return int(row[0]) if row else 0


def next_finding(findings: Sequence[Finding], rank: int) -> Finding | None:
    """The first one that begins behind a frame."""
    return min(
        (one for one in findings if one.first_rank > rank), key=lambda one: one.first_rank, default=None
    )


def previous_finding(findings: Sequence[Finding], rank: int) -> Finding | None:
    """The last one that begins before a frame; from within a finding, its own beginning."""
    return max(
        (one for one in findings if one.first_rank < rank), key=lambda one: one.first_rank, default=None
    )


_COLUMNS = (
    "id, first_rank, last_rank, best_rank, start_s, end_s, confirmed_s, frames, peak, x, y, w, h, area_px, "
    "field_frac"
)


def _finding(*row: Any) -> Finding:
    id_, first, last, best, start_s, end_s, confirmed_s, frames, peak, x, y, w, h, area_px, field_frac = row
    box = Rect(x, y, w, h)
    return Finding(
        id_, first, last, best, start_s, end_s, confirmed_s, frames, peak, box, area_px, field_frac
    )
