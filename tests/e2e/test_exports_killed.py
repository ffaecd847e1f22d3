"""An export that is killed at any moment: nothing half under a final name, and the same command does it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from distill.data.index import load_index
from engine.jobs.process import environment, python
from engine.review.edits import Edits
from engine.review.exports.dataset import check
from engine.review.exports.formats import FORMATS
from tests.fixtures.recorder import recorder_clip
from tests.fixtures.reviewed import EMPTY, OWN, RING, analysed, correct

pytestmark = pytest.mark.slow
TURNS = 20
MAIN = "import sys; from app.cli import main; sys.exit(main())"
ADD = """
import sys
from pathlib import Path
from engine.review.exports.dataset import add_to_data_set
from engine.review.review import Review
from engine.review.store import open_folder

with open_folder(Path(sys.argv[1]), write=False) as car:
    add_to_data_set(Review(car, car.analyses[0]), Path(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def side_car(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorder")
    clip = recorder_clip(folder / "clip.mp4", 60, range(15, 45), -1)
    with analysed(clip, folder) as car:
        correct(Edits(car.database))
        return car.folder


def is_killed(command: tuple[str, ...], begun: Path, chance: random.Random) -> bool:
    """Start it, kill it some time after `begun` is there; whether it was still at it."""
    with subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL) as process:
        while not begun.exists() and process.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0.0, 0.7))
        process.kill()
        return process.wait() != 0


def test_a_killed_export_is_not_there_and_the_same_command_makes_it(side_car, tmp_path):
    killed = 0
    for turn, name in zip(range(TURNS), [*FORMATS] * TURNS, strict=False):
        out = tmp_path / f"{turn}" / name
        command = python("-c", MAIN, "export", str(side_car), "--format", name, "--out", str(out))
        aside = out.parent / f".{name}.part"
        killed += is_killed(command, aside, random.Random(turn))
        if not out.exists():
            assert all(path.name.startswith(".") for path in out.parent.iterdir())
            subprocess.run(command, env=environment(), check=True, capture_output=True)
        counts = json.loads((out / "export.json").read_text())["counts"]
        assert all(counts.values())
        assert [path.name for path in out.parent.iterdir()] == [name]
    print(f"killed while it wrote: {killed} of {TURNS}", file=sys.stderr)
    assert killed


def test_a_data_set_has_whole_versions_alone_whenever_one_who_adds_is_killed(side_car, tmp_path):
    folder, killed = tmp_path / "set", 0
    command = python("-c", ADD, str(side_car), str(folder))
    for turn in range(TURNS):
        killed += is_killed(command, folder / ".adding", random.Random(turn))
        for version in folder.glob("v*"):
            check(version)
            ranks = sorted(one.frame for one in load_index(version).records)
            assert ranks == [RING, OWN, EMPTY]
    subprocess.run(command, env=environment(), check=True)
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(f"v{number + 1}" for number in range(len(names)))
    print(f"killed while it wrote: {killed} of {TURNS}", file=sys.stderr)
    assert killed
