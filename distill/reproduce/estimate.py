"""What a plan will cost: hours on this machine and gigabytes on its disk, before anything is started."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F

from distill.recipe import Recipe
from engine.models import make_student
from engine.models.cost import Cost, cost_of

# A step is the forward pass, and about twice as much backward.
PASSES = 3
# Weights, their average and two moments of the optimiser, float32; the exported folder is small beside them.
BYTES_A_PARAMETER = 4 * 4
PROBE_S = 1.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of one run. `hours` from the operations of its steps at the machine's measured rate."""

    parameters: int
    gmacs: float
    hours: float
    gigabytes: float


def gmacs_per_s() -> float:
    """What this machine, its GPU where it has one, does in a plain 3x3 convolution: 10^9 MAC a second."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    image = torch.randn(8, 64, 88, 88, device=device).to(memory_format=torch.channels_last)
    kernel = torch.randn(64, 64, 3, 3, device=device).to(memory_format=torch.channels_last)
    macs = image.numel() * 64 * 9
    with torch.inference_mode():
        for _ in range(3):
            F.conv2d(image, kernel, padding=1)
        rounds, start_s = 0, time.perf_counter()
        while time.perf_counter() - start_s < PROBE_S:
            F.conv2d(image, kernel, padding=1)
            if device == "cuda":
                torch.cuda.synchronize()
            rounds += 1
    return rounds * macs / (time.perf_counter() - start_s) / 1e9


def cost_of_recipe(recipe: Recipe) -> Cost:
    """Of its student at its last size, counted on the meta device, without weights."""
    return _cost(recipe.student.name, json.dumps(recipe.student.args), recipe.stages[-1].size_px)


@cache
def _cost(student: str, args: str, size_px: int) -> Cost:
    with torch.device("meta"):
        return cost_of(make_student(student, json.loads(args)), size_px)


def estimate_runs(recipes: Mapping[str, Recipe], images: int, rate_gmacs_per_s: float) -> dict[str, Estimate]:
    """Of every run, for so many training images."""
    found: dict[str, Estimate] = {}
    for name, recipe in recipes.items():
        cost, size_px = cost_of_recipe(recipe), recipe.stages[-1].size_px
        parameters, gmacs = cost.parameters, cost.macs / 1e9
        # Every batch at each scale, or one scale a step: the mean square of the side counts.
        squares = [scale**2 for scale in recipe.scales]
        area = sum(squares) if recipe.scaling == "each" else sum(squares) / len(squares)
        views = 4 if recipe.augment.views == "four_flips" else 1
        work = (
            PASSES
            * gmacs
            * area
            * images
            * views
            * sum(stage.epochs * (stage.size_px / size_px) ** 2 for stage in recipe.stages)
        )
        found[name] = Estimate(
            parameters=parameters,
            gmacs=gmacs,
            hours=work / rate_gmacs_per_s / 3600,
            gigabytes=parameters * BYTES_A_PARAMETER / 1e9,
        )
    return found


def cache_gigabytes(recipes: Mapping[str, Recipe], images: int) -> dict[str, float]:
    """fp16 feature maps of each teacher as `cache` stores them without --grid, by the teacher's name."""
    from distill.teachers import card_of

    sizes: dict[str, float] = {}
    for recipe in recipes.values():
        for teacher in recipe.distil.cached_teachers:
            card = card_of(teacher)
            rows, columns = card.grid
            sizes[teacher.name] = max(
                sizes.get(teacher.name, 0.0), 2e-9 * card.channels * rows * columns * images
            )
    return sizes
