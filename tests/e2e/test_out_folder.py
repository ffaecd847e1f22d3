"""What `analyse` may remove, and when it believes what lies in its folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from engine.analysis import cli as analyse_cli
from engine.analysis.results import is_whole, read_summary
from engine.files.lock import held
from engine.files.output_folder import ASIDE_PREFIX, LOCK
from tests.fixtures.models import red_model
from tests.fixtures.red_clips import red_clip, red_stills

FRAMES = 5


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return red_model(tmp_path_factory.mktemp("models"))


@pytest.fixture
def clip(tmp_path):
    return red_clip(tmp_path / "red.mp4", FRAMES)


@pytest.fixture
def analyse(model, capsys):
    def run(*arguments):
        words = [*map(str, arguments), "--model", str(model)]
        if "--workers" in words:  # worker processes: of a process of their own
            done = subprocess.run(
                [sys.executable, "main.py", "analyse", *words], capture_output=True, text=True, check=False
            )
            return done.returncode, done.stderr
        return analyse_cli.main(words), capsys.readouterr().err

    return run


def forge(out, names):
    path = out / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"files": names}))


def test_names_that_a_summary_was_given_by_somebody_else_are_never_removed(analyse, clip, tmp_path):
    out, victim = tmp_path / "out", tmp_path / "victim"
    assert analyse(clip, "--out", out)[0] == 0
    victim.mkdir()
    (victim / "thesis.txt").write_text("years of work")
    (out / "notes.txt").write_text("mine")
    forge(out, ["../victim", str(victim), "notes.txt", "../victim/thesis.txt"])

    assert analyse(clip, "--out", out)[0] == 0

    assert (victim / "thesis.txt").read_text() == "years of work"
    assert (out / "notes.txt").read_text() == "mine"
    assert read_summary(out).frames == FRAMES


def test_a_folder_named_overlay_that_holds_something_else_is_left_alone(analyse, clip, tmp_path):
    out = tmp_path / "out"
    assert analyse(clip, "--out", out)[0] == 0
    (out / "overlay").mkdir()
    (out / "overlay" / "holiday.jpg").write_bytes(b"mine")
    forge(out, ["results.jsonl", "overlay"])

    code, said = analyse(clip, "--out", out)

    assert code == 2
    assert "overlay" in said
    assert (out / "overlay" / "holiday.jpg").read_bytes() == b"mine"


def test_an_overlay_that_is_a_link_is_not_followed(analyse, tmp_path):
    stills, out, elsewhere = red_stills(tmp_path / "stills"), tmp_path / "out", tmp_path / "elsewhere"
    assert analyse(stills, "--out", out, "--overlay")[0] == 0
    (out / "overlay").rename(elsewhere)
    (out / "overlay").symlink_to(elsewhere)

    assert analyse(stills, "--out", out, "--overlay")[0] == 2

    assert len(list(elsewhere.iterdir())) == 3


def test_stills_that_were_drawn_before_are_replaced(analyse, tmp_path):
    stills, out = red_stills(tmp_path / "stills"), tmp_path / "out"
    assert analyse(stills, "--out", out, "--overlay")[0] == 0

    assert analyse(stills, "--out", out)[0] == 0

    assert sorted(path.name for path in out.iterdir()) == ["results.jsonl", "summary.json"]


def test_many_recordings_are_not_written_through_a_link(analyse, clip, tmp_path):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "results.jsonl").write_text("of another study")
    out.mkdir()
    (out / "red.mp4").symlink_to(elsewhere)

    code, said = analyse(clip, "--workers", 1, "--out", out)

    assert code == 1
    assert "is a link" in said
    assert (elsewhere / "results.jsonl").read_text() == "of another study"


def test_what_a_killed_run_left_is_removed_by_the_next(analyse, clip, tmp_path):
    out = tmp_path / "out"
    (out / f"{ASIDE_PREFIX}dead").mkdir(parents=True)
    (out / f"{ASIDE_PREFIX}dead" / "results.jsonl").write_text("half")

    assert analyse(clip, "--out", out)[0] == 0

    assert sorted(path.name for path in out.iterdir()) == ["results.jsonl", "summary.json"]


def test_a_second_run_into_one_folder_is_refused_and_harms_nothing(analyse, clip, tmp_path):
    out = tmp_path / "out"
    assert analyse(clip, "--out", out)[0] == 0
    whole = (out / "results.jsonl").read_bytes()

    with held(out / LOCK):
        done = subprocess.run(
            [sys.executable, "main.py", "analyse", clip, "--out", out],
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 2
    assert "another" in done.stderr
    assert (out / "results.jsonl").read_bytes() == whole


def test_a_recording_whose_results_were_emptied_is_done_again(analyse, clip, tmp_path):
    out = tmp_path / "out"
    assert analyse(clip, "--workers", 1, "--out", out)[0] == 0
    path = out / "red.mp4" / "results.jsonl"
    whole = path.read_bytes()
    path.write_bytes(b"")

    assert analyse(clip, "--workers", 1, "--out", out)[0] == 0

    assert path.read_bytes() == whole


def test_results_are_whole_until_a_byte_of_them_changes(analyse, clip, tmp_path):
    out = tmp_path / "out"
    assert analyse(clip, "--out", out)[0] == 0
    summary, path = read_summary(out), out / "results.jsonl"
    assert is_whole(out, summary)

    data = path.read_bytes()
    path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    assert not is_whole(out, summary)

    path.unlink()
    assert not is_whole(out, summary)


def test_results_are_on_the_disk_before_they_have_their_names(analyse, clip, tmp_path, monkeypatch):
    synced, fsync = set(), os.fsync

    def remember(handle):
        synced.add(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", remember)
    out = tmp_path / "out"
    assert analyse(clip, "--out", out, "--overlay")[0] == 0

    for name in ("results.jsonl", "overlay.mp4", "summary.json", "."):
        assert (out / name).stat().st_ino in synced, name
