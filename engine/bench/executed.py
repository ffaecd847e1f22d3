"""Models on the runtimes of this machine, all interleaved: what `students` and `peers` have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.bench.memory import memory_mb
from engine.bench.skipped import Skipped
from engine.bench.timing import Work, interleaved, percentiles, ratio
from engine.faults import FaultCode, FaultError
from engine.model_folder import ModelFolder
from engine.runtime import RUNTIMES, open_runtime
from engine.runtime.auto.parity import compare_runtimes
from engine.runtime.base import Runtime, RuntimeOptions
from engine.types import U8

EAGER = ("eager", "f32")
# What every runtime has, and what it would choose; whatever comes out the same twice is measured once.
PRECISIONS = ("f32", "auto")
PICTURES = 8
MOST_S = 30.0  # of all that takes turns with one another, so that a table of heavy networks comes to an end


@dataclass(frozen=True, slots=True)
class Executed:
    """One model on one runtime. `cells`: its columns; `p50_ms` is among them."""

    label: str
    runtime: str
    precision: str
    cells: dict[str, Any]


def random_pictures(size_px: int) -> list[U8]:
    """uint8 [size_px, size_px, 3], the same ones every time."""
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (size_px, size_px, 3), np.uint8) for _ in range(PICTURES)]


def measure(
    models: Mapping[str, tuple[ModelFolder, Sequence[U8]]],
    rounds: int,
    runtimes: Sequence[str] | None,
    memory: bool,
    skipped: list[Skipped],
    besides: Mapping[str, Work] | None = None,
) -> list[Executed]:
    """Each model on each runtime over its pictures, interleaved; ratios to its own eager f32 of these rounds.

    `runtimes` None: the whole table. `besides`: other work that takes its turn in the same rounds, as runtime
    "own". What does not open is told in `skipped`.
    """
    with ExitStack() as stack:
        opened: dict[tuple[str, str, str], Runtime] = {}
        for label, (model, _) in models.items():
            for name in RUNTIMES if runtimes is None else runtimes:
                for precision in PRECISIONS:
                    runtime = _opened(name, precision, label, model, skipped)
                    if runtime is None:
                        continue
                    stack.enter_context(closing(runtime))
                    opened.setdefault((label, name, runtime.info.precision), runtime)
        work: dict[tuple[str, str, str], Work] = {
            key: (runtime.infer, models[key[0]][1]) for key, runtime in opened.items()
        }
        work |= {(label, "own", ""): done for label, done in (besides or {}).items()}
        times_ms = interleaved(work, rounds, MOST_S * len(models))
        found = []
        for key, values in times_ms.items():
            label, name, precision = key
            cells: dict[str, Any] = {"runtime": name, "precision": precision, **percentiles(values)}
            cells["vs_eager"] = ratio(times_ms.get((label, *EAGER)), values)
            if key in opened:
                cells |= _parity(opened.get((label, *EAGER)), opened[key], models[label][1])
            if memory and key in opened:
                cells |= memory_mb(models[label][0].path, name, precision)
            found.append(Executed(label, name, precision, cells))
    return found


def _opened(
    name: str, precision: str, label: str, model: ModelFolder, skipped: list[Skipped]
) -> Runtime | None:
    try:
        return open_runtime(name, model, RuntimeOptions(precision=precision))
    except FaultError as error:
        if error.code is FaultCode.INTERNAL:
            raise
        skipped.append(Skipped(f"{label}, {name} {precision}", str(error)))
        return None


def _parity(eager: Runtime | None, other: Runtime, pictures: Sequence[U8]) -> dict[str, Any]:
    if eager is None:
        return {"max_dp": None, "mask_dice": None}
    difference = compare_runtimes(eager, other, pictures, threshold=0.5)
    return {"max_dp": round(difference.max_dp, 4), "mask_dice": round(difference.mask_dice, 4)}
