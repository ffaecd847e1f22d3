"""How fast training is, as ratios of one run: loading against a batch at hand, distillation against none."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from distill.cache import fill_cache
from distill.data.dataset import Pictures
from distill.data.index import Index, Record, load_index
from distill.recipe import Recipe, load_recipe, parse_recipe
from distill.train.ahead import Ahead
from distill.train.phases import phase_at
from distill.train.setup import Course, Sides, accelerator_of, make_course
from distill.train.step import SHARE_EVERY_STEPS, Material, update

IMAGES, VALIDATION_IMAGES = 48, 2
STEPS_A_BLOCK = 4
LOADED_LIMIT, DISTILLED_LIMIT = 1.15, 1.10
PAGE_MIB = 4096 / 2**20


@dataclass
class Times:
    """Seconds of single steps."""

    at_hand: list[float] = field(default_factory=list)
    loaded: list[float] = field(default_factory=list)
    distilled: list[float] = field(default_factory=list)
    measuring: list[float] = field(default_factory=list)  # steps that measure the share of the feature terms


def run(data_root: Path, rounds: int, size_px: int, batch: int, precision: str) -> dict[str, Any]:
    """Figures as JSON values. Blocks of steps take turns, so that a busy machine slows all kinds alike.

    Raises FaultError DATA_SET or MODEL_MISSING when the images or the teacher's weights are not there.
    """
    index = load_index(data_root)
    chosen = _spread(index, IMAGES + VALIDATION_IMAGES)
    recipe = _recipe(size_px, batch, precision)
    control = parse_recipe(recipe.model_dump(mode="json") | {"distil": {}})
    accelerator = accelerator_of(recipe)
    sides = Sides(Pictures(data_root, chosen[:IMAGES]), Pictures(data_root, chosen[IMAGES:]), known=IMAGES)
    with tempfile.TemporaryDirectory() as aside:
        cache = Path(aside)
        for teacher in recipe.distil.teachers:
            fill_cache(cache, teacher, data_root, chosen, run=None)
        plain = make_course(control, data_root, index, sides, cache, accelerator)
        taught = make_course(recipe, data_root, index, sides, cache, accelerator)
        times = Times()
        memory_mib: list[float] = []
        _round(plain, taught, Times())  # allocators and kernels settle
        for _ in range(rounds):
            _round(plain, taught, times)
            memory_mib.append(round(_resident_mib(), 1))
    return _figures(times, memory_mib, size_px, batch, precision)


def _round(plain: Course, taught: Course, times: Times) -> None:
    with Ahead(plain.materials, plain.steps) as ahead:
        materials = ahead.take(0)
        at_hand = materials
        steps = itertools.count(1)
        for _ in range(STEPS_A_BLOCK):
            times.loaded.append(_timed(lambda: _one(plain, ahead.take(next(steps)), 1, None)))
    for _ in range(STEPS_A_BLOCK):
        times.at_hand.append(_timed(lambda: _one(plain, at_hand, 1, None)))
    learned = taught.materials(0)
    for _ in range(STEPS_A_BLOCK):
        times.distilled.append(_timed(lambda: _one(taught, learned, 1, 1.0)))
    times.measuring.append(_timed(lambda: _one(taught, learned, 0, 1.0)))


def _one(course: Course, materials: Sequence[Material], step: int, scale: float | None) -> None:
    update(course.machine, materials, phase_at(step, course.steps, course.recipe.distil), step, 0.0, scale)


def _timed(work: Callable[[], None]) -> float:
    _wait()
    start_s = time.perf_counter()
    work()
    _wait()
    return time.perf_counter() - start_s


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _figures(
    times: Times, memory_mib: list[float], size_px: int, batch: int, precision: str
) -> dict[str, Any]:
    at_hand_s, loaded_s, distilled_s, measuring_s = (
        statistics.median(values)
        for values in (times.at_hand, times.loaded, times.distilled, times.measuring)
    )
    whole_s = distilled_s + max(0.0, measuring_s - distilled_s) / SHARE_EVERY_STEPS
    return {
        "size_px": size_px,
        "batch": batch,
        "precision": precision,
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "threads": torch.get_num_threads(),
        "step_ms": {
            "batch_at_hand": _ms(at_hand_s),
            "loaded": _ms(loaded_s),
            "distilled": _ms(distilled_s),
            "measuring_share": _ms(measuring_s),
        },
        "loaded_ratio": round(loaded_s / at_hand_s, 3),
        "loaded_limit": LOADED_LIMIT,
        "distilled_ratio": round(whole_s / at_hand_s, 3),
        "distilled_limit": DISTILLED_LIMIT,
        "images_per_s": round(batch / loaded_s, 1),
        "resident_mib": memory_mib,
        "resident_growth_mib": round(memory_mib[-1] - memory_mib[0], 1),
    }


def _recipe(size_px: int, batch: int, precision: str) -> Recipe:
    """`best` as it is, on plain input sizes and a schedule that is all distillation."""
    changes = [f"batch={batch}", f"precision={precision}", "scales=[1.0]", "distil.ramp=0.0"]
    changes += ["distil.stop=1.0", f"stages=[{{epochs=100000, size_px={size_px}}}]"]
    return load_recipe("best", changes)


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
