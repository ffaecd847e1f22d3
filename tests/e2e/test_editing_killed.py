"""A window that is killed while masks are edited: what is older than a second is there, without repair."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time

import pytest

from engine.drawing.rle import decode
from engine.review.edits import Edits
from engine.review.places import Places
from engine.review.store import open_side_car

LOST_S = 1.0
CARRIED = range(20, 25)
# The window's part of it: strokes are seen at once, and kept in the side-car's thread.
EDITOR = """
import json, random, sys, time
from pathlib import Path
import numpy as np
from PySide6.QtCore import QCoreApplication, QTimer
from app.review.editing.frames import Frames
from app.review.side_car import SideCarThread
from engine.review.editing.brush import stroked
from engine.review.edits import Edits, mask_act
from engine.review.places import Places
from engine.review.store import open_side_car

video, library, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
application, chance, opened = QCoreApplication([]), random.Random(seed), []
thread = SideCarThread(lambda: open_side_car([video], Places(library)))

def ask(work, done=None):
    def act(car):
        if not opened:
            opened.append(Edits(car.database))
        return work(opened[0])
    thread.ask(act, done)

frames, CARRIED = Frames(ask), range(20, 25)
frames.reload()
number = 0

def stroke():
    global number
    if not frames.is_known:
        return
    number += 1
    rank = chance.randrange(9)
    if number % 5 == 0:
        frames.undo(rank)
        return
    at = (chance.uniform(0, 320), chance.uniform(0, 240))
    mask = stroked(np.zeros((240, 320), np.uint8), [at], 5 + number % 20, 1)
    if number % 6 == 0:
        carried = [mask_act(one, 1, mask, f"carried {number}") for one in CARRIED]
        frames.do_many(carried, CARRIED, lambda stroke: None)
        return
    if number % 7 == 0:
        ask(lambda edits, own=number: edits.bookmark(own, f"note {own}"))
        print(json.dumps({"number": number, "at_s": time.time(), "note": f"note {number}"}), flush=True)
        return
    frames.do(rank, [mask_act(rank, 1, mask, f"stroke {number}")])
    print(json.dumps({"number": number, "at_s": time.time(), "area": int(mask.sum())}), flush=True)

timer = QTimer()
timer.timeout.connect(stroke)
timer.start(5)
application.exec()
"""


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 21))])
def test_what_was_drawn_a_second_ago_is_there_after_a_kill(seed, tmp_path):
    video, library = tmp_path / "a.mp4", tmp_path / "library"
    video.write_bytes(b"pictures" * 1000)
    command = [sys.executable, "-c", EDITOR, str(video), str(library), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]  # it draws
        until_s = time.monotonic() + random.Random(seed).uniform(0.05, 1.5)
        while time.monotonic() < until_s:
            lines.append(process.stdout.readline())
        killed_s = time.time()
        process.kill()
        lines += process.stdout.readlines()
    drawn = [json.loads(line) for line in lines if line.endswith("\n")]

    with open_side_car([video], Places(library)) as car:
        assert car.database.row("PRAGMA integrity_check") == ("ok",)
        edits = Edits(car.database)
        kept = {
            act.value["source"]: act.value
            for rank in range(9)
            for act in edits.history(f"frame:{rank}")
            if act.kind == "mask"
        }
        carried = [edits.history(f"frame:{rank}") for rank in CARRIED]
        sources = [[act.value["source"] for act in some] for some in carried]
        assert all(one == sources[0] for one in sources)  # over all of its frames, or over none
        for one in drawn:
            if "note" in one:
                assert edits.bookmarks.get(one["number"]) == one["note"] or one["at_s"] > killed_s - LOST_S
            elif one["at_s"] < killed_s - LOST_S:
                assert int(decode(kept[f"stroke {one['number']}"]["rle"]).sum()) == one["area"]
        newest = max(int(source.removeprefix("stroke ")) for source in kept)
        late = [one for one in drawn if "area" in one and one["number"] > newest]
        assert all(one["at_s"] > killed_s - LOST_S for one in late)
        edits.mask(3, 1, None, "goes on")  # and it can be written to
