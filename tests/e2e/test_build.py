"""The build of an engine as a job: real processes, and a compiler that does as told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from engine.files.whole import HOME_VARIABLE, read_json_lines
from engine.jobs.folder import CANCEL, EVENTS
from tests.fixtures.models import red_model

WAIT_S = 20.0


@pytest.fixture
def start(tmp_path):
    """Starts the job; whatever still runs is killed at the end."""
    started = []
    model = red_model(tmp_path)

    def start(*arguments, module="tests.fixtures.slow_build"):
        own = [str(tmp_path / "run"), str(model)] if module.startswith("tests.") else [str(model)]
        process = subprocess.Popen(
            [sys.executable, "-m", module, *own, *arguments],
            env=os.environ | {HOME_VARIABLE: str(tmp_path / "home")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def events(tmp_path):
    path = tmp_path / "run" / EVENTS
    return list(read_json_lines(path)) if path.exists() else []


def until_it_waits(tmp_path):
    ends_s = time.monotonic() + WAIT_S
    while not any(event.get("name") == "waiting" for event in events(tmp_path)):
        assert time.monotonic() < ends_s, events(tmp_path)
        time.sleep(0.02)


def test_a_build_tells_its_stages_and_how_near_the_masks_are(start, tmp_path):
    process = start()
    out, err = process.communicate(timeout=WAIT_S)
    kinds = [event["kind"] for event in events(tmp_path)]

    assert process.returncode == 0, err
    assert kinds == ["start", "stage", "metric", "done"]
    assert "max |dp| 0.010, Dice between the masks 0.9980" in out


def test_masks_are_compared_on_the_pictures_of_a_folder(start, tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((20, 30, 3), np.uint8))
    process = start("--frames", str(tmp_path))
    out, err = process.communicate(timeout=WAIT_S)

    assert "on 3 frames" in out, err


@pytest.mark.parametrize("way", ["ctrl-c", "sigterm", "file"])
def test_a_cancelled_build_ends_at_once_and_leaves_nothing_half_written(start, tmp_path, way):
    process = start("--precision", "slow")
    until_it_waits(tmp_path)
    if way == "file":
        (tmp_path / "run" / CANCEL).touch()
    else:
        process.send_signal(signal.SIGINT if way == "ctrl-c" else signal.SIGTERM)
    process.communicate(timeout=WAIT_S)

    assert process.returncode == 4
    assert events(tmp_path)[-1]["outcome"] == "cancelled"
    assert list((tmp_path / "home" / "cache" / "engines" / "tensorrt").iterdir()) == []


def test_what_cannot_be_built_is_a_sentence_and_exit_code_2(start, tmp_path):
    process = start("--precision", "f12")
    _, err = process.communicate(timeout=WAIT_S)

    assert process.returncode == 2
    assert "Found 'f12' instead of" in err
    assert [event["kind"] for event in events(tmp_path)][-2:] == ["fault", "done"]


def test_without_tensorrt_or_a_gpu_the_real_job_says_what_is_missing(start):
    from engine.runtime.nvidia.gpu import nvidia_gpus

    if nvidia_gpus():
        pytest.skip("there is a GPU")
    process = start(module="engine.runtime.build")
    _, err = process.communicate(timeout=WAIT_S)

    assert process.returncode == 2
    assert "torch_tensorrt" in err or "tensorrt" in err or "GPU" in err


def test_measuring_keeps_a_choice_that_auto_then_stands_for(tmp_path, monkeypatch):
    from engine.model_folder import load_model_folder
    from engine.runtime import measured_choice, open_runtime
    from engine.runtime.base import RuntimeOptions

    home = tmp_path / "home"
    model = load_model_folder(red_model(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "engine.runtime.auto.measure", str(model.path), "--background"],
        env=os.environ | {HOME_VARIABLE: str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    monkeypatch.setenv(HOME_VARIABLE, str(home))
    choice = measured_choice(model, RuntimeOptions())
    runtime = open_runtime("auto", model)

    assert done.returncode == 0, done.stderr
    assert "| openvino f32" in done.stdout
    assert (runtime.info.name, runtime.info.precision) == (choice.chosen.runtime, choice.chosen.precision)
    runtime.close()
