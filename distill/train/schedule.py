"""Where a training stands: everything follows from the number of the step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from distill.recipe import OptimiserPart, Recipe, scaled_px


@dataclass(frozen=True, slots=True)
class Place:
    """`batch` is the rank of its images inside the epoch."""

    epoch: int
    batch: int
    size_px: int
    last: bool  # of its epoch


def steps_per_epoch(items: int, recipe: Recipe) -> int:
    """Whole batches only, at least one: BatchNorm does not like a rest of one image."""
    return max(1, items // recipe.batch) * _sizes_a_batch(recipe)


def place_of(step: int, items: int, recipe: Recipe) -> Place:
    """The place of a step, counted from 0; `items` is what an epoch shows."""
    a_epoch = steps_per_epoch(items, recipe)
    epoch, rank = divmod(step, a_epoch)
    batch, turn = divmod(rank, _sizes_a_batch(recipe))
    if recipe.scaling == "random" and len(recipe.scales) > 1:
        turn = int(np.random.default_rng([recipe.seed, epoch, rank, 1]).integers(len(recipe.scales)))
    return Place(
        epoch, batch, scaled_px(recipe.size_px_of(epoch), recipe.scales[turn]), last=rank + 1 == a_epoch
    )


def rate_factor(step: int, steps: int, part: OptimiserPart) -> float:
    """Linear warm-up, then constant or a half cosine down to `final_rate_factor`.

    Of a short training (few images) the warm-up takes a quarter at most, or the rate would never be reached.
    """
    warm_up_steps = min(part.warm_up_steps, math.ceil(steps / 4))
    if step < warm_up_steps:
        return (step + 1) / warm_up_steps
    if part.schedule == "constant":
        return 1.0
    done = (step - warm_up_steps) / max(1, steps - warm_up_steps)
    return part.final_rate_factor + (1 - part.final_rate_factor) * 0.5 * (1 + math.cos(math.pi * done))


def ema_decay(step: int, final: float) -> float:
    """Young averages forget fast, so that early epochs are not an average with random weights."""
    return min(final, (1 + step) / (10 + step))


def _sizes_a_batch(recipe: Recipe) -> int:
    return len(recipe.scales) if recipe.scaling == "each" else 1
