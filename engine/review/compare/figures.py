"""Figures of two analyses of one recording, over what both have judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.review.acts import FrameState
from engine.review.compare.disagreements import Disagreement, confirmed_in, disagreements
from engine.review.compare.side import Side
from engine.review.findings import Finding
from engine.review.remaking.remake import Remade
from engine.review.review import Review
from engine.review.store import SideCar
from engine.review.timeline import FrameTable
from engine.types import U8, TrackState

LONG_S = (0.0, 0.5, 1.0, 2.0)
HIT_IOU = 0.1  # with a verified mask
MOST_FRAMES = 400  # whose masks are compared: evenly chosen, 1 s of work

Wanted = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of`; a share of nothing is not known."""

    count: int
    of: int

    @property
    def frac(self) -> float | None:
        return self.count / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one side. `counts`: confirmed findings, by how long they lasted at least; `per_min`: a minute of
    what both have judged, None while that is nothing.

    `sensitivity`: of the polyps in verified frames those that a mask meets; `specificity`: of the frames
    verified to be empty those that have none; `dice`: mean over verified frames with masks, None: no such.
    """

    side: Side
    counts: Mapping[float, int]
    per_min: Mapping[float, float | None]
    first_s: float | None
    sensitivity: Share
    specificity: Share
    dice: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`until_s`: both have judged the recording up to there, seconds since its beginning. `verified`: frames
    that a person vouches for, of those. `iou`: mean over `iou_frames` of the frames in which both have a
    mask; None: there is none.
    """

    a: Figures
    b: Figures
    until_s: float
    verified: int
    iou: float | None
    iou_frames: int
    disagreements: tuple[Disagreement, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides with all that they found; `table`: of the one that has judged less."""

    a: Side
    b: Side
    made_a: Remade
    made_b: Remade
    table: FrameTable
    disagreements: tuple[Disagreement, ...]

    @property
    def last_rank(self) -> int:
        """Both have judged up to there; -1: one has nothing."""
        return _last_rank(self.table)


def paired(a: Side, b: Side, made_a: Remade, made_b: Remade, table: FrameTable) -> Pair:
    """Of hours of recording this takes a moment."""
    found = disagreements(confirmed_in(made_a), confirmed_in(made_b), table, _last_rank(table))
    return Pair(a, b, made_a, made_b, table, found)


def compared(car: SideCar, pair: Pair, wanted: Wanted = lambda: True) -> Comparison | None:
    """None once it is not `wanted` any more. Raises FaultError."""
    a = Review(car, pair.a.analysis, made=pair.made_a)
    b = Review(car, pair.b.analysis, edits=a.edits, made=pair.made_b)
    vouched = [rank for rank in a.edits.vouched if rank <= pair.last_rank]
    of_a, of_b = _figures(a, pair.a, pair, vouched, wanted), _figures(b, pair.b, pair, vouched, wanted)
    iou, frames = _iou(a, b, pair, wanted)
    if not wanted():
        return None
    until_s = float(pair.table.pts_s[-1] - pair.table.pts_s[0]) if len(pair.table) else 0.0
    return Comparison(of_a, of_b, until_s, len(vouched), iou, frames, pair.disagreements)


def _last_rank(table: FrameTable) -> int:
    return int(table.ranks[-1]) if len(table) else -1


def _figures(review: Review, side: Side, pair: Pair, vouched: Sequence[int], wanted: Wanted) -> Figures:
    table = pair.table
    minutes = (float(table.pts_s[-1] - table.pts_s[0]) / 60.0) if len(table) > 1 else 0.0
    found = [one for one in review.findings if one.first_rank <= pair.last_rank]
    hits = polyps = clean = empty = 0
    dices: list[float] = []
    for rank in vouched:
        if not wanted():
            break
        machine = list(review.machine_masks(rank).values())
        if review.edits.frame(rank).state is FrameState.EMPTY:
            empty += 1
            clean += not machine
            continue
        truth = list(review.frame(rank).masks.values())
        polyps += len(truth)
        hits += sum(any(_mask_iou(one, other) >= HIT_IOU for other in machine) for one in truth)
        dices.append(_dice(_union(truth), _union(machine)))
    counts = {least_s: _count(found, least_s) for least_s in LONG_S}
    return Figures(
        side,
        counts,
        {least_s: count / minutes if minutes else None for least_s, count in counts.items()},
        min((one.confirmed_s for one in found if one.confirmed_s is not None), default=None),
        Share(hits, polyps),
        Share(clean, empty),
        float(np.mean(dices)) if dices else None,
    )


def _iou(a: Review, b: Review, pair: Pair, wanted: Wanted) -> tuple[float | None, int]:
    """The mean, and of how many frames."""
    both = _seen(pair.made_a) & _seen(pair.made_b)
    ranks = sorted(rank for rank in both if rank <= pair.last_rank)
    step = max(1, -(-len(ranks) // MOST_FRAMES))
    values = []
    for rank in ranks[::step]:
        if not wanted():
            break
        masks = _union(a.machine_masks(rank).values()), _union(b.machine_masks(rank).values())
        if masks[0] is not None and masks[1] is not None:
            values.append(_mask_iou(masks[0], masks[1]))
    return (float(np.mean(values)) if values else None), len(values)


def _seen(made: Remade) -> set[int]:
    return {
        rank
        for rank, some in confirmed_in(made).items()
        if any(one.state is not TrackState.HELD for one in some)
    }


def _count(findings: Sequence[Finding], least_s: float) -> int:
    return sum(one.lasted_s >= least_s for one in findings)


def _union(masks: Iterable[U8]) -> U8 | None:
    found: U8 | None = None
    for mask in masks:
        found = mask if found is None else found | mask
    return found


def _mask_iou(a: U8, b: U8) -> float:
    return int(np.count_nonzero(a & b)) / max(int(np.count_nonzero(a | b)), 1)


def _dice(a: U8 | None, b: U8 | None) -> float:
    if a is None or b is None:
        return 0.0
    return 2 * int(np.count_nonzero(a & b)) / max(int(np.count_nonzero(a)) + int(np.count_nonzero(b)), 1)
