"""What is known of a recording as far as it is analysed, and what people said of it: read in the side-car's
thread, shown by the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.review.analysis import Progress, progress_of
from engine.review.edits import Edits
from engine.review.findings import Finding, StoredSightings, read_findings
from engine.review.maps import field_px
from engine.review.recording import Analysis, Recording
from engine.review.rows import Row, Sightings, rows_of
from engine.review.store import SideCar
from engine.review.timeline import FrameTable, frame_table
from engine.types import OperatingPoint


@dataclass(frozen=True, slots=True)
class Known:
    """`rows`: the findings at `point`, as they are listed. `bookmarks`: notes by rank; `labelled`: ranks of
    frames that a person corrected or verified. `why_read_only`: "" where all is kept.
    """

    recording: Recording
    analysis: Analysis
    progress: Progress
    point: OperatingPoint
    table: FrameTable
    rows: tuple[Row, ...]
    bookmarks: Mapping[int, str]
    labelled: tuple[int, ...]
    why_read_only: str


@dataclass(frozen=True, slots=True)
class Found:
    """Findings at an operating point other than the analysis's, made of its maps. `frames`: of so many."""

    point: OperatingPoint
    frames: int
    findings: tuple[Finding, ...]
    sightings: Sightings


class KnownReader:
    """Reads what is new since it was last asked. Lives in the side-car's thread.

    `edits`: what people do is done there, too.
    """

    def __init__(self, car: SideCar, analysis: Analysis) -> None:
        self._car = car
        self._analysis = analysis
        self._table: FrameTable | None = None
        self._found: Found | None = None
        self.edits = Edits(car.database)

    def find(self, found: Found | None) -> None:
        """Show the findings of another point from now on; None: those of the analysis."""
        self._found = found

    def read(self) -> Known:
        """Raises FaultError."""
        database, edits = self._car.database, self.edits
        analysis = self._car.analysis(self._analysis.id)
        self._table = table = frame_table(database, analysis.id, self._table)
        found = self._found
        findings = found.findings if found is not None else read_findings(database, analysis.id)
        sightings = found.sightings if found is not None else StoredSightings(database, analysis.id)
        return Known(
            self._car.recording,
            analysis,
            progress_of(database, analysis.id),
            found.point if found is not None else analysis.point,
            table,
            rows_of(
                findings,
                sightings,
                edits.told,
                table.time_s,
                edits.marked,
                lambda rank: field_px(database, analysis.id, rank),
            ),
            edits.bookmarks,
            tuple(edits.frames),
            self._car.why_read_only,
        )
