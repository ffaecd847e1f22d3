"""How fast training is, as ratios of one run: loading against a batch at hand, distillation against none."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import torch

from distill.data.dataset import Pictures
from distill.data.decoded import Datasets
from distill.data.index import Index, Record, load_index
from distill.recipe import Recipe, load_recipe, parse_recipe
from distill.teachers.cache.features import fill_cache
from distill.train import module
from distill.train.cpu.precision import fitting
from distill.train.prefetch import Prefetch
from distill.train.setup import Setup, accelerator_of, set_up
from distill.train.step import SHARE_EVERY_STEPS, MicroBatch, train_step

IMAGES, VALIDATION_IMAGES = 48, 2
STEPS_A_ROUND = 4
LOADED_LIMIT, DISTILLED_LIMIT = 1.15, 1.10
PAGE_MIB = 4096 / 2**20


class Cost(NamedTuple):
    """Of one step: on the clock, and of all cores together, which a busy machine does not change."""

    wall_s: float
    cpu_s: float


@dataclass
class Times:
    """Single steps by kind."""

    at_hand: list[Cost] = field(default_factory=list)
    loaded: list[Cost] = field(default_factory=list)
    distilled: list[Cost] = field(default_factory=list)
    plain_depthwise: list[Cost] = field(default_factory=list)  # a batch at hand, torch's own backward pass
    plain_norm: list[Cost] = field(default_factory=list)  # a batch at hand, torch's own BatchNorm
    measuring: list[Cost] = field(default_factory=list)  # steps that measure the share of the feature terms


def run(data_root: Path, rounds: int, size_px: int, batch: int, precision: str | None) -> dict[str, Any]:
    """Figures as JSON values. The kinds of steps take turns, so that a busy machine slows all alike.

    `precision` None: the one that a training takes here.
    Raises FaultError DATA_SET or MODEL_MISSING when the images or the teacher's weights are not there.
    """
    index = load_index(data_root)
    chosen = _spread(index, IMAGES + VALIDATION_IMAGES)
    recipe = _recipe(size_px, batch, precision)
    control = parse_recipe(recipe.model_dump(mode="json") | {"distil": {}})
    accelerator = accelerator_of(recipe)
    datasets = Datasets(Pictures(data_root, chosen[:IMAGES]), Pictures(data_root, chosen[IMAGES:]))
    with tempfile.TemporaryDirectory() as aside:
        cache = Path(aside)
        for teacher in recipe.distil.teachers:
            fill_cache(cache, teacher, data_root, chosen, run=None)
        plain = set_up(control, data_root, datasets, cache, accelerator)
        taught = set_up(recipe, data_root, datasets, cache, accelerator)
        times = Times()
        memory_mib: list[float] = []
        _round(plain, taught, Times())  # allocators and kernels settle
        for _ in range(rounds):
            _round(plain, taught, times)
            memory_mib.append(round(_resident_mib(), 1))
    return _figures(times, memory_mib, size_px, batch, recipe.precision)


def _round(plain: Setup, taught: Setup, times: Times) -> None:
    at_hand, learned = plain.micro_batches(0), taught.micro_batches(0)
    steps, taught_steps = itertools.count(1), itertools.count(1)
    with (
        Prefetch(plain.micro_batches, plain.steps) as prefetched,
        Prefetch(taught.micro_batches, taught.steps) as taught_prefetched,
    ):
        prefetched.take(0)
        taught_prefetched.take(0)
        for _ in range(STEPS_A_ROUND):
            times.loaded.append(_timed(lambda: _one(plain, prefetched.take(next(steps)), 1, None)))
            times.at_hand.append(_timed(lambda: _one(plain, at_hand, 1, None)))
            with patch.object(module, "FastDepthwise", nullcontext):
                times.plain_depthwise.append(_timed(lambda: _one(plain, at_hand, 1, None)))
            with patch.object(module, "FastNorm", nullcontext):
                times.plain_norm.append(_timed(lambda: _one(plain, at_hand, 1, None)))
            times.distilled.append(
                _timed(lambda: _one(taught, taught_prefetched.take(next(taught_steps)), 1, 1.0))
            )
    times.measuring.append(_timed(lambda: _one(taught, learned, 0, 1.0)))


def _one(setup: Setup, micro_batches: Sequence[MicroBatch], step: int, scale: float | None) -> None:
    train_step(setup.trainer, micro_batches, setup.phase_at(step), step, 0.0, scale)


def _timed(work: Callable[[], None]) -> Cost:
    _wait()
    start_s, start_cpu_s = time.perf_counter(), time.process_time()
    work()
    _wait()
    return Cost(time.perf_counter() - start_s, time.process_time() - start_cpu_s)


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _figures(
    times: Times, memory_mib: list[float], size_px: int, batch: int, precision: str
) -> dict[str, Any]:
    kinds = {
        "batch_at_hand": times.at_hand,
        "plain_depthwise": times.plain_depthwise,
        "plain_norm": times.plain_norm,
        "loaded": times.loaded,
        "distilled": times.distilled,
        "measuring_share": times.measuring,
    }
    wall_s, cpu_s = (
        {kind: statistics.median(getattr(cost, name) for cost in costs) for kind, costs in kinds.items()}
        for name in Cost._fields
    )
    return {
        "size_px": size_px,
        "batch": batch,
        "precision": precision,
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "threads": torch.get_num_threads(),
        "step_ms": {kind: _ms(value) for kind, value in wall_s.items()},
        "step_cpu_ms": {kind: _ms(value) for kind, value in cpu_s.items()},
        "loaded_ratio": round(wall_s["loaded"] / wall_s["batch_at_hand"], 3),
        "loaded_cpu_ratio": round(cpu_s["loaded"] / cpu_s["batch_at_hand"], 3),
        "loaded_limit": LOADED_LIMIT,
        "distilled_ratio": _distilled_ratio(wall_s),
        "distilled_cpu_ratio": _distilled_ratio(cpu_s),
        "distilled_limit": DISTILLED_LIMIT,
        "fast_depthwise_ratio": round(wall_s["batch_at_hand"] / wall_s["plain_depthwise"], 3),
        "fast_norm_ratio": round(wall_s["batch_at_hand"] / wall_s["plain_norm"], 3),
        "images_per_s": round(batch / wall_s["loaded"], 1),
        "resident_mib": memory_mib,
        "resident_growth_mib": round(memory_mib[-1] - memory_mib[0], 1),
    }


def _distilled_ratio(seconds: dict[str, float]) -> float:
    """Both loaded; with its part of the steps that measure the share of the feature terms, too."""
    measuring_s = max(0.0, seconds["measuring_share"] - seconds["distilled"]) / SHARE_EVERY_STEPS
    return round((seconds["distilled"] + measuring_s) / seconds["loaded"], 3)


def _recipe(size_px: int, batch: int, precision: str | None) -> Recipe:
    """`best` as it is, on plain input sizes and a schedule that is all distillation."""
    changes = [f"batch={batch}", "scales=[1.0]", "distil.ramp=0.0", "distil.stop=1.0"]
    changes += [f"stages=[{{epochs=100000, size_px={size_px}}}]"]
    if precision is None:
        return fitting(load_recipe("best", changes))
    return load_recipe("best", [*changes, f"precision={precision}"])


def _spread(index: Index, count: int) -> list[Record]:
    """Records from all over the index, so that native sizes are mixed as in a training."""
    records = index.records
    wanted = min(count, len(records))
    return [records[rank * len(records) // wanted] for rank in range(wanted)]


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _resident_mib() -> float:
    """Of this process. 0 where the system has no /proc: then nothing is said about growth."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * PAGE_MIB if statm.exists() else 0.0
