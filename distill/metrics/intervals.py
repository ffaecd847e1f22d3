"""Bootstrap over groups: images of one polyp are not independent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from distill.metrics.pixels import F64

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
