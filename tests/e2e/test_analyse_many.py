"""`analyse` of many recordings as a person starts it: processes that are stopped, killed, started again."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import psutil
import pytest

from engine.analysis.many.task import PROGRESS
from engine.analysis.many.work_folder import WORK
from engine.analysis.results import read_results, read_summary
from engine.files.lock import held
from engine.files.output_folder import LOCK
from engine.files.whole import HOME_VARIABLE
from tests.fixtures.models import red_model
from tests.fixtures.red_clips import red_clip, red_picture

LONG_FRAMES = 600
WAIT_S = 60.0
PRODUCTS = ("overlay.mp4", "results.jsonl", "summary.json")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return red_model(tmp_path_factory.mktemp("models"))


@pytest.fixture
def videos(tmp_path):
    """A video, one of the same name below, and one that is none."""
    folder = tmp_path / "videos"
    (folder / "ward").mkdir(parents=True)
    red_clip(folder / "a.MP4", frames=10)
    red_clip(folder / "ward" / "a.MP4", frames=20)
    (folder / "letter.mp4").write_text("this is a letter, not a video\n" * 50)
    return folder


@pytest.fixture
def slow_list(tmp_path):
    """A list of a short video and two folders of stills that take a second or more."""
    red_clip(tmp_path / "short.mp4", frames=5)
    picture = cv2.imencode(".png", red_picture(0))[1].tobytes()
    for name in ("long1", "long2"):
        stills = tmp_path / name
        stills.mkdir()
        first = stills / "00000.png"
        first.write_bytes(picture)
        for number in range(1, LONG_FRAMES):
            (stills / f"{number:05d}.png").hardlink_to(first)
    path = tmp_path / "list.txt"
    path.write_text("short.mp4\nlong1\nlong2\n")
    return path


@pytest.fixture
def start(home, model):
    """Starts the command; what still runs at the end of the test is killed."""
    running = []

    def begin(*arguments, **options):
        process = subprocess.Popen(
            [sys.executable, "main.py", "analyse", *map(str, arguments), "--model", str(model)],
            env=os.environ | {HOME_VARIABLE: str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def analyse(start):
    """The command to its end: exit code and what it said."""

    def run(*arguments, **options):
        process = start(*arguments, **options)
        said, errors = process.communicate(timeout=WAIT_S)
        return process.returncode, said, errors

    return run


def rows_of(out):
    rows = json.loads((out / "manifest.json").read_text())["rows"]
    return {row["folder"]: row for row in rows}


def states_of(out):
    return {folder: row["state"] for folder, row in rows_of(out).items()}


def wait_for_workers(out, count=1):
    """The process numbers of those who are at a long one."""
    deadline_s = time.monotonic() + WAIT_S
    while time.monotonic() < deadline_s:
        texts = [path.read_text().split() for path in (out / WORK).glob(f"*/{PROGRESS}")]
        pids = {int(text[3]) for text in texts if len(text) == 4 and text[1] == str(LONG_FRAMES)}
        if len(pids) >= count:
            return sorted(pids)
        time.sleep(0.01)
    raise AssertionError("nobody is at it")


def is_gone(pid):
    deadline_s = time.monotonic() + WAIT_S
    while psutil.pid_exists(pid) and time.monotonic() < deadline_s:
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.01)
    return time.monotonic() < deadline_s


def test_a_folder_of_videos_becomes_a_folder_of_results_and_a_bad_one_is_told(analyse, videos, tmp_path):
    out = videos / "results"

    code, said, errors = analyse(videos, "--out", out, "--overlay", "--workers", 2)

    assert code == 1
    assert "2 done, 1 failed, 0 done before; 30 frames" in said
    assert "failed  letter.mp4: letter.mp4 cannot be played: a text file" in said
    assert "recordings" in errors
    assert states_of(out) == {"a.MP4": "done", "letter.mp4": "failed", "ward/a.MP4": "done"}
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()) == sorted(
        [f"{folder}/{name}" for folder in ("a.MP4", "ward/a.MP4") for name in PRODUCTS]
        + ["manifest.json", "summary.csv"]
    )
    with (out / "summary.csv").open() as stream:
        assert [(line["folder"], line["frames"]) for line in csv.DictReader(stream)] == [
            ("a.MP4", "10"),
            ("letter.mp4", "0"),
            ("ward/a.MP4", "20"),
        ]


def test_one_of_many_has_the_results_that_it_has_alone(analyse, videos, tmp_path):
    assert analyse(videos / "a.MP4", "--out", tmp_path / "alone")[0] == 0
    assert analyse(videos / "a.MP4", videos / "ward" / "a.MP4", "--out", tmp_path / "many")[0] == 0

    many = tmp_path / "many" / "a.MP4"
    assert list(read_results(many)) == list(read_results(tmp_path / "alone"))
    one, other = read_summary(many), read_summary(tmp_path / "alone")
    assert (one.source, one.frames, one.model, one.runtime, one.threshold, one.files) == (
        *(other.source, other.frames, other.model, other.runtime, other.threshold, other.files),
    )
    assert read_summary(tmp_path / "many" / "a.MP4~2").frames == 20


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_the_recording_of_a_killed_worker_is_done_again_and_nobody_else_is_disturbed(
    start, slow_list, tmp_path
):
    running = start(slow_list, "--out", tmp_path / "out", "--workers", 2)
    victim = wait_for_workers(tmp_path / "out")[0]

    os.kill(victim, signal.SIGKILL)
    _, errors = running.communicate(timeout=WAIT_S)

    assert running.returncode == 0, errors
    rows = rows_of(tmp_path / "out")
    assert {row["frames"] for row in rows.values()} == {5, LONG_FRAMES}
    assert sorted(row["tries"] for row in rows.values()) == [1, 1, 2]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_stopped_or_killed_it_goes_on_from_there(end, start, analyse, slow_list, tmp_path):
    out = tmp_path / "out"
    slow_list.write_text("short.mp4\nlong1\n")
    running = start(slow_list, "--out", out, "--workers", 1)
    (worker,) = wait_for_workers(out)

    if end == signal.SIGINT:
        os.killpg(running.pid, end)  # as a terminal does: to everybody
    else:
        running.send_signal(end)
    _, errors = running.communicate(timeout=WAIT_S)

    assert is_gone(worker)
    if end == signal.SIGINT:
        assert running.returncode == 4
        assert "Stopped: 1 of 2 are done; the same command goes on from there." in errors
        assert "Traceback" not in errors
        assert not (out / WORK).exists()
    assert not list(out.glob(f"{WORK}/*/results/summary.json"))  # the worker did not go on to the end
    assert states_of(out) == {"short.mp4": "done", "long1": "running" if end == signal.SIGKILL else "queued"}

    code, said, _ = analyse(slow_list, "--out", out)
    assert code == 0
    assert "1 done, 0 failed, 1 done before" in said
    assert not any(path.name.startswith(".") for path in out.rglob("*"))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_one_that_finds_no_room_for_its_results_fails_alone(analyse, slow_list, tmp_path):
    import resource

    (tmp_path / "second.mp4").write_bytes((tmp_path / "short.mp4").read_bytes())
    slow_list.write_text("short.mp4\nlong1\nsecond.mp4\n")
    analyse(tmp_path / "short.mp4", "--out", tmp_path / "first")  # the compiled model is kept by now

    code, said, _ = analyse(
        slow_list,
        "--out",
        tmp_path / "out",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )

    assert code == 1
    assert states_of(tmp_path / "out") == {"short.mp4": "done", "long1": "failed", "second.mp4": "done"}
    assert "(File too large). Choose another folder, or make room" in said
    assert not (tmp_path / "out" / "long1").exists()


def test_two_runs_into_one_folder_are_refused(analyse, videos, tmp_path):
    out = tmp_path / "out"
    out.mkdir()

    with held(out / LOCK):
        code, _, errors = analyse(videos, "--out", out)

    assert code == 2
    assert errors.startswith("Another run is writing into ")
    assert len(errors.splitlines()) == 1
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("arguments", [["empty", "--workers", "2"], ["missing", "--workers", "2"], ["same"]])
def test_bad_input_is_one_sentence_and_nothing_written(arguments, analyse, videos, tmp_path):
    (tmp_path / "empty").mkdir()
    source, *others = arguments
    path = videos if source == "same" else tmp_path / source
    out = videos if source == "same" else tmp_path / "out"
    before = sorted(tmp_path.rglob("*"))

    code, _, errors = analyse(path, *others, "--out", out)

    assert code == 2
    assert "Expected" not in errors
    assert len(errors.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_pictures_in_a_folder_are_one_recording_as_ever_and_its_videos_are_told_of(analyse, videos, tmp_path):
    (videos / "still.png").write_bytes(cv2.imencode(".png", red_picture(0))[1].tobytes())

    code, _, errors = analyse(videos, "--out", tmp_path / "out")

    assert code == 0
    assert "--workers" in errors
    assert read_summary(tmp_path / "out").frames == 1
    assert not Path(tmp_path / "out" / "manifest.json").exists()
