"""The promotion log says which model is in use; it is added to, gone back in, and never lost."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from app import cli
from engine.doctor import storage
from engine.doctor.check_result import Level
from engine.faults import FaultCode, FaultError
from engine.files import chain, whole
from engine.files.chain import BrokenChain, append_to_chain, read_chain
from engine.files.lock import held
from engine.files.whole import HOME_VARIABLE, sha256_of
from engine.jobs.process import environment, python
from engine.model_card import CARD, ONNX
from engine.model_folder import default_model
from engine.model_in_use import kept_models, log_path, model_in_use, named_or_in_use, read_log
from engine.promotion import promote as promoting
from engine.promotion.acceptance import Acceptance, Parity, Side, write_acceptance
from engine.promotion.measures import Row, Where
from engine.promotion.promote import go_back, promote
from engine.settings import keep, settings_path
from tests.fixtures.models import red_model


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))


@pytest.fixture
def compared(tmp_path):
    """Makes the run folder of a finished comparison of a small model with the one in use."""

    def make(name: str, *, worse: bool = False):
        model = red_model(tmp_path / "made", model_id=name)
        run = tmp_path / "runs" / name
        run.mkdir(parents=True)
        write_acceptance(run, acceptance(model, worse=worse))
        return run

    return make


def acceptance(model, *, worse=False):
    running = model_in_use().path
    row = Row(
        where=Where.RECORDINGS, measure="dice", in_use=80, candidate=70, low=-12, high=-8, units=9, clusters=3
    )
    sides = (
        Side(id=path.name, sha256=sha256_of(path / CARD), path=str(path), engine="openvino f32")
        for path in (running, model)
    )
    in_use, candidate = sides
    return Acceptance(
        made_utc=datetime.now(UTC).isoformat(),
        source=str(model),
        app="1",
        in_use=in_use,
        candidate=candidate,
        parity=Parity(stored_dice=None, max_dp=0, mask_dice=1, pooled_dice=1, images=24),
        rows=(row,) if worse else (),
        data=(),
        took_s=1.0,
    )


def test_the_factorys_model_is_in_use_until_another_one_is_promoted(compared):
    assert model_in_use().path == default_model()
    assert model_in_use().is_factory

    promotion = promote(compared("first"))

    found = model_in_use()
    assert found.path == kept_models() / promotion.model.folder
    assert storage.model_in_use().text.startswith(f"{promotion.model.folder}, since 20")
    assert found.promotion == promotion
    assert named_or_in_use(None) == found.path
    assert named_or_in_use(default_model().name) == default_model()
    assert promotion.replaces.id == default_model().name
    assert promotion.who
    assert promotion.app
    assert promotion.engine == "openvino f32"


def test_going_back_leads_through_the_models_before_and_never_to_what_was_left(compared):
    first = promote(compared("first"))
    promote(compared("second"))

    assert go_back().model == first.model
    third = promote(compared("third"))
    assert third.replaces == first.model
    assert go_back("it was worse on Monday").model == first.model
    assert go_back().model.id == default_model().name
    with pytest.raises(FaultError, match="No other model was in use"):
        go_back()
    assert [one.kind for one in read_log()] == ["use", "use", "back", "use", "back", "back"]
    assert model_in_use().path == default_model()
    assert len(list(kept_models().iterdir())) == 3  # earlier ones stay


def test_a_candidate_that_is_worse_needs_a_reason_which_is_kept(compared):
    run = compared("worse", worse=True)

    with pytest.raises(FaultError, match=r"worse on the locked recordings \(Dice on frames with a polyp\)"):
        promote(run, "  ")
    assert read_log() == ()
    assert promote(run, "only for the study").reason == "only for the study"


def test_a_comparison_with_a_model_that_is_not_in_use_any_more_counts_no_more(compared):
    early = compared("early")
    promote(compared("other"))

    with pytest.raises(FaultError, match="Compare again"):
        promote(early)


def test_a_candidate_that_changed_since_it_was_compared_is_not_used(compared, tmp_path):
    run = compared("first")
    card = json.loads((tmp_path / "made" / "first" / CARD).read_text())
    (tmp_path / "made" / "first" / CARD).write_text(json.dumps(card | {"licence": "another"}))

    with pytest.raises(FaultError, match="has changed since it was compared"):
        promote(run)


@pytest.mark.parametrize("harm", ["a word is changed", "a line is taken out", "the end is cut off"])
def test_a_damaged_log_is_told_and_never_overwritten_and_the_factorys_model_runs(compared, harm):
    promote(compared("first"))
    promote(compared("second"))
    third = compared("third")
    text = log_path().read_text()
    lines = text.splitlines(keepends=True)
    damaged = {
        "a word is changed": text.replace('"use"', '"was"', 1),
        "a line is taken out": lines[1],
        "the end is cut off": text[:-3],
    }[harm]
    log_path().write_text(damaged)

    found = model_in_use()

    assert found.path == default_model()
    assert found.fault is not None
    assert "is not as it was written" in str(found.fault)
    for change in (go_back, lambda: promote(third)):
        with pytest.raises(FaultError, match="is not as it was written"):
            change()
    assert log_path().read_text() == damaged
    assert storage.model_in_use().level is Level.WARN


@pytest.mark.parametrize(("name", "why"), [(ONNX, "student.onnx"), (CARD, "model.json")])
def test_a_promoted_model_with_a_file_that_is_gone_is_told_and_the_factorys_runs(compared, name, why):
    promote(compared("first"))
    second = promote(compared("second"))
    (kept_models() / second.model.folder / name).unlink()

    found = model_in_use()

    assert found.path == default_model()
    assert found.fault is not None
    assert found.fault.code is FaultCode.MODEL_MISSING
    assert why in str(found.fault)
    go_back()  # the way on that the sentence names
    assert model_in_use().fault is None


def test_a_full_disk_leaves_nothing_under_a_final_name_and_the_log_as_it_was(compared, monkeypatch):
    promote(compared("first"))
    run, before = compared("second"), log_path().read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(promoting.shutil, "copyfile", full)
        with pytest.raises(FaultError, match="No space left"):
            promote(run)
    assert len(list(kept_models().iterdir())) == 1
    with monkeypatch.context() as patch:
        patch.setattr(whole.os, "fsync", full)
        with pytest.raises(FaultError, match="No space left"):
            promoting._write("use", read_log()[0].model, read_log()[0].replaces, "")
    assert log_path().read_bytes() == before
    assert [path.name for path in log_path().parent.glob(".promotions*")] == []


def test_two_promotions_at_once_take_turns_or_are_told(compared, monkeypatch):
    run = compared("first")
    monkeypatch.setattr(promoting, "WAIT_S", 0.05)
    log_path().parent.mkdir(parents=True, exist_ok=True)

    with (
        held(log_path().with_suffix(".lock")),
        pytest.raises(FaultError, match="no other promotion is under way"),
    ):
        promote(run)
    assert promote(run).model.id == "first"


def test_a_model_of_a_newer_program_is_refused_in_a_sentence(compared, tmp_path):
    run = compared("newer")
    card = json.loads((tmp_path / "made" / "newer" / CARD).read_text())
    (tmp_path / "made" / "newer" / CARD).write_text(json.dumps(card | {"schema": 99}))

    with pytest.raises(FaultError, match="Update the program"):
        promote(run)


def test_a_window_starts_with_the_promoted_model_and_not_with_one_that_was_tried(compared, monkeypatch):
    launches = []
    window = SimpleNamespace(run=lambda launch: launches.append(launch) or 0)
    monkeypatch.setitem(sys.modules, "app.application", window)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    tried, once = "polyp-accurate-5", "polyp-accurate-6"

    def starts_with(*arguments):
        assert cli.main([*arguments]) == 0
        return launches[-1].model

    assert starts_with() is None
    keep(settings_path(), {"ai.model": tried})
    assert starts_with() == tried
    promotion = promote(compared("first"))
    assert starts_with() == str(kept_models() / promotion.model.folder)
    assert starts_with("--model", once) == starts_with("--set", f"ai.model={once}") == once
    assert launches[-1].faults == ()
    log_path().write_text("{}")
    assert starts_with() is None
    assert "is not as it was written" in launches[-1].faults[0].sentence


def test_a_process_killed_while_it_adds_lines_leaves_whole_ones(tmp_path):
    path = tmp_path / "log.jsonl"
    code = (
        "import sys; from pathlib import Path; from engine.files.chain import append_to_chain\n"
        "for number in range(100_000): append_to_chain(Path(sys.argv[1]), {'number': number, 'x': 'x' * 500})"
    )
    process = subprocess.Popen(python("-c", code, str(path)), env=environment())
    try:
        while not path.exists() or path.stat().st_size < 5000:
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.wait()

    numbers = [line["number"] for line in read_chain(path)]
    append_to_chain(path, {"number": "after"})

    assert numbers == [*range(len(numbers))]
    assert read_chain(path)[-1] == {"number": "after"}


def test_lines_that_changed_places_are_no_chain(tmp_path):
    path = tmp_path / "log.jsonl"
    for number in range(3):
        append_to_chain(path, {"number": number})
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + third + second)

    with pytest.raises(BrokenChain, match="line 2: it does not follow"):
        read_chain(path)
    assert chain.read_chain(tmp_path / "none.jsonl") == ()
