"""1080p recordings played in real time: from due to painted, and which mask each frame has."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from engine.bench.clips import demo_clip
from engine.bench.window import row_of, run_window, screen

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
        "pipeline": [row_of(rate, reports[rate]) for rate in RATES_HZ],
        "screen": environment["POLYPLIVE_SCREEN"],
        "rounds": rounds,
        "seconds": seconds,
    }
