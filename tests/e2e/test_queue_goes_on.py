"""A queue of recordings analysed by processes: one after the other, paused, gone on with, bad ones told."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from engine.files.whole import HOME_VARIABLE
from engine.jobs.process import ROOT
from engine.review.database import DATABASE
from engine.review.library.index import Library
from engine.review.library.queue import Queue, State, Wanted
from engine.review.library.working import Worker
from engine.review.maps import CHUNK
from engine.review.places import Places
from engine.review.store import open_side_car
from tests.fixtures.recorder import following_model, recorder_clip

FRAMES = 2 * CHUNK + 10
NAMES = tuple(f"{letter}.mp4" for letter in "abcdefgh")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorder")
    return recorder_clip(folder / "clip.mp4", FRAMES, range(30, 90), -1), following_model(folder)


@pytest.fixture
def worker(tmp_path):
    return Worker(
        Queue(tmp_path / "queue.db"),
        Library(tmp_path / "library.db"),
        Places(tmp_path / "kept"),
        threading.Event().wait,
    )


@contextmanager
def at_work(worker):
    """In a thread, as the window has it."""
    end = threading.Event()
    thread = threading.Thread(target=replace(worker, wait=end.wait).work)
    thread.start()
    try:
        yield end
    finally:
        end.set()
        thread.join()


def until(condition, patience_s=60.0):
    give_up_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < give_up_s
        time.sleep(0.02)


def test_a_bad_file_says_why_and_stops_nobody_and_what_is_open_elsewhere_waits(worker, made, tmp_path):
    clip, model = made
    reviewed = tmp_path / "reviewed.mp4"
    reviewed.write_bytes(b"whatever")
    good = tmp_path / "good.mp4"
    shutil.copy(clip, good)
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video at all" * 1000)
    gone = tmp_path / "gone.mp4"
    worker.queue.add([Wanted((path,)) for path in (reviewed, bad, gone, good)], model, "standard")

    with open_side_car([reviewed], worker.places), at_work(worker):
        until(lambda: len(worker.library.entries()) == 1 and len(worker.queue.items()) == 3)

    waits, *failed = worker.queue.items()
    assert (waits.state, waits.paths) == (State.WAITING, (reviewed,))
    assert [one.paths[0].name for one in failed] == ["bad.mp4", "gone.mp4"]
    assert all(one.state is State.FAILED for one in failed)
    assert "bad.mp4" in failed[0].why
    assert "cannot be read" in failed[1].why
    assert not bad.with_name("bad.mp4.review").exists()
    (entry,) = worker.library.entries()
    assert (entry.title, entry.done, entry.findings) == ("good.mp4", True, 1)


@pytest.mark.slow
def test_what_was_stopped_in_the_middle_goes_on_where_it_stood(worker, made):
    clip, model = made
    worker.queue.add([Wanted((clip,))], model, "standard")
    with at_work(worker):
        until(lambda: any(one.done for one in worker.queue.items()))
    (left,) = worker.queue.items()
    assert CHUNK <= left.done < FRAMES
    with at_work(worker):
        until(lambda: not worker.queue.items())
    assert worker.library.entries()[0].done


@pytest.mark.slow
def test_a_window_killed_at_twenty_moments_loses_nothing_of_the_queue(made, tmp_path):
    clip, model = made
    home = tmp_path / "home"
    paths = [shutil.copy(clip, tmp_path / name) for name in NAMES]
    queue, library = Queue(home / "data" / "queue.db"), Library(home / "data" / "library.db")
    queue.add([Wanted((path,)) for path in paths], model, "standard")
    for path in paths[1:]:  # the same pictures are the same recording
        with path.open("ab") as stream:
            stream.write(path.name.encode())
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", HOME_VARIABLE: str(home)}
    chance, killed_at_work = random.Random(7), 0

    def window():
        return subprocess.Popen(
            [sys.executable, str(ROOT / "main.py")], env=environment, stderr=subprocess.DEVNULL
        )

    for turn in range(20):  # while it starts, and while it analyses
        if not queue.items():
            break  # a quick machine
        queue.begin()  # what is seen at work is at work now
        process = window()
        if turn % 2:
            until(lambda: any(one.state is State.WORKING and one.done < FRAMES for one in queue.items()))
        time.sleep(3 * chance.random())
        killed_at_work += bool(turn % 2)
        process.kill()
        process.wait()
    process = window()
    try:
        until(lambda: all(one.state is State.FAILED for one in queue.items()), 400)
    finally:
        process.terminate()
        ended = process.wait(60)
    assert [one.why for one in queue.items()] == []
    assert ended == 0

    assert killed_at_work > 3
    found = sorted((one.title, one.done, one.findings) for one in library.entries())
    assert found == [(name, True, 1) for name in NAMES]
    for path in paths:
        with closing(sqlite3.connect(path.with_name(f"{path.name}.review") / DATABASE)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("SELECT sum(frames) FROM chunk").fetchone() == (FRAMES,)
