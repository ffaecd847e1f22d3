"""Two models' counts of the same data become rows of figures with intervals: paired bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.intervals import F64, group_draws, percentile_interval, two_stage_draws
from engine.promotion.measures import MEASURES, OF_IMAGES, Row, Where

LEAST_UNITS = 5  # fewer parts of recordings, polyps or groups of images carry no interval


@dataclass(frozen=True, slots=True)
class Share:
    """A figure's part of one unit: the figure is the sum of `part` over the sum of `of`. `cluster`: the
    recording that the unit is of, or the group of images."""

    cluster: str
    part: float
    of: float


Counts = Mapping[str, Sequence[Share]]  # by measure; two models' are in the same order


def rows(where: Where, in_use: Counts, candidate: Counts) -> tuple[Row, ...]:
    """A row a measure that both have counts of. Raises ValueError where these are of different data."""
    return tuple(
        _row(where, key, in_use[key], candidate[key])
        for key in MEASURES
        if in_use.get(key) and any(share.of for share in in_use[key])
    )


def _row(where: Where, key: str, first: Sequence[Share], second: Sequence[Share]) -> Row:
    clusters = [share.cluster for share in first]
    if clusters != [share.cluster for share in second]:
        raise ValueError(f"{key} was counted on different data")
    # Whole groups of images, as distill has them; of recordings also the moments within each.
    draw: Callable[[Sequence[str]], F64] = group_draws if key in OF_IMAGES else two_stage_draws
    counting = [i for i, (a, b) in enumerate(zip(first, second, strict=True)) if a.of or b.of]
    clusters = [clusters[i] for i in counting]
    weights = np.concatenate([np.ones((1, len(clusters))), draw(clusters)])  # as counted, then the draws
    values = [
        _figures(weights, [side[i] for i in counting]) * MEASURES[key].scale for side in (first, second)
    ]
    groups = len(set(clusters)) if key in OF_IMAGES else len(clusters)
    low, high = (None, None) if groups < LEAST_UNITS else percentile_interval(values[1][1:] - values[0][1:])
    return Row(
        where=where,
        measure=key,
        in_use=float(values[0][0]),
        candidate=float(values[1][0]),
        low=low,
        high=high,
        units=len(clusters),
        clusters=len(set(clusters)),
    )


def _figures(weights: F64, shares: Sequence[Share]) -> F64:
    """The figure in every draw, float64 [draws]; NaN where nothing of it was drawn."""
    part, of = (np.array([getattr(share, name) for share in shares], np.float64) for name in ("part", "of"))
    total = weights @ of
    total[total == 0] = np.nan
    return weights @ part / total


def latency_rows(in_use_ms: Sequence[float], candidate_ms: Sequence[float]) -> tuple[Row, ...]:
    """Of single frames that both were given in turn: the moments are drawn together."""
    times = np.array([in_use_ms, candidate_ms], np.float64)
    drawn = np.random.default_rng(0).integers(0, times.shape[1], (1000, times.shape[1]))
    made = []
    for key, share in (("latency_p50", 50), ("latency_p95", 95)):
        values = np.percentile(times, share, axis=1)
        differences = np.diff(np.percentile(times[:, drawn], share, axis=2), axis=0)[0]
        low, high = percentile_interval(differences)
        made.append(
            Row(
                where=Where.MACHINE,
                measure=key,
                in_use=float(values[0]),
                candidate=float(values[1]),
                low=low,
                high=high,
                units=times.shape[1],
                clusters=1,
            )
        )
    return tuple(made)
