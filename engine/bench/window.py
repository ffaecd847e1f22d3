"""Runs the real program on a screen as a child process and reads back what it measured."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from engine.faults import FaultCode, FaultError
from engine.files.whole import HOME_VARIABLE, user_cache
from engine.jobs.process import environment as child_environment
from engine.jobs.process import python

SCREEN = (1920, 1080)
GRACE_S = 60.0


@contextlib.contextmanager
def screen() -> Iterator[dict[str, str]]:
    """Environment of a child that is to show a window: this desktop, else Xvfb, else Qt's offscreen platform.

    Yields the environment; `POLYPLIVE_SCREEN` in it says which. Recent items and settings are the child's
    own, so that measuring leaves nothing on a person's start page; compiled models are shared.
    """
    with tempfile.TemporaryDirectory() as home:
        user_cache().mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # Windows may forbid links: the models are compiled anew there
            (Path(home) / "cache").symlink_to(user_cache(), target_is_directory=True)
        with _screen(os.environ | {HOME_VARIABLE: home}) as environment:
            yield environment


@contextlib.contextmanager
def _screen(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    if sys.platform != "linux" or environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"):
        yield environment | {"POLYPLIVE_SCREEN": "desktop"}
        return
    if shutil.which("Xvfb") is None:
        yield environment | {"QT_QPA_PLATFORM": "offscreen", "POLYPLIVE_SCREEN": "offscreen"}
        return
    read_fd, write_fd = os.pipe()
    server = subprocess.Popen(
        [
            "Xvfb",
            "-displayfd",
            str(write_fd),
            "-screen",
            "0",
            f"{SCREEN[0]}x{SCREEN[1]}x24",
            "-nolisten",
            "tcp",
        ],
        pass_fds=(write_fd,),
        stderr=subprocess.DEVNULL,
    )
    os.close(write_fd)
    with os.fdopen(read_fd) as answer:
        display = answer.readline().strip()
    try:
        yield environment | {"DISPLAY": f":{display}", "QT_QPA_PLATFORM": "xcb", "POLYPLIVE_SCREEN": "Xvfb"}
    finally:
        server.terminate()
        server.wait()


def run_window(
    environment: dict[str, str], source: list[str], seconds: float, *options: str
) -> dict[str, Any]:
    """Play `source` in full screen for `seconds`; the program's own statistics, with `started_at_s` added.

    Raises FaultError when the program does not end well.
    """
    with tempfile.TemporaryDirectory() as folder:
        stats = Path(folder) / "stats.json"
        command = [*python("-m", "main"), *source, "--fullscreen", *options]
        command += ["--quit-after", str(seconds), "--stats", str(stats)]
        started_at_s = time.monotonic()
        done = subprocess.run(
            command,
            env=child_environment(environment),
            capture_output=True,
            text=True,
            timeout=seconds + GRACE_S,
            check=False,
        )
        if done.returncode != 0 or not stats.exists():
            raise FaultError(
                FaultCode.OUTPUT,
                expected="the program to play the clip and write its statistics",
                got=f"exit code {done.returncode}: {done.stderr.strip()[-500:]}",
                remedy="run the same command by hand: " + " ".join(command),
            )
        report: dict[str, Any] = json.loads(stats.read_text())
        return report | {"started_at_s": started_at_s}


def row_of(rate_hz: int, reports: list[dict[str, Any]]) -> dict[str, Any]:
    """The table row of a recording or stream of `rate_hz`: medians over its rounds (docs/benchmarks.md)."""
    median = partial(_median, reports)
    painted, age, paint = (("stages", name) for name in ("due to painted", "mask age", "paint"))
    return {
        "fps": rate_hz,
        "p50_ms": median(*painted, "p50_ms"),
        "p95_ms": median(*painted, "p95_ms"),
        "p99_ms": median(*painted, "p99_ms"),
        "covered_share": median("covered_share"),
        "masked_share": median("masked_share"),
        "mask_age_p50_ms": median(*age, "p50_ms"),
        "mask_age_p95_ms": median(*age, "p95_ms"),
        "painted": int(median("painted")),
        "dropped": int(median("dropped")),
        "paint_p50_ms": median(*paint, "p50_ms"),
        "paint_p95_ms": median(*paint, "p95_ms"),
        "picture_px": "x".join(str(px) for px in reports[0]["picture_px"]),
        "network_p50_ms": median("stages", "network", "p50_ms"),
        "rss_mb": median("rss_mb"),
    }


def _median(reports: list[dict[str, Any]], *path: str) -> float:
    """Of what lies under these keys, four digits after the point."""
    values = []
    for report in reports:
        value: Any = report
        for key in path:
            value = value[key]
        values.append(float(value))
    return round(statistics.median(values), 4)
