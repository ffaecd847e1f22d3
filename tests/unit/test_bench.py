"""What the benchmarks say is what was done: whose turn it was, what was left out, what is drawn."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from importlib.machinery import ModuleSpec

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install 'polyplive[train]'")
pytest.importorskip("onnx", reason="pip install 'polyplive[train]'")

from engine.bench import __main__ as bench
from engine.bench import executed, peer_table
from engine.bench.clips import demo_clip
from engine.bench.memory import memory_mb
from engine.bench.report import Point, pareto, points_of, quickest, spread, write_report
from engine.bench.skipped import Skipped, reasons
from engine.bench.suites import peers, runtimes, students
from engine.bench.suites.live import sent
from engine.bench.timing import interleaved, percentiles, ratio
from engine.bench.window import screen
from engine.files.whole import HOME_VARIABLE, user_cache, user_data
from engine.model_folder import default_model, load_model_folder
from engine.models.sizes import Variant
from engine.sources import open_source
from engine.sources.base import SourceSpec
from engine.types import Size
from tests.fixtures.models import random_student, red_model

TINY = (
    Variant("light, tiny", "light", {"encoder": "test_efficientnet", "channels": 8}),
    Variant("light, broken", "light", {"encoder": "test_efficientnet", "colour": "red"}),
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))


def a_pass(monkeypatch):
    """One precision, one picture: what is shown here is the table round the figures."""
    monkeypatch.setattr(executed, "PRECISIONS", ("f32",))
    monkeypatch.setattr(peers, "PICTURES", 1)


def test_candidates_take_turns_and_the_warm_up_is_not_counted():
    turns = []
    pictures = [np.zeros((1, 1, 3), np.uint8)] * 2

    times_ms = interleaved(
        {name: (lambda picture, name=name: turns.append(name), pictures) for name in "ab"}, rounds=3
    )

    assert "".join(turns) == "aabb" + "aabb" * 3
    assert {name: len(times) for name, times in times_ms.items()} == {"a": 6, "b": 6}


def test_no_further_round_begins_when_the_time_is_over_but_there_are_two():
    pictures = [np.zeros((1, 1, 3), np.uint8)] * 3

    times_ms = interleaved({name: (lambda picture: None, pictures) for name in "ab"}, rounds=50, most_s=0.0)

    assert {name: len(times) for name, times in times_ms.items()} == {"a": 6, "b": 6}


def test_percentiles_and_ratios_are_of_the_medians():
    assert percentiles([1.0, 2.0, 3.0, 4.0, 100.0])["p50_ms"] == 3.0
    assert ratio([10.0, 20.0, 30.0], [5.0, 4.0, 6.0]) == 4.0
    assert ratio(None, [1.0]) is None


@pytest.mark.slow  # the exporter takes seconds
def test_every_student_is_a_row_a_runtime_and_what_does_not_run_is_a_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(students, "VARIANTS", TINY)
    monkeypatch.setattr(executed, "PICTURES", 1)
    out = tmp_path / "out"

    options = ["--size", "64", "--rounds", "1", "--runtimes", "eager,openvino", "--no-memory"]
    code = bench.main(["students", *options, "--out", str(out)])

    figures = json.loads((out / "students.json").read_text())
    rows = {(row["runtime"], row["precision"]): row for row in figures["students"]}
    assert code == 0
    assert {row["student"] for row in rows.values()} == {"light, tiny"}
    assert rows["eager", "f32"]["vs_eager"] == 1.0
    assert rows["openvino", "f32"]["max_dp"] <= 2 / 255
    assert all(row["p50_ms"] > 0 and row["vs_eager"] > 0 for row in rows.values())
    what, why = figures["skipped"][0]
    assert what == "light, broken"
    assert "instead of arguments that the student light takes" in why
    assert figures["machine"]["versions"]["openvino"]
    assert "- not measured: light, broken" in capsys.readouterr().out
    assert "- not measured: light, broken" in (out / "students.md").read_text()
    assert (out / "students.png").read_bytes().startswith(b"\x89PNG")


def test_runtimes_are_compared_on_the_region_that_the_live_path_shows_them(tmp_path, monkeypatch):
    monkeypatch.setattr(runtimes, "PICTURES", 2)
    folder = random_student(tmp_path)

    figures = runtimes.run(rounds=1, model=str(folder), runtimes=["openvino"])
    pictures, field = runtimes.region_pictures(Size(96, 96))

    exact, *others = figures["runtimes"]
    assert (exact["runtime"], exact["max_dp"], exact["pooled_dice"]) == ("eager", 0.0, 1.0)
    assert {row["runtime"] for row in others} == {"openvino"}
    assert all(row["pooled_dice"] > 0.9 and row["p99_ms"] > 0 and row["device"] for row in others)
    assert "random, openvino int8" in [what for what, _ in figures["skipped"]]
    assert field.box.w < 600  # of 640: the demonstration has black borders
    assert pictures[0][:4, 40:56].mean() > 40  # not black: the borders were cut off


@pytest.mark.slow  # quantises a network
def test_a_student_can_be_measured_in_int8_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(students, "VARIANTS", TINY[:1])
    monkeypatch.setattr(executed, "PRECISIONS", ("f32", "int8"))
    monkeypatch.setattr(executed, "PICTURES", 1)
    figures = students.run(rounds=1, size_px=64, runtimes=("openvino",), memory=False, int8=True)

    assert {row["precision"] for row in figures["students"]} == {"f32", "int8"}


def test_memory_is_that_of_a_process_of_its_own_without_torch_where_the_runtime_needs_none(tmp_path):
    used = memory_mb(red_model(tmp_path), "openvino", "f32")

    assert 50 < used["rss_mb"] < 260
    assert used["gpu_mb"] is None


def test_a_runtime_that_does_not_run_alone_has_no_memory_figure(tmp_path):
    assert memory_mb(tmp_path / "nothing", "openvino", "f32") == {"rss_mb": None, "gpu_mb": None}


def test_importing_the_benchmarks_adds_no_student():
    lines = "import engine.bench.suites.peers; from engine.models import STUDENTS; print(*STUDENTS)"

    found = subprocess.check_output([sys.executable, "-c", lines], text=True).split()

    assert "light" in found
    assert not any(name.startswith("peer-") for name in found)


def test_a_peer_that_is_not_installed_is_a_line(monkeypatch):
    monkeypatch.setattr(peer_table, "find_spec", lambda name: None)
    monkeypatch.setattr(peers, "add_peers", lambda: None)

    figures = peers.run(rounds=1, only="U-Net, ResNet-34", memory=False)

    assert figures["peers"] == []
    (skipped,) = figures["skipped"]
    assert "segmentation_models_pytorch is not installed (pip install" in skipped.why


def test_what_one_reason_keeps_from_running_is_one_line():
    skipped = [Skipped(f"student {number}, tensorrt f32", "not installed") for number in range(5)]

    lines = reasons([*skipped, Skipped("peer", "no network")])

    assert lines == [
        "student 0, tensorrt f32; student 1, tensorrt f32; student 2, tensorrt f32 and 2 more: not installed",
        "peer: no network",
    ]


@pytest.mark.slow
def test_an_installed_peer_runs_beside_a_bundled_model_on_the_same_frames(tmp_path, monkeypatch):
    """A student of ours stands in for the package: what is tested is everything around it."""
    a_pass(monkeypatch)
    bundled = default_model().name
    stand_in = peer_table.Peer(f"{bundled} stand-in", "light", "json", "", 96)
    model = load_model_folder(random_student(tmp_path))
    monkeypatch.setattr(peers, "random_model", lambda *_: model)
    monkeypatch.setattr(peers, "PEERS", (stand_in,))
    monkeypatch.setattr(peers, "add_peers", lambda: None)
    monkeypatch.setattr(peer_table, "find_spec", lambda name: ModuleSpec(name, None))

    rows = peers.run(rounds=1, only=bundled, runtimes=["openvino"], memory=False)["peers"]

    ours = [row for row in rows if row["model"] == bundled]
    theirs = [row for row in rows if row["model"] == stand_in.label]
    assert {row["weights"] for row in ours} == {"trained"}
    assert all(0.8 < row["dice"] < 1.0 and row["low"] < row["dice"] < row["high"] for row in ours)
    assert {(row["weights"], row["size_px"], row["dice"]) for row in theirs} == {("random", 96, None)}


def test_a_trained_peer_has_its_accuracy_beside_its_speed(monkeypatch):
    a_pass(monkeypatch)
    monkeypatch.setattr(peers, "PEERS", ())

    rows = peers.run(
        rounds=1, only="nothing", runtimes=["openvino"], memory=False, trained=[default_model()]
    )["peers"]

    assert {(row["model"], row["weights"]) for row in rows} == {(default_model().name, "trained")}
    assert all(row["dice"] == peers.accuracy(load_model_folder(default_model()))["dice"] for row in rows)


def test_what_is_no_model_is_told(tmp_path, capsys):
    assert bench.main(["peers", "--only", "nothing", "--trained", str(tmp_path / "none")]) == 2
    assert str(tmp_path / "none") in capsys.readouterr().err


def test_frames_are_those_of_the_demonstration():
    small = peers.frames(Size(64, 48))

    assert {frame.shape for frame in small} == {(48, 64, 3)}
    assert len(small) == 8
    assert peers.frames(None)[0].shape[2] == 3


def test_the_accuracy_is_that_of_the_model_card():
    model = load_model_folder(default_model())
    (stored,) = [
        metric.value
        for metric in model.card.metrics
        if (metric.set, metric.protocol, metric.name) == ("pooled", "p05_image", "dice")
    ]

    assert peers.accuracy(model)["dice"] == stored


def test_the_pareto_front_is_what_nothing_beats_in_both():
    fast = Point("fast", "a", 1.0, 0.80)
    good = Point("good", "a", 5.0, 0.90)
    beaten = Point("beaten", "a", 6.0, 0.85)
    unknown = Point("unknown", "a", 0.1, None)

    assert pareto([beaten, unknown, good, fast]) == [fast, good]


def test_names_in_the_plot_do_not_lie_on_each_other():
    places = spread([10.0, 11.0, 40.0, 9.0], gap=5.0)

    assert places == [14.0, 19.0, 40.0, 9.0]


def test_a_model_is_named_once_where_it_is_quickest():
    slow, fast, other = (
        Point("a", "eager", 9.0, 1.0),
        Point("a", "bf16", 2.0, 1.0),
        Point("b", "own", 5.0, None),
    )

    assert quickest([slow, fast, other]) == [fast, other]


def test_a_peer_without_accuracy_is_drawn_and_never_on_the_front(tmp_path):
    rows = [
        {"model": "ours", "runtime": "openvino", "precision": "bf16", "p50_ms": 2.0, "dice": 0.88},
        {"model": "theirs", "runtime": "own", "precision": "", "p50_ms": 1.0},
    ]

    points, axis = points_of("peers", {"peers": rows})
    written = write_report(tmp_path, "peers", {"peers": rows}, "| table |")

    assert axis.startswith("Dice")
    assert [point.label for point in pareto(points)] == ["ours"]
    assert [path.name for path in written] == ["peers.json", "peers.md", "peers.png"]
    assert "| table |" in written[1].read_text()
    assert written[2].stat().st_size > 10_000


def test_measuring_leaves_nothing_on_the_start_page_and_compiles_nothing_twice(tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("PATH", "")  # no Xvfb: the offscreen platform
    script = (
        "from engine.files.whole import user_cache, user_data;"
        "print(user_cache().resolve()); print(user_data())"
    )
    with screen() as environment:
        said = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    cache, data = said.stdout.split()

    assert cache == str(user_cache().resolve())
    assert data != str(user_data())


def test_the_sender_is_a_live_stream_that_never_ends(tmp_path):
    clip = demo_clip(tmp_path / "clip.mp4", rate_hz=60, duration_s=0.5, live=True)
    with sent(clip) as url, contextlib.closing(open_source(SourceSpec("stream", url))) as source:
        stamps_s = [source.read().pts_s for _ in range(60)]  # twice the clip

    assert source.info.live
    assert (source.info.width_px, source.info.height_px) == (1920, 1080)
    assert stamps_s == sorted(set(stamps_s))


def test_a_place_for_figures_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path, capsys):
    for place in (tmp_path, tmp_path / "missing" / "x.json"):
        with pytest.raises(SystemExit) as stopped:
            bench.main(["quality", "demo:", "--json", str(place)])
        assert stopped.value.code == 2
        assert "no file that can be written" in capsys.readouterr().err
