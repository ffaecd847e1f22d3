"""Memory over a long run: it must stay flat."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from engine.bench.clips import demo_clip, repeat_clip
from engine.bench.window import screen
from engine.jobs.process import environment as child_environment
from engine.jobs.process import python

SETTLE_S = 60.0  # decoder pools, fonts and caches fill in the first minute
PIECE_S = 20.0


def run(*, minutes: float) -> dict[str, Any]:
    """Play a 1080p30 recording; resident memory every 10 s, its growth counted after the first minute."""
    seconds = minutes * 60.0
    samples: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder, screen() as environment:
        piece = demo_clip(Path(folder) / "piece.mp4", rate_hz=30, duration_s=PIECE_S)
        clip = repeat_clip(piece, Path(folder) / "long.mkv", times=int(seconds / PIECE_S) + 2)
        command = python("-m", "main", str(clip), "--fullscreen", "--quit-after", str(seconds))
        started_s = time.monotonic()
        with subprocess.Popen(command, env=child_environment(environment)) as child:
            process = psutil.Process(child.pid)
            while child.poll() is None and time.monotonic() - started_s < seconds:
                time.sleep(min(10.0, seconds / 20))
                with_children_mb = process.memory_info().rss / 1e6
                samples.append((round(time.monotonic() - started_s, 1), round(with_children_mb, 1)))
            code = child.wait(60)
    settled = [mb for at_s, mb in samples if at_s >= min(SETTLE_S, seconds / 4)]
    return {
        "soak": {
            "minutes": minutes,
            "exit_code": code,
            "rss_mb_first": settled[0],
            "rss_mb_last": settled[-1],
            "rss_mb_max": max(settled),
            "growth_mb": round(settled[-1] - settled[0], 1),
        },
        "samples": samples,
    }
