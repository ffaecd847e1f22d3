"""The rows of the library, as values: what is known of a recording, sought, filtered and sorted. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.files.natural import natural
from engine.review.library.index import Entry
from engine.review.library.queue import Item, State


class Shown(StrEnum):
    """What a row says of its recording; the value is its word."""

    WORKING = "Analysing"
    WAITING = "Waits"
    FAILED = "Cannot be analysed"
    MISSING = "Not where it was"
    DONE = "Analysed"
    PARTLY = "Partly analysed"


@dataclass(frozen=True, slots=True)
class Row:
    """One recording. `folder` None: there is no side-car yet; `item`: its number in the queue; `why`: of one
    that failed, in a sentence; `share`: analysed of one that is worked on, None before its first frames.
    """

    title: str
    paths: tuple[Path, ...]
    state: Shown
    folder: Path | None = None
    length_s: float | None = None
    findings: int = 0
    verified: int = 0
    model: str = ""
    opened_utc: str = ""
    item: int | None = None
    why: str = ""
    share: float | None = None

    @property
    def key(self) -> tuple[Path | None, tuple[Path, ...]]:
        """The same for the same recording, whatever becomes of it."""
        return self.folder, self.paths


class Only(StrEnum):
    """Which rows are listed; the value is what the choice says."""

    ALL = "All recordings"
    FINDINGS = "With findings"
    VERIFIED = "With verified frames"
    DONE = "Analysed"
    OPEN = "Not analysed to the end"
    QUEUED = "In the queue"
    FAILED = "Cannot be analysed"
    MISSING = "Not where they were"


_IN_QUEUE = {State.WAITING: Shown.WAITING, State.WORKING: Shown.WORKING, State.FAILED: Shown.FAILED}
_FITS: Mapping[Only, Callable[[Row], bool]] = {
    Only.ALL: lambda row: True,
    Only.FINDINGS: lambda row: row.findings > 0,
    Only.VERIFIED: lambda row: row.verified > 0,
    Only.DONE: lambda row: row.state is Shown.DONE,
    Only.OPEN: lambda row: row.state is not Shown.DONE,
    Only.QUEUED: lambda row: row.state in (Shown.WAITING, Shown.WORKING),
    Only.FAILED: lambda row: row.state is Shown.FAILED,
    Only.MISSING: lambda row: row.state is Shown.MISSING,
}


class Column(StrEnum):
    """The value is its heading."""

    TITLE = "Recording"
    LENGTH = "Length"
    FINDINGS = "Findings"
    VERIFIED = "Verified"
    MODEL = "Model"
    OPENED = "Last opened"
    STATE = "State"


COLUMNS = tuple(Column)
NUMBERS = frozenset({Column.LENGTH, Column.FINDINGS, Column.VERIFIED})
_ORDER = tuple(Shown)
_BY: Mapping[Column, Callable[[Row], Any]] = {
    Column.TITLE: lambda row: natural(row.title),
    Column.LENGTH: lambda row: row.length_s or 0.0,
    Column.FINDINGS: lambda row: row.findings,
    Column.VERIFIED: lambda row: row.verified,
    Column.MODEL: lambda row: natural(row.model),
    Column.OPENED: lambda row: row.opened_utc,
    Column.STATE: lambda row: _ORDER.index(row.state),
}


def rows_of(entries: Sequence[Entry], items: Sequence[Item], missing: Set[Path]) -> tuple[Row, ...]:
    """Each recording once: what waits or failed is told in its row. `missing`: side-cars whose recording is
    not where it was.
    """
    queued = {item.paths: item for item in items}
    by_folder = {item.folder: item for item in items if item.folder is not None}
    rows = []
    for entry in entries:
        item = queued.pop(entry.paths, None) or by_folder.get(entry.folder)
        if item is not None:
            queued.pop(item.paths, None)
        rows.append(_told(_of_entry(entry, entry.folder in missing), item))
    fresh = [_told(_of_item(item), item) for item in queued.values()]
    return (*fresh, *rows)


def listed(
    rows: Iterable[Row],
    words: str = "",
    only: Only = Only.ALL,
    by: Column = Column.OPENED,
    *,
    down: bool = True,
) -> tuple[Row, ...]:
    """Those that have all the words in title, path or model, in order; equal ones stay as they were."""
    fits, sought = _FITS[only], words.casefold().split()
    found = [row for row in rows if fits(row) and (not sought or _has(row, sought))]
    return tuple(sorted(found, key=_BY[by], reverse=down))


def _has(row: Row, words: Sequence[str]) -> bool:
    text = f"{row.title}\n{row.model}\n{row.paths[0]}".casefold()
    return all(word in text for word in words)


def _of_entry(entry: Entry, is_missing: bool) -> Row:
    state = Shown.MISSING if is_missing else Shown.DONE if entry.done else Shown.PARTLY
    return Row(
        entry.title,
        entry.paths,
        state,
        entry.folder,
        entry.duration_s,
        entry.findings,
        entry.verified,
        entry.model,
        entry.opened_utc,
    )


def _of_item(item: Item) -> Row:
    first = "~"  # sorted as if it was opened last: what was just added is seen
    return Row(
        item.paths[0].name, item.paths, Shown.WAITING, item.folder, model=item.model.name, opened_utc=first
    )


def _told(row: Row, item: Item | None) -> Row:
    if item is None:
        return row
    share = item.done / item.total if item.total else None
    return replace(row, state=_IN_QUEUE[item.state], item=item.id, why=item.why, share=share)
