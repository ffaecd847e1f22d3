"""A live 1080p stream in the window: from arrival to painted, and how old the masks are."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.bench.clips import demo_clip
from engine.bench.window import row_of, run_window, screen
from engine.jobs.process import environment, python

RATES_HZ = (30, 60)
CLIP_S = 12.0  # sent again and again


def run(*, rounds: int, seconds: float) -> dict[str, Any]:
    """Interleaved rounds of both rates, sent over this machine's own network; medians over the rounds."""
    reports: dict[int, list[dict[str, Any]]] = {rate: [] for rate in RATES_HZ}
    with tempfile.TemporaryDirectory() as folder, screen() as environment:
        clips = {
            rate: demo_clip(Path(folder) / f"{rate}.mp4", rate_hz=rate, duration_s=CLIP_S, live=True)
            for rate in RATES_HZ
        }
        for _ in range(rounds):
            for rate in RATES_HZ:
                with sent(clips[rate]) as url:
                    reports[rate].append(run_window(environment, [url], seconds))
    return {
        "live": [row_of(rate, reports[rate]) for rate in RATES_HZ],
        "screen": environment["POLYPLIVE_SCREEN"],
        "rounds": rounds,
        "seconds": seconds,
    }


@contextlib.contextmanager
def sent(clip: Path) -> Iterator[str]:
    """The URL that `clip` is sent to, by a process of its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{probe.getsockname()[1]}"
    sender = subprocess.Popen(python("-m", "engine.bench.sender", str(clip), url), env=environment())
    try:
        yield url
    finally:
        sender.kill()
        sender.wait()
