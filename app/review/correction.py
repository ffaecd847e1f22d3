"""What correction of masks needs of the page that it is on: frames to go to, findings, the recording."""

from __future__ import annotations

from collections.abc import Callable

from app.review.opened import OpenedReview
from app.review.panel import UNOPENED
from app.widgets import words
from engine.review.analysis import spec_of_files
from engine.review.rows import Row
from engine.sources.base import SourceSpec
from engine.types import Result, SourceState

MOST_FRAMES = 250  # that masks are carried on where no finding and no range says how far


class ReviewedPlace:
    """`app.review.editing.editing.Place` of an opened review."""

    def __init__(
        self,
        opened: OpenedReview,
        origin_s: Callable[[], float],
        sam_weights: Callable[[], str],
    ) -> None:
        self._opened = opened
        self._origin_s = origin_s
        self.sam_weights = sam_weights

    def why_read_only(self) -> str:
        known = self._opened.known
        if known is None:
            return UNOPENED if self._opened.is_unopened else ""
        return known.why_read_only

    def spec(self) -> SourceSpec:
        known = self._opened.known
        assert known is not None
        return spec_of_files(known.recording.paths)

    def marks_of(self, rank: int) -> Result | None:
        return self._opened.marks.of(rank)

    def label_for(self, rank: int) -> int | None:
        row = self._row(rank)
        return None if row is None or not row.findings else row.findings[0]

    def name_of(self, label: int) -> str:
        row = next((row for row in self._rows if label in row.findings), None)
        return "new" if row is None else f"at {words.short_clock(row.start_s - self._origin_s())}"

    def next_rank(self, rank: int, *, goes_on: bool) -> int | None:
        """The next frame of the finding; behind its last one the first of the next finding."""
        row = self._row(rank)
        if goes_on:
            known = self._opened.known
            frames = known.recording.frames if known is not None else None
            return rank + 1 if frames is None or rank + 1 < frames else None
        if row is not None and rank < row.last_rank:
            return rank + 1
        return min((one.first_rank for one in self._rows if one.first_rank > rank), default=None)

    def range_from(self, rank: int, *, back: bool) -> int:
        snapshot, known, row = self._opened.snapshot, self._opened.known, self._row(rank)
        loop = snapshot.loop if snapshot is not None else None
        if loop is not None and known is not None and loop.start_s <= known.table.time_s(rank) <= loop.end_s:
            return known.table.rank_at(loop.start_s if back else loop.end_s)
        if row is not None:
            return row.first_rank if back else row.last_rank
        last = known.recording.frames if known is not None else None
        end = rank + MOST_FRAMES if last is None else min(rank + MOST_FRAMES, last - 1)
        return max(rank - MOST_FRAMES, 0) if back else end

    def go_to_rank(self, rank: int) -> None:
        snapshot = self._opened.snapshot
        shown = snapshot.presentation if snapshot is not None else None
        if shown is not None and rank == shown.frame.index + 1:
            self._opened.pipeline.step(1)  # it is read already
        else:
            self._opened.pipeline.seek_frame(rank)

    def pause(self) -> bool:
        snapshot = self._opened.snapshot
        plays = snapshot is not None and snapshot.source_state is SourceState.RUNNING
        if plays:
            self._opened.pipeline.pause()
        return plays

    @property
    def _rows(self) -> tuple[Row, ...]:
        known = self._opened.known
        return () if known is None else known.rows

    def _row(self, rank: int) -> Row | None:
        return next((row for row in self._rows if row.first_rank <= rank <= row.last_rank), None)
