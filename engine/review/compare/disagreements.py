"""Where one of two analyses has a finding and the other has none. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.review.findings import Sighted
from engine.review.remaking.remake import Remade
from engine.review.rows import Sightings
from engine.review.timeline import FrameTable
from engine.tracking.place import Place, likeness
from engine.types import Rect, TrackState

ONLY_A, ONLY_B = 1, 2
GAP_S = 0.5  # two stretches that are nearer to each other are one


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A stretch in which one has a finding at a place where the other has none. `who`: ONLY_A or ONLY_B."""

    who: int
    first_rank: int
    last_rank: int
    start_s: float
    end_s: float

    @property
    def lasted_s(self) -> float:
        return self.end_s - self.start_s


def disagreements(
    a: Sightings, b: Sightings, table: FrameTable, last_rank: int | None = None
) -> tuple[Disagreement, ...]:
    """In the order of their beginning. `a` and `b`: sightings that count (`confirmed_in`), by rank; nothing
    is said of frames behind `last_rank`, which one of both has not judged yet.
    """
    found: list[Disagreement] = []
    for who, these, those in ((ONLY_A, a, b), (ONLY_B, b, a)):
        ranks = sorted(
            rank
            for rank, some in these.items()
            if (last_rank is None or rank <= last_rank) and _alone(some, those.get(rank, ()))
        )
        found += _stretches(who, ranks, table)
    return tuple(sorted(found, key=lambda one: (one.first_rank, one.who)))


def confirmed_in(made: Remade) -> Mapping[int, tuple[Sighted, ...]]:
    """Where its confirmed findings are, from their first frame on, also while one is missing for a moment."""
    ids = {one.id for one in made.confirmed}
    found = {}
    for rank, some in made.sightings.items():
        own = tuple(one for one in some if one.track in ids)
        if own:
            found[rank] = own
    return found


def next_disagreement(found: Iterable[Disagreement], rank: int) -> Disagreement | None:
    """The first one that begins behind a frame."""
    return min((one for one in found if one.first_rank > rank), key=_begin, default=None)


def previous_disagreement(found: Iterable[Disagreement], rank: int) -> Disagreement | None:
    """The last one that begins before a frame; from within one, its own beginning."""
    return max((one for one in found if one.first_rank < rank), key=_begin, default=None)


def _begin(one: Disagreement) -> int:
    return one.first_rank


def _alone(these: Iterable[Sighted], those: Sequence[Sighted]) -> bool:
    """Whether a finding of these is seen where none of those is, nor missing for a moment. One whose blobs
    are met in part is not alone.
    """
    there = [_place(other.box) for other in those]
    seen = [one for one in these if one.state is not TrackState.HELD]
    met = {one.track for one in seen if any(likeness(_place(one.box), at) > 0.0 for at in there)}
    return any(one.track not in met for one in seen)


def _stretches(who: int, ranks: Sequence[int], table: FrameTable) -> list[Disagreement]:
    found: list[Disagreement] = []
    for rank in ranks:
        at_s = table.time_s(rank)
        if found and at_s - found[-1].end_s <= GAP_S:
            last = found[-1]
            found[-1] = Disagreement(who, last.first_rank, rank, last.start_s, at_s)
        else:
            found.append(Disagreement(who, rank, rank, at_s, at_s))
    return found


def _place(box: Rect) -> Place:
    return Place(box.x, box.y, box.w, box.h, box.w * box.h)
