"""Bootstrap over groups: images of one polyp, moments of one recording are not independent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
DRAWS = 2000


def group_draws(groups: Sequence[str], draws: int = DRAWS, seed: int = 0) -> F64:
    """How often each image counts in each draw of as many whole groups as there are: float64 [draws, n].

    Paired by construction: the same groups and seed give the same draws, whatever is measured.
    """
    names, which = np.unique(list(groups), return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), draws)
    return drawn[:, which].astype(np.float64)


def percentile_interval(values: F64) -> tuple[float, float]:
    """The middle 95 % of the draws; those without a figure (NaN) are left out."""
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def bootstrap_interval(values: F64, groups: Sequence[str], seed: int = 0) -> tuple[float, float]:
    """95 % interval of the mean of one value an image."""
    draws = group_draws(groups, seed=seed)
    return percentile_interval(draws @ values / draws.sum(1))


def two_stage_draws(clusters: Sequence[str], draws: int = DRAWS, seed: int = 0) -> F64:
    """How often each unit counts in each draw, float64 [draws, n]: as many clusters as there are, in each of
    them as many of its units as it has (Davison & Hinkley 1997, 3.8). One stage where each unit is a cluster,
    or all are of one. Paired by construction, as `group_draws`.
    """
    names, which, sizes = np.unique(list(clusters), return_inverse=True, return_counts=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), draws)
    counts = np.zeros((draws, len(which)), np.float64)
    for cluster, size in enumerate(sizes):
        members = np.flatnonzero(which == cluster)
        counts[:, members] = rng.multinomial(drawn[:, cluster] * size, np.full(size, 1 / size))
    return counts
