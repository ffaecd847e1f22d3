"""How long until window, first picture and first mask are there, with the compiled model cached."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

from engine.bench.clips import demo_clip
from engine.bench.window import run_window, screen


def run(*, rounds: int) -> dict[str, Any]:
    """One run to fill the caches, then `rounds` counted ones; medians."""
    with tempfile.TemporaryDirectory() as folder, screen() as environment:
        clip = demo_clip(Path(folder) / "30.mp4", rate_hz=30, duration_s=6)
        reports = [run_window(environment, [str(clip)], 4) for _ in range(rounds + 1)][1:]
    row: dict[str, Any] = {
        key.replace("_at_s", "_s"): round(statistics.median(r[key] - r["started_at_s"] for r in reports), 3)
        for key in ("window_at_s", "first_painted_at_s", "first_masked_at_s")
    }
    row["rss_mb"] = round(statistics.median(r["rss_mb"] for r in reports), 1)
    return {"startup": row, "screen": environment["POLYPLIVE_SCREEN"], "rounds": rounds}
