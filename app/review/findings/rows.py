"""What rows of the findings list say, which are shown, and in which order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from engine.review.acts import Verdict
from engine.review.findings import Finding
from engine.review.rows import PERSON, Row

SIGNS: Mapping[Verdict, str] = {Verdict.OPEN: "", Verdict.KEEP: "✓", Verdict.REJECT: "✗", Verdict.UNSURE: "?"}
SAID: Mapping[Verdict, str] = {
    Verdict.OPEN: "open",
    Verdict.KEEP: "kept",
    Verdict.REJECT: "rejected",
    Verdict.UNSURE: "unsure",
}
FILTERS: Mapping[str, Callable[[Row], bool]] = {
    "All": lambda row: True,
    "Open": lambda row: row.verdict is Verdict.OPEN,
    "Kept": lambda row: row.verdict is Verdict.KEEP,
    "Rejected": lambda row: row.verdict is Verdict.REJECT,
    "Unsure": lambda row: row.verdict is Verdict.UNSURE,
    "Found by a person": lambda row: row.who == PERSON,
    "Found by the model": lambda row: row.who != PERSON,
}
SORTS: Mapping[str, Callable[[Row], float]] = {
    "In time": lambda row: row.first_rank,
    "Longest": lambda row: -row.lasted_s,
    "Largest": lambda row: -row.field_frac,
    "Surest": lambda row: -row.peak,
}


def facts(row: Row) -> str:
    """Duration, peak or who found it, share of the endoscope's picture: "3.1 s · peak 0.94 · 4.2 %"."""
    if row.gone:
        return "Not found at this setting"
    if row.who == PERSON:
        return f"{row.lasted_s:.1f} s · by a person · {row.field_frac * 100:.1f} %"
    return f"{row.lasted_s:.1f} s · peak {row.peak:.2f} · {row.field_frac * 100:.1f} %"


def chosen(rows: Iterable[Row], only: str, order: str) -> tuple[Row, ...]:
    """Those of a filter, in an order; names of FILTERS and SORTS."""
    return tuple(sorted((row for row in rows if FILTERS[only](row)), key=SORTS[order]))


def counted(rows: Iterable[Row]) -> str:
    """Such as "12 findings: 3 kept, 1 rejected, 8 open"."""
    found = [row.verdict for row in rows]
    parts = [f"{found.count(verdict)} {said}" for verdict, said in SAID.items() if verdict in found]
    return (
        f"{len(found)} finding{'' if len(found) == 1 else 's'}: {', '.join(parts)}" if found else "Findings"
    )


def levels(rows: Sequence[Row | Finding], most: int) -> tuple[int, ...]:
    """For each row, in time, on which of `most` lines it is drawn: beside others, not over them."""
    ends = [-1] * most
    found = []
    for row in rows:
        level = next((n for n, end in enumerate(ends) if end < row.first_rank), most - 1)
        ends[level] = max(ends[level], row.last_rank)
        found.append(level)
    return tuple(found)


def meant(rows: Sequence[Row], rank: int, chosen: Row | None) -> Row | None:
    """The finding that keys are meant for: the chosen one, until the picture shows others alone."""
    here = [row for row in rows if row.first_rank <= rank <= row.last_rank]
    return chosen if chosen in here or not here else here[0]


def struck(rows: Iterable[Row]) -> frozenset[int]:
    """Tracks and labels of what was rejected."""
    return frozenset(one for row in rows if row.verdict is Verdict.REJECT for one in row.findings)


def after(rows: Iterable[Row], rank: int) -> Row | None:
    """The first one that begins behind a frame."""
    return min((row for row in rows if row.first_rank > rank), key=lambda row: row.first_rank, default=None)


def before(rows: Iterable[Row], rank: int) -> Row | None:
    """The last one that begins before a frame; from within a finding, its own beginning."""
    return max((row for row in rows if row.first_rank < rank), key=lambda row: row.first_rank, default=None)
