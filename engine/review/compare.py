"""Two analyses of one recording side by side: where they disagree, and figures of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.review.acts import FrameState
from engine.review.findings import Finding, Sighted
from engine.review.review import Review
from engine.review.rows import Sightings
from engine.review.timeline import FrameTable
from engine.tracking.place import Place, likeness
from engine.types import U8, Rect, TrackState

ONLY_A, ONLY_B, BOTH = 1, 2, 3
GAP_S = 0.5  # two stretches that are nearer to each other are one
LONG_S = (0.0, 0.5, 1.0, 2.0)
HIT_IOU = 0.1  # with a verified mask
MOST_FRAMES = 400  # whose masks are compared: evenly chosen, 1 s of work


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A stretch in which one has a finding at a place where the other has none. `who`: ONLY_A or ONLY_B."""

    who: int
    first_rank: int
    last_rank: int
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one analysis. `per_min`: confirmed findings a minute of recording, by how long they lasted at least.

    `sensitivity`: share of the polyps in verified frames that a mask meets; `specificity`: share of the
    frames verified to be empty that have none; `dice`: of verified frames with masks. None: no such frames.
    """

    model_id: str
    weights_sha256: str
    preset: str
    threshold: float
    per_min: Mapping[float, float]
    first_s: float | None
    sensitivity: float | None
    specificity: float | None
    dice: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`iou`: mean over frames in which both have a mask; None: there is none."""

    a: Figures
    b: Figures
    iou: float | None
    disagreements: tuple[Disagreement, ...]


def compared(a: Review, b: Review) -> Comparison:
    """Of two analyses of one side-car, at the points that their findings are kept at."""
    return Comparison(figures(a), figures(b), _iou(a, b), disagreements_of(a, b))


def disagreements_of(a: Review, b: Review) -> tuple[Disagreement, ...]:
    return disagreements(_confirmed(a), _confirmed(b), a.table)


def disagreements(a: Sightings, b: Sightings, table: FrameTable) -> tuple[Disagreement, ...]:
    """In the order of their beginning. `a` and `b`: sightings that count, by rank; frames behind the end of
    what one has judged are none of its.
    """
    found: list[Disagreement] = []
    for who, these, those in ((ONLY_A, a, b), (ONLY_B, b, a)):
        ranks = sorted(rank for rank, some in these.items() if _alone(some, those.get(rank, ())))
        found += _stretches(who, ranks, table)
    return tuple(sorted(found, key=lambda one: (one.first_rank, one.who)))


def next_disagreement(found: Sequence[Disagreement], rank: int) -> Disagreement | None:
    """The first one that begins behind a frame."""
    return next((one for one in found if one.first_rank > rank), None)


def parts(mask_a: U8, mask_b: U8) -> U8:
    """ONLY_A, ONLY_B, BOTH or 0 for each pixel of two masks uint8 [H, W] of 0 and 1."""
    return (mask_a > 0).astype(np.uint8) * np.uint8(ONLY_A) + (mask_b > 0).astype(np.uint8) * np.uint8(ONLY_B)


def figures(review: Review) -> Figures:
    table, analysis = review.table, review.analysis
    minutes = (float(table.pts_s[-1] - table.pts_s[0]) / 60.0) if len(table) > 1 else 0.0
    hits = polyps = clean = empty = 0
    dices: list[float] = []
    for rank, edits in review.edits.vouched.items():
        machine = list(review.machine_masks(rank).values())
        if edits.state is FrameState.EMPTY:
            empty += 1
            clean += not machine
            continue
        truth = list(review.frame(rank).masks.values())
        polyps += len(truth)
        hits += sum(any(_mask_iou(one, other) >= HIT_IOU for other in machine) for one in truth)
        dices.append(_dice(_union(truth), _union(machine)))
    return Figures(
        analysis.model_id,
        analysis.weights_sha256,
        analysis.preset,
        analysis.point.threshold,
        {least_s: _rate(review.findings, least_s, minutes) for least_s in LONG_S},
        min((one.confirmed_s for one in review.findings if one.confirmed_s is not None), default=None),
        hits / polyps if polyps else None,
        clean / empty if empty else None,
        float(np.mean(dices)) if dices else None,
    )


def _confirmed(review: Review) -> dict[int, tuple[Sighted, ...]]:
    """Where its confirmed findings were seen, from their first frame on."""
    ids = {one.id for one in review.findings}
    found = {}
    for rank, some in review.sightings.items():
        own = tuple(one for one in some if one.track in ids and one.state is not TrackState.HELD)
        if own:
            found[rank] = own
    return found


def _iou(a: Review, b: Review) -> float | None:
    ranks = sorted(_confirmed(a).keys() & _confirmed(b).keys())
    step = max(1, -(-len(ranks) // MOST_FRAMES))
    values = []
    for rank in ranks[::step]:
        masks = _union(a.machine_masks(rank).values()), _union(b.machine_masks(rank).values())
        if masks[0] is not None and masks[1] is not None:
            values.append(_mask_iou(masks[0], masks[1]))
    return float(np.mean(values)) if values else None


def _alone(these: Iterable[Sighted], those: Sequence[Sighted]) -> bool:
    there = [_place(other.box) for other in those]
    return any(not any(likeness(_place(one.box), at) > 0.0 for at in there) for one in these)


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


def _rate(findings: Sequence[Finding], least_s: float, minutes: float) -> float:
    count = sum(one.lasted_s >= least_s for one in findings)
    return count / minutes if minutes else 0.0


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


def _place(box: Rect) -> Place:
    return Place(box.x, box.y, box.w, box.h, box.w * box.h)
