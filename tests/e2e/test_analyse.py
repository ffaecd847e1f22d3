"""`analyse` as a person starts it: a process, real files, a model whose answer is known."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from engine.analysis import cli as analyse_cli
from engine.analysis.results import read_results, read_summary
from engine.drawing.rle import decode
from engine.files.whole import HOME_VARIABLE
from tests.fixtures.clips import cut, made
from tests.fixtures.damage import zero_packet
from tests.fixtures.models import red_model
from tests.fixtures.red_clips import (
    PIXEL_ASPECT,
    RADIUS_PX,
    centre,
    has_disc,
    red_clip,
    red_picture,
    red_stills,
)

FRAMES = 20
START_TICKS = 6400  # half a second: time stamps are the file's own, not counted from its first picture
TELL_MODULES = """
import sys
from engine.analysis.cli import main
code = main(sys.argv[1:])
print("modules:", *sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(code)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return red_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return red_clip(tmp_path_factory.mktemp("clips") / "red.mp4", FRAMES, START_TICKS)


@pytest.fixture(scope="module")
def analysed(home, model, clip, tmp_path_factory):
    """One whole run as a process: the folder, and what it printed."""
    out = tmp_path_factory.mktemp("out") / "new" / "folder"
    done = subprocess.run(
        [sys.executable, "-c", TELL_MODULES, clip, "--out", out, "--overlay", "--model", model],
        env=os.environ | {HOME_VARIABLE: str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out, done


@pytest.fixture
def analyse(home, model, monkeypatch, capsys):
    """The verb inside this process: its exit code and what it said on stderr."""
    monkeypatch.setenv(HOME_VARIABLE, str(home))

    def run(*arguments):
        code = analyse_cli.main([*map(str, arguments), "--model", str(model)])
        return code, capsys.readouterr().err

    return run


def frames_of(path):
    """(time stamp, picture RGB) of every frame, and the stream's facts."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        frames = [(f.pts * stream.time_base, f.to_ndarray(format="rgb24")) for f in container.decode(stream)]
        facts = (stream.sample_aspect_ratio, context.colorspace, context.color_primaries, context.color_trc)
    return frames, facts


def test_there_is_a_line_for_every_frame_with_the_files_own_time_stamp(analysed, clip):
    lines = list(read_results(analysed[0]))

    assert [line["index"] for line in lines] == list(range(FRAMES))
    assert [line["pts_s"] for line in lines] == [round(float(at), 6) for at, _ in frames_of(clip)[0]]
    assert lines[0]["pts_s"] == 0.5


def test_a_line_tells_where_the_finding_is(analysed):
    for line in read_results(analysed[0]):
        found = [component["box"] for component in line["components"]]
        assert len(found) == has_disc(line["index"])
        for x, y, w, h in found:
            assert (x + w / 2, y + h / 2) == pytest.approx(centre(line["index"]), abs=3)
            assert (w, h) == pytest.approx((2 * RADIUS_PX, 2 * RADIUS_PX), abs=6)


def test_the_mask_is_the_union_of_the_components_and_null_without(analysed):
    for line in read_results(analysed[0]):
        if not line["components"]:
            assert line["mask"] is None
            continue
        mask = decode(line["mask"])
        assert mask.shape == (240, 320)
        assert mask.sum() == sum(component["area_px"] for component in line["components"])


def test_the_summary_says_what_was_done_with_what(analysed, clip, model):
    summary = read_summary(analysed[0])

    assert summary.source == str(clip)
    assert summary.frames == FRAMES
    assert summary.frames_with_findings == sum(map(has_disc, range(FRAMES)))
    assert summary.model.id == "red"
    assert summary.runtime.name == "openvino"
    assert summary.threshold == 0.5
    assert summary.frames_per_s > 0
    assert summary.complete
    assert "openvino" in summary.versions
    assert json.loads((analysed[0] / "summary.json").read_text())["schema"] == 1


def test_the_overlay_has_the_frames_and_time_stamps_of_the_source(analysed, clip):
    source, _ = frames_of(clip)
    overlay, _ = frames_of(analysed[0] / "overlay.mp4")

    assert [at for at, _ in overlay] == [at for at, _ in source]


def test_the_overlay_keeps_pixel_aspect_and_colour_tags(analysed, clip):
    assert frames_of(analysed[0] / "overlay.mp4")[1] == (PIXEL_ASPECT, 1, 1, 1)


def test_the_overlay_shows_the_source_with_an_outline_where_the_finding_is(analysed, clip):
    source, _ = frames_of(clip)
    overlay, _ = frames_of(analysed[0] / "overlay.mp4")
    x, y = centre(0)

    blue = overlay[0][1][y, x - RADIUS_PX - 3 : x - RADIUS_PX + 4, 2]
    assert blue.max() > 150
    assert np.abs(overlay[4][1].astype(int) - source[4][1]).mean() < 3  # no finding: the picture itself


def test_only_the_products_are_left(analysed):
    assert sorted(path.name for path in analysed[0].iterdir()) == [
        "overlay.mp4",
        "results.jsonl",
        "summary.json",
    ]


def test_it_shows_how_fast_it_goes(analysed):
    assert "frames/s" in analysed[1].stderr


def test_neither_qt_nor_torch_is_met(analysed):
    modules = analysed[1].stdout.partition("modules:")[2].split()

    assert not {"PySide6", "torch", "timm", "pyqtgraph"} & set(modules)
    assert "openvino" in modules


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_interrupted_it_leaves_everything_as_it_was(end, home, model, tmp_path):
    stills = tmp_path / "stills"
    stills.mkdir()
    first = stills / "00000.png"
    first.write_bytes(cv2.imencode(".png", red_picture(0))[1].tobytes())
    for number in range(1, 4000):
        (stills / f"{number:05d}.png").hardlink_to(first)
    out = tmp_path / "out"
    out.mkdir()
    (out / "results.jsonl").write_text("an earlier run's\n")
    running = subprocess.Popen(
        [sys.executable, "-m", "engine.analysis.cli", stills, "--out", out, "--overlay", "--model", model],
        env=os.environ | {HOME_VARIABLE: str(home)},
        stderr=subprocess.PIPE,
    )
    assert running.stderr.read(1)  # the bar comes with the first frame
    assert any(path.name.startswith(".") for path in out.iterdir())

    running.send_signal(end)
    running.communicate()

    assert running.returncode == 4
    assert [path.name for path in out.iterdir()] == ["results.jsonl"]
    assert (out / "results.jsonl").read_text() == "an earlier run's\n"


def test_a_file_that_breaks_off_is_analysed_up_to_there_and_says_so(analyse, clip, tmp_path):
    whole = tmp_path / "whole.mkv"
    with av.open(str(clip)) as source, av.open(str(whole), "w") as target:
        track = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = track
                target.mux(packet)
    broken = cut(whole, 0.6, tmp_path / "broken.mkv")

    code, said = analyse(broken, "--out", tmp_path / "out")

    summary = read_summary(tmp_path / "out")
    assert code == 5
    assert 0 < summary.frames < FRAMES
    assert summary.frames == len(list(read_results(tmp_path / "out")))
    assert not summary.complete
    assert len(summary.faults) == 1
    assert summary.faults[0] in said


def test_stills_have_names_and_masks_of_their_own_size(analyse, tmp_path):
    analyse(red_stills(tmp_path / "stills"), "--out", tmp_path / "out")

    lines = list(read_results(tmp_path / "out"))

    assert [line["name"] for line in lines] == ["a.png", "b.jpg", "c.bmp"]
    assert [line["mask"]["size"] for line in lines] == [[240, 320], [180, 200], [121, 161]]


def test_the_overlay_of_stills_is_a_folder_of_stills(analyse, tmp_path):
    analyse(red_stills(tmp_path / "stills"), "--out", tmp_path / "out", "--overlay", "box")

    sizes = {path.name: cv2.imread(str(path)).shape[:2] for path in (tmp_path / "out" / "overlay").iterdir()}

    assert sizes == {"a.png": (240, 320), "b.jpg": (180, 200), "c.bmp": (121, 161)}


def test_a_still_that_is_none_is_told_and_the_others_go_on(analyse, tmp_path):
    stills = red_stills(tmp_path / "stills")
    (stills / "aa.png").write_text("no picture")

    code, said = analyse(stills, "--out", tmp_path / "out")

    assert code == 5
    assert "aa.png" in said
    assert read_summary(tmp_path / "out").frames == 3


def test_a_higher_threshold_finds_less(analyse, clip, tmp_path):
    for threshold in ("0.2", "0.99"):
        analyse(clip, "--out", tmp_path / threshold, "--threshold", threshold)

    def area_px(folder):
        return sum(c["area_px"] for line in read_results(folder) for c in line["components"])

    assert area_px(tmp_path / "0.99") < area_px(tmp_path / "0.2")


def test_a_second_run_replaces_the_first_and_leaves_other_files_alone(analyse, clip, tmp_path):
    out = tmp_path / "out"
    analyse(red_stills(tmp_path / "stills"), "--out", out, "--overlay")
    (out / "notes.txt").write_text("mine")

    analyse(clip, "--out", out)

    assert sorted(path.name for path in out.iterdir()) == ["notes.txt", "results.jsonl", "summary.json"]
    assert read_summary(out).frames == FRAMES


def test_a_video_of_odd_size_gets_an_overlay_too(analyse, tmp_path):
    odd = tmp_path / "odd.mkv"
    with av.open(str(odd), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 161, 121, "bgr0"
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(red_picture(number, 161, 121), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame.reformat(format="bgr0")))
        container.mux(stream.encode())

    code, said = analyse(odd, "--out", tmp_path / "out", "--overlay")

    assert code == 0, said
    assert len(frames_of(tmp_path / "out" / "overlay.mp4")[0]) == 3


def bad_inputs(folder):
    (folder / "text.mp4").write_text("this is a letter, not a video\n" * 50)
    (folder / "zero.mp4").touch()
    (folder / "empty").mkdir()
    return {
        "missing": folder / "missing.mp4",
        "text": folder / "text.mp4",
        "zero": folder / "zero.mp4",
        "empty folder": folder / "empty",
        "live": "rtsp://127.0.0.1:9/none",
        "device": "v4l2:/dev/video77",
        "nothing": "",
    }


@pytest.mark.parametrize("kind", ["missing", "text", "zero", "empty folder", "live", "device", "nothing"])
def test_bad_input_is_one_sentence_and_nothing_written(kind, analyse, tmp_path):
    code, said = analyse(bad_inputs(tmp_path)[kind], "--out", tmp_path / "results" / "out")

    assert code == 2
    assert "Expected" not in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "results").exists()


def test_an_unknown_model_is_one_sentence_and_nothing_written(clip, tmp_path, capsys):
    code = analyse_cli.main([str(clip), "--out", str(tmp_path / "out"), "--model", "no-such-model"])

    assert code == 2
    assert "no-such-model" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_source_is_never_overwritten_by_its_own_overlay(analyse, clip, tmp_path):
    source = tmp_path / "overlay.mp4"
    source.write_bytes(clip.read_bytes())

    code, _ = analyse(source, "--out", tmp_path, "--overlay")

    assert code == 2
    assert source.read_bytes() == clip.read_bytes()


def test_results_go_into_a_folder_not_into_a_file(analyse, clip, tmp_path):
    (tmp_path / "out").write_text("mine")

    code, said = analyse(clip, "--out", tmp_path / "out")

    assert code == 2
    assert "--out" in said
    assert (tmp_path / "out").read_text() == "mine"


def test_a_recording_with_frames_missing_is_written_and_exit_code_5_says_so(
    analyse, tmp_path, tmp_path_factory
):
    damaged = zero_packet(made("constant.mp4", tmp_path_factory), 30, tmp_path / "damaged.mp4")

    code, said = analyse(damaged, "--out", tmp_path / "out")

    summary = read_summary(tmp_path / "out")
    assert code == 5
    assert not summary.complete
    assert summary.frames_missing == 120 - summary.frames == 1
    assert "1 of its 120 frames" in summary.faults[0]
    assert summary.faults[0] in said


def test_of_many_recordings_one_with_frames_missing_is_exit_code_5(model, tmp_path, tmp_path_factory):
    folder = tmp_path / "videos"
    folder.mkdir()
    zero_packet(made("constant.mp4", tmp_path_factory), 30, folder / "damaged.mp4")
    (folder / "whole.mp4").write_bytes(made("constant.mp4", tmp_path_factory).read_bytes())

    words = [*map(str, (folder, "--out", tmp_path / "out", "--model", model)), "--workers", "1"]
    first = subprocess.run([sys.executable, "main.py", "analyse", *words], capture_output=True, check=False)
    nothing_left_to_do = analyse_cli.main(words)

    assert (first.returncode, nothing_left_to_do) == (5, 5)


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_still_whose_name_is_no_utf8_is_analysed_and_written_down(analyse, tmp_path):
    stills = red_stills(tmp_path / "stills")
    (stills / "a.png").rename(os.fsdecode(bytes(stills) + b"/a\xff.png"))

    code, _ = analyse(stills, "--out", tmp_path / "out", "--overlay")

    assert code == 0
    assert [line["name"] for line in read_results(tmp_path / "out")] == ["a\\xff.png", "b.jpg", "c.bmp"]
    assert len(list((tmp_path / "out" / "overlay").iterdir())) == 3
