"""Edits in the side-car: every act a row that is never changed, and which one holds (docs/adr/0034)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.review.database import Database
from engine.review.editing.history import Edit, History
from engine.review.editing.labels import FrameState, Labels, labels_of_text, labels_text
from engine.types import Size


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """A frame that a person has changed or verified, as it is now."""

    rank: int
    pts_s: float
    size: Size
    state: FrameState
    labels: Labels


def write_history(change: Database, history: History, *, at_utc: str, who: str) -> None:
    """Keep a frame's acts that are new, and which one holds, inside `Database.change`."""
    known = change.row("SELECT coalesce(max(number), 0) FROM edit WHERE rank = ?", history.rank)
    assert known is not None
    change.run_all(
        "INSERT INTO edit (rank, number, parent, at_utc, who, tool, state, labels) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (history.rank, edit.number, edit.parent, at_utc, who, edit.tool, edit.state.value,
             labels_text(edit.labels))
            for edit in history.edits[known[0] :]
        ],
    )  # fmt: skip
    change.run(
        "INSERT OR REPLACE INTO edited (rank, pts_s, width_px, height_px, current) VALUES (?, ?, ?, ?, ?)",
        history.rank, history.pts_s, history.size.width_px, history.size.height_px, history.current,
    )  # fmt: skip


def read_history(database: Database, rank: int) -> History | None:
    """None: nobody has ever done anything to that frame."""
    row = database.row("SELECT pts_s, width_px, height_px, current FROM edited WHERE rank = ?", rank)
    if row is None:
        return None
    size = Size(row[1], row[2])
    edits = tuple(
        Edit(number, parent, tool, FrameState(state), labels_of_text(labels, size))
        for number, parent, tool, state, labels in database.rows(
            "SELECT number, parent, tool, state, labels FROM edit WHERE rank = ? ORDER BY number", rank
        )
    )
    return History(rank, row[0], size, edits, row[3])


def labelled_frames(
    database: Database, *, only_verified: bool = False, first_rank: int = 0, last_rank: int | None = None
) -> Iterator[LabelledFrame]:
    """Every frame that is no longer the machine's, in order; both ranks included."""
    for rank, pts_s, wide, high, state, labels in database.rows(
        "SELECT rank, pts_s, width_px, height_px, state, labels FROM edited "
        "JOIN edit USING (rank) WHERE edit.number = edited.current "
        "AND rank >= ? AND (? IS NULL OR rank <= ?) ORDER BY rank",
        first_rank,
        last_rank,
        last_rank,
    ):
        if only_verified and FrameState(state) is FrameState.TOUCHED:
            continue
        size = Size(wide, high)
        yield LabelledFrame(rank, pts_s, size, FrameState(state), labels_of_text(labels, size))


def frame_states(database: Database) -> dict[int, FrameState]:
    """By rank, of all frames that are no longer the machine's."""
    return {
        rank: FrameState(state)
        for rank, state in database.rows(
            "SELECT rank, state FROM edited JOIN edit USING (rank) WHERE edit.number = edited.current "
            "ORDER BY rank"
        )
    }


def new_track(database: Database) -> int:
    """An id for a polyp that the machine has no finding of: below 0, given to nobody yet."""
    row = database.row(
        "SELECT coalesce(min(json_extract(value, '$[0]')), 0) FROM edit, json_each(edit.labels)"
    )
    assert row is not None
    return min(int(row[0]), 0) - 1
