"""A job begins and ends in its folder the same way, whatever its work is and however it ends."""

import json

import pytest

from engine.faults import FaultCode, FaultError
from engine.files.lock import held
from engine.files.whole import read_json_lines
from engine.jobs.begun import begun
from engine.jobs.folder import CANCEL, CHECKPOINTS, EVENTS, LOCK, LOG, RUN_JSON, STATE

REFUSED = FaultError(FaultCode.ARGUMENT, "a recipe", "none", "name one")


def told(run, *fields):
    return [tuple(line.get(field) for field in fields) for line in read_json_lines(run / EVENTS)]


def test_a_job_that_comes_to_its_end_was_ok(tmp_path):
    with begun("train", tmp_path, run_id="a") as run:
        run.event("warn", text="hm")

    assert told(tmp_path, "kind", "job", "run_id", "outcome") == [
        ("start", "train", "a", None),
        ("warn", None, None, None),
        ("done", None, None, "ok"),
    ]


def test_a_job_that_tells_its_end_itself_tells_it_once(tmp_path):
    with begun("train", tmp_path) as run:
        run.event("done", outcome="cancelled")

    assert told(tmp_path, "outcome") == [(None,), ("cancelled",)]


@pytest.mark.parametrize(
    ("error", "code", "outcome"),
    [
        (REFUSED, "argument", "failed"),
        (ZeroDivisionError("by none"), "internal", "failed"),
        (KeyboardInterrupt(), None, "cancelled"),
    ],
)
def test_an_error_is_told_and_passes(tmp_path, error, code, outcome):
    with pytest.raises(type(error)), begun("train", tmp_path):
        raise error

    *_, before, last = told(tmp_path, "kind", "code", "outcome")
    assert last == ("done", None, outcome)
    assert before == (("fault", code, None) if code else ("start", None, None))


def test_what_was_asked_and_no_old_wish_to_stop_are_there_before_the_work(tmp_path):
    (tmp_path / CANCEL).touch()
    with begun("train", tmp_path, asked={"recipe": {}}) as run:
        assert json.loads((tmp_path / RUN_JSON).read_text()) == {"recipe": {}}
        assert not run.is_cancelled()
        (tmp_path / CANCEL).touch()
        assert run.is_cancelled()


def test_a_signal_cancels_as_the_file_does(tmp_path):
    with begun("train", tmp_path, interrupted=lambda: True) as run:
        assert run.is_cancelled()


def test_two_jobs_do_not_work_in_one_folder_at_once(tmp_path):
    with begun("train", tmp_path):
        before = (tmp_path / EVENTS).read_bytes()
        with pytest.raises(FaultError, match="Another run is writing into"), begun("train", tmp_path):
            pass
        assert (tmp_path / EVENTS).read_bytes() == before
        with begun("build", tmp_path, alone=False):
            pass
    assert not (tmp_path / LOCK).exists()


def test_a_new_job_that_is_refused_leaves_no_folder(tmp_path):
    run = tmp_path / "runs" / "a"
    with pytest.raises(FaultError), begun("train", run, new=True, asked={}):
        raise REFUSED

    assert list(tmp_path.iterdir()) == []


def test_what_was_saved_stays_when_a_new_job_fails(tmp_path):
    (tmp_path / CHECKPOINTS).mkdir()
    (tmp_path / CHECKPOINTS / STATE).touch()
    with pytest.raises(FaultError), begun("train", tmp_path, new=True, asked={}):
        raise REFUSED

    assert {path.name for path in tmp_path.iterdir()} == {RUN_JSON, EVENTS, CHECKPOINTS}


def test_what_was_there_before_stays_when_a_new_job_is_refused(tmp_path):
    (tmp_path / EVENTS).touch()
    (tmp_path / LOG).touch()
    with pytest.raises(FaultError), begun("train", tmp_path, new=True, asked={}):
        raise REFUSED

    assert {path.name for path in tmp_path.iterdir()} == {LOG, EVENTS}


def test_a_bug_leaves_the_folder_to_be_looked_at(tmp_path):
    with pytest.raises(ZeroDivisionError), begun("train", tmp_path / "a", new=True):
        raise ZeroDivisionError

    assert (tmp_path / "a" / EVENTS).is_file()


def test_without_a_folder_the_events_are_told_and_kept_nowhere(tmp_path, capsys):
    with begun("audit", events="-") as run:
        aside = run.path
    with begun("audit", events=str(tmp_path / "more.jsonl")):
        pass
    with begun("audit", events=str(tmp_path / "more.jsonl")):
        pass

    assert not aside.exists()
    lines = [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()]
    assert lines == ["start", "done"]
    assert [line["kind"] for line in read_json_lines(tmp_path / "more.jsonl")] == ["start", "done"] * 2


def test_events_that_cannot_be_written_are_refused_before_the_work(tmp_path):
    with pytest.raises(FaultError) as refused, begun("audit", tmp_path / "a", events=str(tmp_path)):
        pytest.fail("it was begun")

    assert refused.value.code is FaultCode.OUTPUT
    assert not (tmp_path / "a").exists()


def test_a_folder_that_is_a_file_is_the_systems_own_error(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(OSError), begun("train", tmp_path / "a"):
        pass


def test_a_folder_that_is_held_is_not_made_a_new_run_of(tmp_path):
    with held(tmp_path / LOCK), pytest.raises(FaultError), begun("train", tmp_path, new=True, asked={}):
        pass

    assert list(tmp_path.iterdir()) == []
