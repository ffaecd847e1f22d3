"""SIGKILL at any moment: nothing half-written under a final name, and the next run does the rest."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter

import pytest

from engine.analysis.results import RESULTS, SUMMARY, read_results, read_summary
from tests.fixtures.models import red_model
from tests.fixtures.red_clips import red_clip

KILLS = 20
FRAMES = 400
LONGEST_S = 3.0  # until the signal; a run takes about as long
LIMIT_S = 120

pytestmark = pytest.mark.fuzz


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "main.py", "analyse", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(process, after_s):
    """Whether it was still running."""
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def is_whole_or_absent(out):
    if read_summary(out) is None:
        return not (out / SUMMARY).exists()
    return len(list(read_results(out))) == read_summary(out).frames


def test_one_recording(tmp_path, capsys):
    clip, model = red_clip(tmp_path / "a.mp4", FRAMES), red_model(tmp_path)
    out, chance, counts = tmp_path / "out", random.Random(22), Counter()
    for _ in range(KILLS):
        killed = kill(start(clip, "--out", out, "--model", model), chance.uniform(0.2, LONGEST_S))
        counts["killed" if killed else "done before"] += 1
        assert is_whole_or_absent(out)

    assert start(clip, "--out", out, "--model", model).wait(LIMIT_S) == 0
    with capsys.disabled():
        print(f"\none recording: {dict(counts)}")
    assert sorted(path.name for path in out.iterdir()) == [RESULTS, SUMMARY]
    assert read_summary(out).frames == FRAMES


def test_many_recordings(tmp_path, capsys):
    videos, model = tmp_path / "videos", red_model(tmp_path)
    videos.mkdir()
    for name in "abcdef":
        red_clip(videos / f"{name}.mp4", FRAMES // 4)
    out, chance, counts = tmp_path / "out", random.Random(22), Counter()
    command = (videos, "--out", out, "--model", model, "--workers", 2)
    for _ in range(KILLS):
        counts["killed" if kill(start(*command), chance.uniform(0.2, LONGEST_S)) else "done before"] += 1
        assert all(is_whole_or_absent(folder) for folder in out.glob("*/"))

    assert start(*command).wait(LIMIT_S) == 0
    rows = json.loads((out / "manifest.json").read_text())["rows"]
    with capsys.disabled():
        print(f"\nmany recordings: {dict(counts)}")
    assert [(row["state"], row["frames"]) for row in rows] == [("done", FRAMES // 4)] * 6
    left = {path.name for path in out.rglob("*") if path.name.startswith(".")}
    assert not {name for name in left if "analysing" in name or name.endswith(".part")}
