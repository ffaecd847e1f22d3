"""A run over many recordings, by a crew inside this process: real videos and network, faults on order."""

import csv
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.analysis.many.manifest import read_manifest
from engine.analysis.many.recordings import find_recordings
from engine.analysis.many.run import analyse_many
from engine.analysis.many.task import Options, Order, OrderResult, analyse_one, check, digest_of
from engine.analysis.many.work_folder import WORK
from engine.analysis.results import read_summary
from engine.faults import FaultError
from engine.model_folder import load_model_folder
from tests.fixtures.models import red_model
from tests.fixtures.red_clips import red_clip


class HereCrew:
    """Does each order at once, unless `instead` has a result for it; `afterwards` is called with it."""

    sharers = 1

    def __init__(self, instead=lambda order: None, afterwards=lambda order: None):
        self.instead = instead
        self.afterwards = afterwards
        self.orders = []
        self.ended = []

    def prepare(self, order):
        fault = check(order)
        if fault:
            raise FaultError(fault.code, fault.expected, fault.got, fault.remedy)

    def room(self):
        return 1 - len(self.ended)

    def start(self, order):
        self.orders.append(order)
        self.ended.append(self.instead(order) or analyse_one(order))
        self.afterwards(order)

    def finished(self, timeout_s):
        ended, self.ended = self.ended, []
        return ended

    def close(self):
        pass


class Watch:
    """Keeps what it is told."""

    def __init__(self):
        self.rows = []

    def begin(self, rows, todo):
        self.todo = todo

    def changed(self, row):
        self.rows.append((row.folder, row.state))

    def frames(self, done):
        self.done = done


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return red_model(tmp_path_factory.mktemp("models"))


@pytest.fixture
def videos(tmp_path, tmp_path_factory):
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        red_clip(folder / name, frames=5)
    return folder


@pytest.fixture
def run(videos, model, tmp_path):
    """A run over the videos: its report, and whom it told."""

    def start(crew=None, **changes):
        options = Options(str(model), digest_of(load_model_folder(model)), None, None, "auto", "auto")
        for name, value in changes.items():
            options = options.__class__(**{**as_dict(options), name: value})
        watch = Watch()
        out = tmp_path / "out"
        crew = crew or HereCrew()
        report = analyse_many(find_recordings([str(videos)], out), out, options, lambda: crew, watch)
        return report, watch

    return start


def as_dict(options):
    return {name: getattr(options, name) for name in options.__slots__}


def names(rows):
    return [row.folder for row in rows]


def test_each_recording_gets_its_results_and_a_line_in_the_totals(run, tmp_path):
    report, watch = run()

    assert names(report.done) == ["a.mp4", "b.mp4"]
    assert watch.rows == [("a.mp4", "done"), ("b.mp4", "done")]
    assert (watch.todo, watch.done) == (2, 10)
    with (tmp_path / "out" / "summary.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert [(line["folder"], line["state"], line["frames"]) for line in lines] == [
        ("a.mp4", "done", "5"),
        ("b.mp4", "done", "5"),
    ]
    assert [line["frames_with_findings"] for line in lines] == ["4", "4"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a.mp4",
        "b.mp4",
        "manifest.json",
        "summary.csv",
    ]


def test_what_is_done_is_not_done_again_until_model_options_or_file_change(run, videos, tmp_path):
    run()
    crew = HereCrew()

    report, _ = run(crew)
    assert (names(report.skipped), crew.orders) == (["a.mp4", "b.mp4"], [])

    report, _ = run(threshold=0.9)
    assert names(report.done) == ["a.mp4", "b.mp4"]

    red_clip(videos / "b.mp4", frames=6)
    report, _ = run(threshold=0.9)
    assert (names(report.done), names(report.skipped)) == (["b.mp4"], ["a.mp4"])


def test_who_dies_over_a_recording_leaves_it_to_be_begun_again(run):
    crew = HereCrew(instead=lambda order: lost(order) if len(crew.orders) == 1 else None)

    report, _ = run(crew)

    assert sorted((row.folder, row.tries) for row in report.done) == [("a.mp4", 2), ("b.mp4", 1)]


