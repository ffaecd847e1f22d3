"""Where a training stands: everything follows from the number of the step."""

from __future__ import annotations

import math
from dataclasses import dataclass

from distill.recipe import OptimiserPart, Recipe


@dataclass(frozen=True, slots=True)
class Place:
    """`batch` is the rank inside the epoch."""

    epoch: int
    batch: int
    size_px: int


def steps_per_epoch(images: int, recipe: Recipe) -> int:
    """Whole batches only, at least one: BatchNorm does not like a rest of one image."""
    return max(1, images // recipe.batch)


def place_of(step: int, images: int, recipe: Recipe) -> Place:
    """The place of a step, counted from 0."""
    epoch, batch = divmod(step, steps_per_epoch(images, recipe))
    return Place(epoch, batch, recipe.size_px_of(epoch))


def rate_factor(step: int, steps: int, part: OptimiserPart) -> float:
    """Linear warm-up, then a half cosine down to `final_rate_factor`."""
    if step < part.warm_up_steps:
        return (step + 1) / part.warm_up_steps
    done = (step - part.warm_up_steps) / max(1, steps - part.warm_up_steps)
    return part.final_rate_factor + (1 - part.final_rate_factor) * 0.5 * (1 + math.cos(math.pi * done))


def ema_decay(step: int, final: float) -> float:
    """Young averages forget fast, so that early epochs are not an average with random weights."""
    return min(final, (1 + step) / (10 + step))
