"""1080p recordings played in real time: from due to painted, a mask for every frame."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

from engine.bench.clips import demo_clip
from engine.bench.window import run_window, screen

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
    def median(*path: str) -> float:
        values = []
        for report in reports:
            value: Any = report
            for key in path:
                value = value[key]
            values.append(float(value))
        return round(statistics.median(values), 2)

    masked = ("stages", "due to mask painted")
    return {
        "fps": rate_hz,
        "p50_ms": median(*masked, "p50_ms"),
        "p95_ms": median(*masked, "p95_ms"),
        "p99_ms": median(*masked, "p99_ms"),
        "covered_share": round(statistics.median(r["covered_share"] for r in reports), 4),
        "mask_age_p95_ms": median("stages", "mask age", "p95_ms"),
        "masked_share": round(statistics.median(r["masked_share"] for r in reports), 4),
        "painted": int(median("painted")),
        "dropped": int(median("dropped")),
        "paint_p50_ms": median("stages", "paint", "p50_ms"),
        "paint_p95_ms": median("stages", "paint", "p95_ms"),
        "picture_px": "x".join(str(px) for px in reports[0]["picture_px"]),
        "network_p50_ms": median("stages", "network", "p50_ms"),
        "rss_mb": median("rss_mb"),
    }
