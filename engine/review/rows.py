"""The list of findings as a person sees it: what networks found, and what people said of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from engine.review.acts import ORPHANS, PERSONS, Added, Anchor, Joined, Said, SplitAt, Told, Verdict
from engine.review.editing.persons import Marked, objects_of, sightings_of
from engine.review.findings import Finding, Sighted
from engine.tracking.place import Place, likeness
from engine.types import Rect

MODEL, PERSON = "model", "person"
Sightings = Mapping[int, tuple[Sighted, ...]]
_Seen = Callable[[int], tuple[Sighted, ...]]  # of a rank, by networks and by people


@dataclass(frozen=True, slots=True)
class Row:
    """One finding of the list. `anchor`: by which acts name it. `findings`: its tracks, several where they
    were joined; from `PERSONS` on the labels of a person's own. `gone`: it was judged, and is not found at
    this operating point.
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
    verdict: Verdict = Verdict.OPEN
    note: str = ""
    gone: bool = False

    @property
    def lasted_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def labels(self) -> tuple[int, ...]:
        """Of the masks that are a person's own."""
        own = [one for one in self.findings if one >= PERSONS]
        return (*own, *(one - ORPHANS for one in own if one > ORPHANS))


def rows_of(
    findings: Sequence[Finding],
    sightings: Sightings,
    told: Sequence[Told],
    time_s: Callable[[int], float],
    marked: Sequence[Marked] = (),
    field_px: Callable[[int], int] = lambda rank: 0,
) -> tuple[Row, ...]:
    """In the order of their beginning. `sightings`: of these findings, by rank; `time_s`: of a rank;
    `marked`: where people drew; `field_px`: area of the endoscope's picture in a frame, 0 where not known.

    A polyp that a person drew is a row over the frames that have it. What was said of a finding that is not
    there any more is kept as a row of its own.
    """
    objects = objects_of(marked, sightings, findings)
    people = sightings_of([*marked, *_boxes(told, marked)], {**objects, **_numbers(told)})
    tracks = {finding.id for finding in findings}
    drawn = {one for one in objects.values() if one not in tracks}

    def seen(rank: int) -> tuple[Sighted, ...]:
        return (*sightings.get(rank, ()), *people.get(rank, ()))

    rows = [_of(finding) for finding in findings]
    rows += [_drawn(one, people, time_s, field_px) for one in sorted(drawn)]
    for one in told:
        if isinstance(one, Added):
            if one.label not in drawn:
                rows.append(_drawn(one.label, people, time_s, field_px, one))
            continue
        at = _find(one.anchor, rows, seen)
        if at is None:
            if isinstance(one, Said) and not one.deleted and one.anchor.label is None:
                rows.append(_said(_gone(one.anchor, time_s), one))
            continue
        if isinstance(one, Said):
            if not one.deleted:
                rows[at] = _said(rows[at], one)
            elif drawn.isdisjoint(rows[at].findings):  # whoever draws it again brings it back
                del rows[at]
        elif isinstance(one, Joined):
            other = _find(one.other, rows, seen)
            if other is not None and other != at:
                rows[at] = _joined(rows[at], rows[other])
                del rows[other]
        elif isinstance(one, SplitAt) and rows[at].first_rank < one.rank <= rows[at].last_rank:
            rows[at : at + 1] = _split(rows[at], one.rank, seen, time_s)
    rows = _reaching(rows, people, time_s)
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


def _boxes(told: Sequence[Told], marked: Sequence[Marked]) -> list[Marked]:
    """Where a person said that something is, and has not drawn it there."""
    drawn = {(one.rank, one.label) for one in marked}
    return [
        Marked(one.anchor.rank, one.label, one.anchor.box, one.anchor.box.w * one.anchor.box.h)
        for one in told
        if isinstance(one, Added) and (one.anchor.rank, one.label) not in drawn
    ]


def _numbers(told: Sequence[Told]) -> dict[int, int]:
    return {one.label: one.label for one in told if isinstance(one, Added)}


