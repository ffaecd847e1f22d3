"""The list of findings as a person sees it: what networks found, and what people said of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from engine.review.acts import Added, Anchor, Joined, Said, SplitAt, Told, Verdict
from engine.review.findings import Finding, Sighted
from engine.tracking.place import Place, likeness
from engine.types import Rect

MODEL, PERSON = "model", "person"
Sightings = Mapping[int, tuple[Sighted, ...]]


@dataclass(frozen=True, slots=True)
class Row:
    """One finding of the list. `anchor`: by which acts name it. `findings`: its tracks, several where they
    were joined, none of a person's own; `label`: of the masks of a person's own. `gone`: it was judged, and
    is not found at this operating point.
    """

    anchor: Anchor
    findings: tuple[int, ...]
    first_rank: int
    last_rank: int
    best_rank: int
    start_s: float
    end_s: float
    peak: float
    field_frac: float
    who: str = MODEL
    label: int | None = None
    verdict: Verdict = Verdict.OPEN
    note: str = ""
    gone: bool = False

    @property
    def lasted_s(self) -> float:
        return self.end_s - self.start_s


def rows_of(
    findings: Sequence[Finding],
    sightings: Sightings,
    told: Sequence[Told],
    time_s: Callable[[int], float],
) -> tuple[Row, ...]:
    """In the order of their beginning. `sightings`: of these findings, by rank; `time_s`: of a rank.

    What was said of a finding that is not there any more is kept as a row of its own.
    """
    rows = [_of(finding) for finding in findings]
    for one in told:
        if isinstance(one, Added):
            rows.append(_added(one, time_s))
            continue
        at = _find(one.anchor, rows, sightings)
        if at is None:
            if isinstance(one, Said) and not one.deleted:
                rows.append(_said(_gone(one.anchor, time_s), one))
            continue
        if isinstance(one, Said):
            if one.deleted:
                del rows[at]
            else:
                rows[at] = _said(rows[at], one)
        elif isinstance(one, Joined):
            other = _find(one.other, rows, sightings)
            if other is not None and other != at:
                rows[at] = _joined(rows[at], rows[other])
                del rows[other]
        elif isinstance(one, SplitAt) and rows[at].first_rank < one.rank <= rows[at].last_rank:
            rows[at : at + 1] = _split(rows[at], one.rank, sightings, time_s)
    return tuple(sorted(rows, key=lambda row: (row.first_rank, row.best_rank)))


def _of(finding: Finding) -> Row:
    return Row(
        Anchor(finding.best_rank, finding.box),
        (finding.id,),
        finding.first_rank,
        finding.last_rank,
        finding.best_rank,
        finding.start_s,
        finding.end_s,
        finding.peak,
        finding.field_frac,
    )


def _added(one: Added, time_s: Callable[[int], float]) -> Row:
    start_s, end_s = time_s(one.first_rank), time_s(one.last_rank)
    best = one.anchor.rank
    return Row(
        one.anchor, (), one.first_rank, one.last_rank, best, start_s, end_s, 0.0, 0.0, PERSON, one.label
    )


def _gone(anchor: Anchor, time_s: Callable[[int], float]) -> Row:
    at_s = time_s(anchor.rank)
    return Row(anchor, (), anchor.rank, anchor.rank, anchor.rank, at_s, at_s, 0.0, 0.0, gone=True)


def _said(row: Row, one: Said) -> Row:
    verdict = row.verdict if one.verdict is None else one.verdict
    return replace(row, verdict=verdict, note=row.note if one.note is None else one.note)


def _joined(row: Row, other: Row) -> Row:
    better = row if row.field_frac >= other.field_frac else other
    return replace(
        row,
        anchor=row.anchor,
        findings=(*row.findings, *other.findings),
        first_rank=min(row.first_rank, other.first_rank),
        last_rank=max(row.last_rank, other.last_rank),
        best_rank=better.best_rank,
        start_s=min(row.start_s, other.start_s),
        end_s=max(row.end_s, other.end_s),
        peak=max(row.peak, other.peak),
        field_frac=better.field_frac,
        label=row.label if row.label is not None else other.label,
        note=" ".join(filter(None, (row.note, other.note))),
    )


def _split(row: Row, rank: int, sightings: Sightings, time_s: Callable[[int], float]) -> list[Row]:
    """Each half by where it is largest in its own frames."""
    halves = ((row.first_rank, rank - 1), (rank, row.last_rank))
    found = []
    for first, last in halves:
        seen = [
            (one.area_px, at, one)
            for at in range(first, last + 1)
            for one in sightings.get(at, ())
            if one.track in row.findings
        ]
        first, last = (min(s[1] for s in seen), max(s[1] for s in seen)) if seen else (first, last)
        _, best, largest = max(seen, key=lambda s: (s[0], -s[1])) if seen else (0, first, None)
        box = row.anchor.box if largest is None else largest.box
        peak = max((one.peak for _, _, one in seen), default=row.peak)
        found.append(
            replace(
                row,
                anchor=Anchor(best, box),
                first_rank=first,
                last_rank=last,
                best_rank=best,
                start_s=time_s(first),
                end_s=time_s(last),
                peak=peak,
            )
        )
    return found


def _find(anchor: Anchor, rows: Sequence[Row], sightings: Sightings) -> int | None:
    """Which row an act means: one that was seen at that place in that frame."""
    at = _place(anchor.box)
    seen = [(likeness(_place(one.box), at), one.track) for one in sightings.get(anchor.rank, ())]
    tracks = [track for like, track in sorted(seen, reverse=True) if like > 0.0]
    for track in tracks:
        for number, row in enumerate(rows):
            if track in row.findings and row.first_rank <= anchor.rank <= row.last_rank:
                return number
    return next((number for number, row in enumerate(rows) if row.anchor == anchor), None)


def _place(box: Rect) -> Place:
    return Place(box.x, box.y, box.w, box.h, box.w * box.h)