def test_a_recording_that_kills_every_worker_fails_alone(run):
    crew = HereCrew(instead=lambda order: lost(order) if order.source.endswith("a.mp4") else None)

    report, _ = run(crew)

    assert names(report.done) == ["b.mp4"]
    (failed,) = report.failed
    assert (failed.folder, failed.tries) == ("a.mp4", 3)
    assert "3 that died over it" in failed.fault


def test_one_that_vanishes_and_one_that_is_still_being_copied_fail_alone(run, videos, tmp_path):
    red_clip(videos / "c.mp4", frames=5)

    def meanwhile(order):
        if order.source.endswith("a.mp4"):
            (videos / "c.mp4").unlink()
            with (videos / "a.mp4").open("ab") as stream:
                stream.write(b"more")

    report, _ = run(HereCrew(afterwards=meanwhile))

    assert names(report.done) == ["b.mp4"]
    growing, gone = report.failed
    assert "stay as it is" in growing.fault
    assert "c.mp4" in gone.fault
    assert not (tmp_path / "out" / "a.mp4").exists()


def test_what_an_interrupted_run_left_is_removed_and_done_again(run, tmp_path):
    run()
    out = tmp_path / "out"
    values = json.loads((out / "manifest.json").read_text())
    values["rows"][0]["state"] = "running"
    (out / "manifest.json").write_text(json.dumps(values))
    (out / WORK / "0-half").mkdir(parents=True)

    report, _ = run()

    assert (names(report.done), names(report.skipped)) == (["a.mp4"], ["b.mp4"])
    assert not (out / WORK).exists()


def test_an_interruption_queues_what_was_under_way_and_keeps_what_is_done(run, tmp_path):
    def interrupt(order):
        if order.source.endswith("b.mp4"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(HereCrew(instead=interrupt))

    rows = read_manifest(tmp_path / "out")
    assert [(row.folder, row.state) for row in rows] == [("a.mp4", "done"), ("b.mp4", "queued")]
    assert not (tmp_path / "out" / WORK).exists()


def test_an_attempt_that_nobody_waits_for_ends_by_itself(model, videos, tmp_path, monkeypatch):
    work = tmp_path / "work"
    work.mkdir()
    options = Options(str(model), digest_of(load_model_folder(model)), None, None, "auto", "auto")
    monkeypatch.setattr("engine.analysis.many.task.Path.write_text", withdrawing(work))

    result = analyse_one(Order(0, str(videos / "a.mp4"), str(work), options, 1))

    assert (result.fault, result.results) == ("withdrawn", "")
    assert list(work.iterdir()) == []


def test_what_was_begun_before_there_were_presets_and_regions_to_ask_for_goes_on():
    before = hashlib.sha256(b'["abc", 0.5, null, "auto", "f32", "software"]').hexdigest()[:16]
    options = Options("red", "abc", 0.5, None, "auto", "f32")

    assert options.asked == before
    others = [replace(options, preset="quiet"), replace(options, region="frame")]
    assert len({before, *(other.asked for other in others)}) == 3


def test_each_recording_is_analysed_with_the_preset_and_the_region_that_were_asked_for(run, tmp_path):
    report, _ = run(region="frame")

    assert report.done
    assert {read_summary(tmp_path / "out" / row.folder).region for row in report.done} == {"frame"}


def test_a_machine_with_another_model_of_that_name_refuses(run, tmp_path):
    with pytest.raises(FaultError, match="the model that was asked for"):
        run(digest="0" * 64)

    assert not (tmp_path / "out").exists()


def lost(order):
    return OrderResult(order.number, lost=True)


def withdrawing(work):
    """As write_text, but all attempts are removed just before."""
    write_text = Path.write_text

    def write(path, text):
        for attempt in work.iterdir():
            attempt.rename(work.parent / "taken away")
        return write_text(path, text)

    return write
