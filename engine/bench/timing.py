"""Several ways to do the same, timed in turn: what else the machine does falls on all of them alike."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from engine.types import U8

Key = TypeVar("Key", bound=Hashable)
Work = tuple[Callable[[U8], object], Sequence[U8]]  # what is done, and the pictures that it is done to


FEWEST_ROUNDS = 2


def interleaved(work: Mapping[Key, Work], rounds: int, most_s: float = math.inf) -> dict[Key, list[float]]:
    """Milliseconds of every call: one warm-up pass, then `rounds` in which each takes its turn.

    After `most_s` no further round begins, but there are two: each has as many calls as every other.
    """
    times_ms: dict[Key, list[float]] = {key: [] for key in work}
    for do, pictures in work.values():
        for picture in pictures:
            do(picture)
    began_s = time.perf_counter()
    for turn in range(rounds):
        if turn >= FEWEST_ROUNDS and time.perf_counter() - began_s > most_s:
            break
        for key, (do, pictures) in work.items():
            for picture in pictures:
                start_s = time.perf_counter()
                do(picture)
                times_ms[key].append((time.perf_counter() - start_s) * 1000.0)
    return times_ms


def percentiles(times_ms: Sequence[float]) -> dict[str, float]:
    """Median and tail as a table's cells, and of how many calls."""
    return {
        "calls": len(times_ms),
        "p50_ms": round(statistics.median(times_ms), 2),
        "p95_ms": round(float(np.percentile(times_ms, 95)), 2),
        "p99_ms": round(float(np.percentile(times_ms, 99)), 2),
    }


def ratio(reference_ms: Sequence[float] | None, times_ms: Sequence[float]) -> float | None:
    """How many times quicker than the reference of the same rounds, by medians; None without a reference."""
    return (
        None if not reference_ms else round(statistics.median(reference_ms) / statistics.median(times_ms), 2)
    )
