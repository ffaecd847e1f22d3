"""`use`, from what is locked to the way back: two small models, one of which sees nothing."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.cli import main
from engine.analysis import cli as analyse_cli
from engine.faults import FaultError
from engine.files.whole import HOME_VARIABLE, sha256_of
from engine.jobs.ended import How
from engine.jobs.folder import EVENTS, RUN_JSON
from engine.jobs.process import Life
from engine.jobs.tail import Tail
from engine.model_card import CARD
from engine.model_folder import default_model, load_model_folder
from engine.model_in_use import kept_models, log_path, model_in_use, read_log
from engine.promotion import job, on_this_machine
from engine.promotion.acceptance import Verdict, read_acceptance
from engine.promotion.truth import truth_of
from engine.runtime.auto.choice import Choice, choice_facts, store_choice
from engine.runtime.auto.measure import EXACT
from tests.fixtures.recorder import HEIGHT_PX, POLYP, RADIUS_PX, WIDTH_PX, following_model, recorder_clip

FRAMES, SEEN, FLASH = 50, range(10, 40), 45
SPOT = (40, 40)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A home of its own, a small model as the factory's, and a short recording as the demonstration."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    steady = following_model(tmp_path / "factory")
    monkeypatch.setattr("engine.model_in_use.factory", lambda: steady)
    monkeypatch.setattr("engine.promotion.promote.factory", lambda: steady)
    clip = recorder_clip(tmp_path / "screen.mp4", FRAMES, SEEN, FLASH)
    masks = tmp_path / "screen_masks"
    masks.mkdir()
    for number in range(FRAMES):
        mask = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
        if number in SEEN:
            cv2.circle(mask, POLYP, RADIUS_PX, 255, cv2.FILLED)
        cv2.imwrite(str(masks / f"{number:03d}.png"), mask)
    monkeypatch.setattr(job, "demonstration", lambda: truth_of(clip))
    monkeypatch.setattr(on_this_machine, "FRAMES", 20)
    pictures = list(np.random.default_rng(0).integers(0, 255, (4, 96, 96, 3), np.uint8))
    monkeypatch.setattr(on_this_machine, "_of_size", lambda size: pictures)
    return tmp_path


def images(root):
    """Eight with a red spot, eight without, each a group."""
    (root / "images").mkdir(parents=True)
    (root / "masks").mkdir()
    for number in range(16):
        picture, mask = np.full((96, 128, 3), 120 + number, np.uint8), np.zeros((96, 128), np.uint8)
        if number % 2:
            cv2.circle(picture, SPOT, 14, (0, 0, 255), cv2.FILLED)
            cv2.circle(mask, SPOT, 14, 255, cv2.FILLED)
        cv2.imwrite(str(root / "images" / f"{number:02d}.png"), picture)
        cv2.imwrite(str(root / "masks" / f"{number:02d}.png"), mask)
    return root


def blind(folder):
    """The same network, so sure of nothing that no mark reaches its threshold."""
    path = following_model(folder, output={"kind": "logits", "temperature": 50.0})
    card = json.loads((path / CARD).read_text())
    card["presets"]["standard"] |= {"threshold": 0.99, "min_peak": 0.9, "hit_peak": 0.9}
    (path / CARD).write_text(json.dumps(card | {"id": "blind"}))
    store_choice(choice_facts(load_model_folder(path)), Choice(EXACT, ()))  # as if it was measured
    return path


def test_a_spoilt_model_is_told_needs_a_reason_runs_and_is_left_again(small, capsys):
    assert main(["use", "--lock", str(images(small / "set"))]) == 0
    run = job.begin(str(blind(small / "made")))
    assert job.main([str(run)]) == 0
    made = read_acceptance(run)

    assert made.verdict is Verdict.WORSE
    assert "worse on the locked images (images whose polyp is met" in made.sentence
    figures = {(row.where.value, row.measure): (row.in_use, row.candidate) for row in made.rows}
    assert figures["locked images", "images_met"] == (100.0, 0.0)
    assert figures["demonstration", "polyps_met"] == (100.0, 0.0)
    assert figures["demonstration", "false_0s"] == (0.0, 0.0)  # the flash is no finding
    in_use_ms, candidate_ms = figures["demonstration", "first_mark"]
    assert 100 <= in_use_ms <= 400 < candidate_ms == pytest.approx(1200.0)

    capsys.readouterr()
    assert main(["use", str(run), "--yes"]) == 2
    assert "Nothing was changed. To use it:" in capsys.readouterr().out
    assert read_log() == ()

    # What was compared is not compared again to say yes.
    assert main(["use", made.candidate.path, "--yes", "--reason", "a test"]) == 0
    (promotion,) = read_log()
    assert (promotion.reason, promotion.judged.verdict) == ("a test", "worse")
    assert promotion.judged.data.keys() == {"screen.mp4", "set"}
    assert promotion.model.sha256 == sha256_of(kept_models() / promotion.model.folder / CARD)
    assert model_in_use().path.name == promotion.model.folder
    assert analyse_cli.main([str(small / "screen.mp4"), "--out", str(small / "out")]) == 0
    assert json.loads((small / "out" / "summary.json").read_text())["model"]["id"] == "blind"

    assert main(["use", "--back"]) == 0
    assert job.finished(Path(made.candidate.path)) == run
    assert main(["use", "--unlock", str(small / "set")]) == 0
    assert job.finished(Path(made.candidate.path)) is None  # on other data, or by another program
    assert main(["use", "--lock", str(small / "set")]) == 0
    assert model_in_use().path.parent == small / "factory"
    assert main(["use", "--list"]) == 0
    told = capsys.readouterr().out
    assert "went back to following (the program's own)  <- in use" in told
    assert f"locked: {small / 'set'}, as it was locked" in told


def test_nothing_is_compared_on_what_is_not_what_was_locked(small, capsys):
    root = images(small / "set")
    assert main(["use", "--lock", str(root)]) == 0
    (root / "masks" / "03.png").unlink()
    run = job.begin(str(blind(small / "made")))

    assert job.main([str(run)]) == 3
    assert "changed since it was locked" in capsys.readouterr().err
    with pytest.raises(FaultError, match="no finished comparison"):
        read_acceptance(run)


def test_without_torch_a_run_is_refused_with_what_to_install_and_nothing_changes(small, monkeypatch, capsys):
    run = small / "runs" / "my-run"
    run.mkdir(parents=True)
    (run / RUN_JSON).write_text("{}")
    monkeypatch.setattr("engine.promotion.export.find_spec", lambda name: None)

    assert job.main([str(job.begin(str(run)))]) == 2
    assert "needs torch. Install it by pip install 'polyplive[train]'" in capsys.readouterr().err
    assert read_log() == ()


@pytest.mark.slow  # compares two models on all of the demonstration
@pytest.mark.parametrize("how", ["left alone", "killed", "asked to end"])
def test_a_comparison_is_a_process_that_changes_nothing_by_itself(how, tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    run = job.begin("polyp-accurate-5")
    process, tail = job.start(run, Life.DETACHED), Tail(run / EVENTS)
    stages: list[str] = []
    until = "none" if how == "left alone" else "runtime"
    try:
        while process.poll() is None and until not in stages:
            stages += [event.name for event in tail.look().events if event.kind == "stage"]
            time.sleep(0.05)
        if how == "killed":
            os.killpg(process.pid, signal.SIGKILL)
        elif how == "asked to end":
            process.ask()
        ended = process.end()
    finally:
        process.kill()

    assert not log_path().exists()
    assert model_in_use().path == default_model()
    if how == "left alone":
        assert ended.how is How.DONE
        assert stages == ["runtime", "parity", "latency", "demonstration"]
        assert read_acceptance(run).candidate.id == "polyp-accurate-5"
    else:
        assert ended.how is {"killed": How.KILLED, "asked to end": How.CANCELLED}[how]
        with pytest.raises(FaultError, match="no finished comparison"):
            read_acceptance(run)
