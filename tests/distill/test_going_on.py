"""What was trained is never lost, and nothing damaged is gone on from without a word."""

import errno
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from distill.__main__ import main
from distill.data.index import load_index
from distill.recipe import load_recipe
from distill.runs import run_json
from engine.files.whole import read_json_lines
from tests.fixtures.own_images import own_data
from tests.fixtures.recipes import TINY

RECIPE = TINY.replace('pretrained = "weights/tiny.safetensors"\n', "").replace(
    "[student]", "checkpoint_every_steps = 1\n[student]"
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return own_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(RECIPE.replace("epochs = 1", "epochs = 2"))
    return path


@pytest.fixture(scope="module")
def whole(data, recipe, tmp_path_factory):
    """A run of four steps that was never interrupted."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    assert train("--recipe", recipe, "--run", run, "--data", data) == 0
    return run


@pytest.fixture(scope="module")
def stopped_once(data, recipe, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "stopped"
    assert train("--recipe", recipe, "--run", run, "--data", data, "--stop-after", 3) == 4
    return run


@pytest.fixture
def stopped(stopped_once, tmp_path):
    """A run that was stopped after three steps: the checkpoints of the third and of the second are there."""
    return shutil.copytree(stopped_once, tmp_path / "run")


def train(*words):
    return main(["train", *map(str, words)])


def state_of(run, name="state.json"):
    return json.loads((run / "checkpoints" / name).read_text())


def newest(run, name):
    return run / "checkpoints" / f"{name}-{state_of(run)['files']}.safetensors"


def same_weights(run, other):
    for name in ("model", "average", "optimiser"):
        ours, theirs = load_file(newest(run, name)), load_file(newest(other, name))
        if ours.keys() != theirs.keys() or not all(torch.equal(ours[key], theirs[key]) for key in ours):
            return False
    return True


def flip(path, byte=-5):
    data = bytearray(path.read_bytes())
    data[byte] ^= 1
    path.write_bytes(data)


DAMAGES = {
    "a flipped bit": flip,
    "a flipped bit in its header": lambda path: flip(path, 20),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["model", "average", "optimiser", "state.json"])
def test_a_damaged_newest_checkpoint_is_told_and_the_one_before_is_gone_on_from(
    name, damage, stopped, whole, data, caplog
):
    path = stopped / "checkpoints" / name
    DAMAGES[damage](path if path.suffix else newest(stopped, name))

    assert train("--resume", stopped, "--data", data) == 0

    assert "damaged" in caplog.text
    assert "going on from step 2" in caplog.text
    caplog.clear()
    warned = [event for event in read_json_lines(stopped / "events.jsonl") if event["kind"] == "warn"]
    assert any("damaged" in event["text"] for event in warned)
    assert same_weights(stopped, whole)


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"schema": 3}', "\xff", "[" * 100_000])
def test_a_state_that_is_no_state_is_a_damaged_one(text, stopped, data, caplog):
    (stopped / "checkpoints" / "state.json").write_bytes(text.encode("latin-1"))

    assert train("--resume", stopped, "--data", data) == 0
    assert "going on from step 2" in caplog.text
    caplog.clear()


def test_one_flipped_digit_of_the_step_is_seen(stopped, whole, data, caplog):
    path = stopped / "checkpoints" / "state.json"
    path.write_text(path.read_text().replace('"step": 3', '"step": 1'))

    assert train("--resume", stopped, "--data", data) == 0
    assert same_weights(stopped, whole)
    caplog.clear()


def test_with_no_whole_checkpoint_left_a_sentence_refuses_and_nothing_is_changed(stopped, data, capsys):
    for path in (stopped / "checkpoints").glob("model-*"):
        flip(path)
    before = {path.name: path.read_bytes() for path in (stopped / "checkpoints").iterdir()}

    assert train("--resume", stopped, "--data", data) == 2

    (said,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("polyplive:")]
    assert "model-0000003.safetensors is not what was saved" in said
    assert "model-0000002.safetensors is not what was saved" in said
    assert {path.name: path.read_bytes() for path in (stopped / "checkpoints").iterdir()} == before


def test_checkpoints_that_are_gone_are_not_taken_for_a_training_that_never_saved(stopped, data, capsys):
    shutil.rmtree(stopped / "checkpoints")

    assert train("--resume", stopped, "--data", data) == 2
    assert "are gone from" in capsys.readouterr().err


def test_a_best_epoch_whose_weights_are_damaged_does_not_end_the_training(data, recipe, tmp_path, caplog):
    run = tmp_path / "run"
    words = ("--set", "selection=validation", "--set", "stages.0.epochs=3", "--stop-after", 4)
    assert train("--recipe", recipe, "--run", run, "--data", data, *words) == 4
    for path in (run / "checkpoints").glob("best-*"):
        flip(path)

    assert train("--resume", run, "--data", data) == 0
    assert "without a best epoch so far" in caplog.text
    caplog.clear()
    assert (run / "checkpoints" / state_of(run)["weights"]).is_file()


def test_an_export_does_not_take_damaged_weights(stopped, data, caplog, capsys):
    from distill.judging.trained import trained_run
    from engine.faults import FaultError

    flip(newest(stopped, "average"))
    assert trained_run(stopped).weights  # of the one before
    assert "the one before is taken" in caplog.text
    caplog.clear()

    flip(stopped / "checkpoints" / "average-0000002.safetensors")
    with pytest.raises(FaultError, match="is not what was saved"):
        trained_run(stopped)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"recipe": 3}', "\xff"])
def test_a_damaged_run_json_is_a_sentence(text, stopped, data, capsys):
    (stopped / "run.json").write_bytes(text.encode("latin-1"))

    assert train("--resume", stopped, "--data", data) == 2
    assert "run.json is what says how, and it is damaged" in capsys.readouterr().err


def test_damaged_figures_are_set_aside_and_the_training_goes_on(stopped, data):
    (stopped / "metrics.json").write_text("[{")
    (stopped / "events.jsonl").write_bytes(b'{"kind": "start"}\n\xff\xfe torn')

    assert train("--resume", stopped, "--data", data) == 0
    assert [row["epoch"] for row in json.loads((stopped / "metrics.json").read_text())] == [1]
    assert (stopped / "metrics-damaged.json").read_text() == "[{"


@pytest.fixture
def killed_early(data, recipe, tmp_path):
    """A run that was ended before its first checkpoint, half a file of it left."""
    run = tmp_path / "early"
    (run / "checkpoints").mkdir(parents=True)
    (run / "run.json").write_text(json.dumps(run_json(load_recipe(str(recipe)), data)))
    (run / "events.jsonl").write_text('{"v":1,"n":1,"t":1.0,"kind":"start"}\n{"v":1,')
    (run / "checkpoints" / "model-0000001.safetensors").write_bytes(b"half")
    (run / "checkpoints" / ".average-0000001.safetensors.x.part").write_bytes(b"half")
    return run


def test_a_training_killed_before_its_first_checkpoint_is_resumed_from_the_beginning(
    killed_early, whole, data, caplog
):
    assert train("--resume", killed_early, "--data", data) == 0

    assert "starting from the beginning" in caplog.text
    caplog.clear()
    assert same_weights(killed_early, whole)
    assert not list((killed_early / "checkpoints").glob(".*"))


def test_a_training_killed_before_its_first_checkpoint_is_started_again_in_its_folder(
    killed_early, whole, recipe, data
):
    assert train("--recipe", recipe, "--run", killed_early, "--data", data) == 0
    assert same_weights(killed_early, whole)
    assert train("--recipe", recipe, "--run", killed_early, "--data", data) == 2  # now it holds a run


def test_a_refused_start_leaves_no_run_folder(recipe, data, tmp_path, capsys):
    run = tmp_path / "deep" / "run"
    words = ("--recipe", recipe, "--run", run, "--data", data)

    assert train(*words, "--set", "student.start=no-such-model") == 2
    assert train(*words, "--set", 'data.validation_groups=["not-here"]') == 3
    assert not run.parent.exists()
    assert capsys.readouterr().err.count("polyplive:") == 2


def test_a_refused_start_takes_nothing_from_a_folder_that_was_there(recipe, data, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    assert train("--recipe", recipe, "--run", tmp_path, "--data", data, "--set", "student.start=no") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_full_disk_ends_a_training_in_a_sentence_with_what_was_saved_intact(
    data, recipe, whole, tmp_path, monkeypatch, capsys
):
    from distill.train import checkpoint

    run, real = tmp_path / "run", checkpoint.write_bytes

    def full(path, content):
        if path.name == "average-0000003.safetensors":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        real(path, content)

    monkeypatch.setattr(checkpoint, "write_bytes", full)
    assert train("--recipe", recipe, "--run", run, "--data", data) == 2
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert f"python -m distill train --resume {run}" in said
    assert not list((run / "checkpoints").glob("*0000003*"))  # half a checkpoint takes no room
    assert state_of(run)["progress"]["step"] == 2

    monkeypatch.undo()
    assert train("--resume", run, "--data", data) == 0
    assert same_weights(run, whole)


def start(*words, limit_bytes=None):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    return subprocess.Popen(
        [sys.executable, "-m", "distill", "train", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=limit if limit_bytes else None,
    )


def test_a_disk_that_takes_no_first_checkpoint_leaves_one_sentence_and_no_folder(data, recipe, tmp_path):
    process = start("--recipe", recipe, "--run", tmp_path / "run", "--data", data, limit_bytes=100_000)
    told, _ = process.communicate(timeout=300)

    assert process.returncode == 2, told
    assert "Traceback" not in told
    assert "could not be written (File too large)" in told
    assert not (tmp_path / "run" / "run.json").exists()


@pytest.mark.slow
def test_twenty_kills_at_any_moment_and_each_goes_on_to_the_same_weights(
    data, recipe, whole, tmp_path, caplog
):
    moments = random.Random(22)
    begun_s = time.monotonic()
    process = start("--recipe", recipe, "--run", tmp_path / "timed", "--data", data)
    assert process.wait(300) == 0
    whole_s = time.monotonic() - begun_s
    assert len(load_index(data).records) == 12

    for number in range(20):
        run = tmp_path / f"run-{number}"
        process = start("--recipe", recipe, "--run", run, "--data", data)
        try:
            # Most of the time is imports: the moments lie where something is written.
            process.wait(moments.uniform(0.4, 1.0) * whole_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        began = (run / "run.json").is_file()
        words = ("--resume", run) if began else ("--recipe", recipe, "--run", run)
        assert train(*words, "--data", data) == 0
        assert same_weights(run, whole), number
    caplog.clear()
