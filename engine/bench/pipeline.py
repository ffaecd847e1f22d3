"""1080p recordings played in real time: from due to painted, and which mask each frame has."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from engine.bench.clips import demo_clip
from engine.bench.window import median_of, run_window, screen

RATES_HZ = (30, 60)


def run(*, rounds: int, seconds: float) -> dict[str, Any]:
    """Interleaved rounds of both rates; medians over the rounds."""
    reports: dict[int, list[dict[str, Any]]] = {rate: [] for rate in RATES_HZ}
    with tempfile.TemporaryDirectory() as folder, screen() as environment:
        clips = {
            rate: demo_clip(Path(folder) / f"{rate}.mp4", rate_hz=rate, duration_s=seconds + 4)
            for rate in RATES_HZ
        }
        for _ in range(rounds):
            for rate in RATES_HZ:
                reports[rate].append(run_window(environment, [str(clips[rate])], seconds))
    return {
        "pipeline": [_row(rate, reports[rate]) for rate in RATES_HZ],
        "screen": environment["POLYPLIVE_SCREEN"],
        "rounds": rounds,
        "seconds": seconds,
    }


def _row(rate_hz: int, reports: list[dict[str, Any]]) -> dict[str, Any]:
    median = partial(median_of, reports)
    painted = ("stages", "due to painted")
    return {
        "fps": rate_hz,
        "p50_ms": median(*painted, "p50_ms"),
        "p95_ms": median(*painted, "p95_ms"),
        "p99_ms": median(*painted, "p99_ms"),
        "covered_share": median("covered_share"),
        "mask_age_p95_ms": median("stages", "mask age", "p95_ms"),
        "masked_share": median("masked_share"),
        "painted": int(median("painted")),
        "dropped": int(median("dropped")),
        "paint_p50_ms": median("stages", "paint", "p50_ms"),
        "paint_p95_ms": median("stages", "paint", "p95_ms"),
        "picture_px": "x".join(str(px) for px in reports[0]["picture_px"]),
        "network_p50_ms": median("stages", "network", "p50_ms"),
        "rss_mb": median("rss_mb"),
    }