def _drawn(
    number: int,
    people: Sightings,
    time_s: Callable[[int], float],
    field_px: Callable[[int], int],
    said: Added | None = None,
) -> Row:
    """A person's own, over the frames that have it; kept, until somebody says otherwise."""
    own = {rank: one for rank, some in people.items() for one in some if one.track == number}
    best = max(own, key=lambda rank: (own[rank].area_px, -rank))
    ranks = [*own, *((said.first_rank, said.last_rank) if said is not None else ())]
    first, last = min(ranks), max(ranks)
    return Row(
        Anchor(best, own[best].box, number),
        (number,),
        first,
        last,
        best,
        time_s(first),
        time_s(last),
        1.0,
        own[best].area_px / field if (field := field_px(best)) else 0.0,
        PERSON,
        Verdict.KEEP,
    )


def _reaching(rows: Sequence[Row], people: Sightings, time_s: Callable[[int], float]) -> list[Row]:
    """As far as a person drew what a network found."""
    ends: dict[int, tuple[int, int]] = {}
    for rank, some in people.items():
        for one in some:
            first, last = ends.get(one.track, (rank, rank))
            ends[one.track] = min(first, rank), max(last, rank)
    reaching = []
    for row in rows:
        own = [one for one in row.findings if one in ends]
        alone = [one for one in own if sum(one in other.findings for other in rows) == 1]  # not split
        first = min((ends[one][0] for one in alone), default=row.first_rank)
        last = max((ends[one][1] for one in alone), default=row.last_rank)
        if first < row.first_rank or last > row.last_rank:
            first, last = min(first, row.first_rank), max(last, row.last_rank)
            row = replace(row, first_rank=first, last_rank=last, start_s=time_s(first), end_s=time_s(last))
        reaching.append(row)
    return reaching


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
        note=" ".join(filter(None, (row.note, other.note))),
    )


def _split(row: Row, rank: int, seen_in: _Seen, time_s: Callable[[int], float]) -> list[Row]:
    """Each half by where it is largest in its own frames."""
    halves = ((row.first_rank, rank - 1), (rank, row.last_rank))
    found = []
    for first, last in halves:
        seen = [
            (one.area_px, at, one)
            for at in range(first, last + 1)
            for one in seen_in(at)
            if one.track in row.findings
        ]
        first, last = (min(s[1] for s in seen), max(s[1] for s in seen)) if seen else (first, last)
        _, best, largest = max(seen, key=lambda s: (s[0], -s[1])) if seen else (0, first, None)
        box = row.anchor.box if largest is None else largest.box
        peak = max((one.peak for _, _, one in seen), default=row.peak)
        found.append(
            replace(
                row,
                anchor=Anchor(best, box, row.anchor.label),
                first_rank=first,
                last_rank=last,
                best_rank=best,
                start_s=time_s(first),
                end_s=time_s(last),
                peak=peak,
            )
        )
    return found


def row_at(anchor: Anchor, rows: Sequence[Row]) -> int | None:
    """Which row that is by its anchor alone: a person's own by its label, wherever it is largest by now."""
    own = [n for n, row in enumerate(rows) if anchor.label is not None and anchor.label in row.findings]
    near = [n for n in own if rows[n].first_rank <= anchor.rank <= rows[n].last_rank]
    same = [n for n, row in enumerate(rows) if row.anchor == anchor]
    return next(iter((*same, *near, *own)), None)


def _find(anchor: Anchor, rows: Sequence[Row], seen_in: _Seen) -> int | None:
    """Which row an act means: one that was seen at that place in that frame."""
    if anchor.label is not None:
        return row_at(anchor, rows)
    at = _place(anchor.box)
    seen = [(likeness(_place(one.box), at), one.track) for one in seen_in(anchor.rank)]
    tracks = [track for like, track in sorted(seen, reverse=True) if like > 0.0]
    for track in tracks:
        for number, row in enumerate(rows):
            if track in row.findings and row.first_rank <= anchor.rank <= row.last_rank:
                return number
    return row_at(anchor, rows)


def _place(box: Rect) -> Place:
    return Place(box.x, box.y, box.w, box.h, box.w * box.h)
