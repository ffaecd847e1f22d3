"""Is B better than A? Paired bootstrap over images, whole groups at a time, and over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from distill.metrics.files import named
from distill.metrics.pixels import F64
from distill.metrics.rows import POOLED, of_size
from distill.metrics.sizes import SIZES, size_of
from distill.metrics.table import Row
from engine.faults import FaultCode, FaultError
from engine.intervals import DRAWS, group_draws, percentile_interval

MEAN_OF_SETS = "mean of sets"
# Made of the columns: Dice, and of an image without a polyp 1 without any false detection, else 0.
DICE_OR_SILENCE = "dice_or_silence"
# Of an image with polyps 1 where nothing of them is found, else 0.
MISSED_WHOLE = "missed_whole"
Table = Sequence[Row]


@dataclass(frozen=True, slots=True)
class Difference:
    """B minus A on one set. `low` and `high` bound 95 %; `p` is two-sided: the chance of a difference as far
    from zero if there were none, 1 / draws at the least."""

    set: str
    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    images: int
    groups: int


def compare(a: Sequence[Table], b: Sequence[Table], figure: str = "dice") -> tuple[Difference, ...]:
    """Differences of the mean of `figure`: each set, their plain mean where there are several, each size of
    the polyps where the tables tell it, all pooled.

    A table a seed on either side. As many of both are twins (the same seed, data and schedule in the same
    order) and are drawn together; otherwise each side's seeds are drawn by themselves. Images without the
    figure (Dice of a negative) are left out. `figure` is a column of the tables, or a key of MADE.
    Raises FaultError DATA_SET: tables of different images or groups, or without the figure.
    """
    if make := MADE.get(figure):
        a, b = ([[make(row) for row in table] for table in side] for side in (a, b))
    tables_of_both = [*a, *b]
    cases = _cases(tables_of_both, figure)
    first, second = (_values(tables, list(cases), figure) for tables in (a, b))
    sets = np.array([set_name for set_name, _ in cases.values()])
    groups = [group for _, group in cases.values()]
    # The images themselves in the first row, then the draws.
    images = np.concatenate([np.ones((1, len(groups))), group_draws(groups)])
    seeds_a, seeds_b = _seed_draws(len(a), len(b))
    first, second = seeds_a @ first, seeds_b @ second  # float64 [draws, images]

    inside = {name: sets == name for name in sorted(set(sets.tolist()))}
    means = {name: _means(images, first, second, rows) for name, rows in inside.items()}
    if len(inside) > 1:
        means[MEAN_OF_SETS] = np.mean(list(means.values()), axis=0)
        inside[MEAN_OF_SETS] = np.ones(len(groups), bool)
    for name, rows in _by_size(tables_of_both[0], list(cases)).items():
        inside[name], means[name] = rows, _means(images, first, second, rows)
    inside[POOLED] = np.ones(len(groups), bool)
    means[POOLED] = _means(images, first, second, inside[POOLED])
    return tuple(
        _difference(name, means[name], [g for g, is_in in zip(groups, rows, strict=True) if is_in])
        for name, rows in inside.items()
    )


def _by_size(table: Table, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Which of the images have polyps of that size, bool [images]; none where the table tells no sizes."""
    shares = {row.case.name: row.polyp_share for row in table}
    sizes = np.array([size_of(share) if (share := shares[name]) else "" for name in names])
    return {of_size(size): sizes == size for size in SIZES if (sizes == size).any()}


def _dice_or_silence(row: Row) -> Row:
    """The row with that figure alone; without any where it has neither."""
    figures = row.figures
    if "dice" in figures:
        return replace(row, figures={DICE_OR_SILENCE: figures["dice"]})
    if "false_detections" in figures:
        return replace(row, figures={DICE_OR_SILENCE: float(figures["false_detections"] == 0)})
    return replace(row, figures={})


def _missed_whole(row: Row) -> Row:
    recall = row.figures.get("recall")
    return replace(row, figures={} if recall is None else {MISSED_WHOLE: float(recall == 0)})


MADE = {DICE_OR_SILENCE: _dice_or_silence, MISSED_WHOLE: _missed_whole}


def _cases(tables: Sequence[Table], figure: str) -> dict[str, tuple[str, str]]:
    """Set and group of every image that has the figure, by name."""
    found = [
        {row.case.name: (row.case.set, row.case.group) for row in table if figure in row.figures}
        for table in tables
    ]
    if not all(found):
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"{figure} of some image in every table",
            got="a table without it",
            remedy="name another --figure, or make the table again",
        )
    for other in found[1:]:
        differing = sorted({name for name, _ in found[0].items() ^ other.items()})
        if differing:
            raise FaultError(
                FaultCode.DATA_SET,
                expected="the same images in the same sets and groups on both sides",
                got=f"{named(differing)} on one of them only, or otherwise grouped",
                remedy="judge both on the same images",
            )
    return found[0]


def _values(tables: Sequence[Table], names: Sequence[str], figure: str) -> F64:
    """float64 [seeds, images]."""
    columns = [{row.case.name: row.figures.get(figure, np.nan) for row in table} for table in tables]
    return np.array([[column[name] for name in names] for column in columns], np.float64)


def _seed_draws(a: int, b: int) -> tuple[F64, F64]:
    """The share of each seed in each draw, float64 [1 + DRAWS, seeds]; the first row has all alike."""
    rng = np.random.default_rng(1)

    def draws(count: int) -> F64:
        drawn = rng.multinomial(count, np.full(count, 1 / count), DRAWS) / count
        return np.concatenate([np.full((1, count), 1 / count), drawn])

    first = draws(a)
    return first, first if a == b else draws(b)


def _means(images: F64, first: F64, second: F64, rows: np.ndarray) -> F64:
    """Means of A and of B in every draw, float64 [2, draws]; NaN where none of the images was drawn."""
    weights = images[:, rows]
    total = weights.sum(1)
    total[total == 0] = np.nan
    return np.stack([(weights * values[:, rows]).sum(1) / total for values in (first, second)])


def _difference(name: str, means: F64, groups: Sequence[str]) -> Difference:
    differences = means[1] - means[0]
    drawn = differences[1:][~np.isnan(differences[1:])]
    low, high = percentile_interval(drawn)
    return Difference(
        set=name,
        a=float(means[0, 0]),
        b=float(means[1, 0]),
        difference=float(differences[0]),
        low=low,
        high=high,
        p=_p_value(drawn),
        images=len(groups),
        groups=len(set(groups)),
    )


def _p_value(drawn: F64) -> float:
    # One more than counted: the observed difference is a draw, too, so that p is never zero.
    tail = min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    return min(1.0, 2 * (tail + 1) / (len(drawn) + 1))
