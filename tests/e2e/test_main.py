"""The program as a person starts it: a process, a real clip, a real network, a window that nobody sees."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.files.whole import HOME_VARIABLE
from tests.fixtures.models import red_model
from tests.fixtures.red_clips import red_clip

MAIN = Path(__file__).parents[2] / "main.py"
RUN_S = 60
# Prints what was imported when the program has ended, last line of stdout.
TELL_MODULES = """
import sys
sys.argv[0] = "polyplive"
from app.cli import main
code = main()
print("modules:", *sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(code)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """One home for all: the network is compiled once."""
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen", HOME_VARIABLE: str(tmp_path_factory.mktemp("home"))}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return red_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Longer than any test watches it, with the disc in every picture: whenever the shot is taken."""
    return red_clip(tmp_path_factory.mktemp("clips") / "red.mp4", frames=400, always=True)


@pytest.fixture(scope="module")
def run(environment):
    def run(*arguments, program=(str(MAIN),), env=environment, cwd=None):
        command = [sys.executable, *program, *map(str, arguments)]
        return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=RUN_S)

    return run


@pytest.fixture(scope="module")
def played(run, clip, model, tmp_path_factory):
    """A clip played in a window: the process, its screenshot and its statistics."""
    out = tmp_path_factory.mktemp("played")
    shot, stats = out / "shot.png", out / "stats.json"
    process = run(
        clip, "--model", model, "--quit-after", 4, "--screenshot", shot, "--stats", stats,
        program=("-c", TELL_MODULES),
    )  # fmt: skip
    return process, shot, stats


def test_a_clip_plays_and_the_program_ends_by_itself_without_a_word(played):
    process, _, _ = played

    assert process.returncode == 0, process.stderr
    assert process.stderr == ""


def test_the_screenshot_shows_the_picture_with_its_outline(played):
    _, shot, _ = played
    picture = cv2.imread(str(shot))
    blue, green, red = (picture[..., channel].astype(int) for channel in range(3))

    assert picture.shape[0] >= 600
    assert np.count_nonzero((red > 200) & (green < 60) & (blue < 60)) > 1000, "the disc"
    assert np.count_nonzero((abs(red - 0x56) < 6) & (abs(green - 0xB4) < 6) & (abs(blue - 0xE9) < 6)) > 100


def test_the_statistics_cover_the_run(played):
    _, _, stats = played
    report = json.loads(stats.read_text())

    assert report["painted"] > 10
    assert report["masked_share"] > 0.5
    assert {"decode", "convert", "network", "paint", "due to painted"} <= set(report["stages"])
    assert 50 < report["rss_mb"] < 2000


def test_playing_with_openvino_never_imports_torch(played):
    process, _, _ = played
    modules = process.stdout.split("modules:")[1].split()

    assert "openvino" in modules
    assert not {"torch", "timm", "transformers", "pyqtgraph", "distill"} & set(modules)


def test_nothing_half_written_lies_beside_the_results(played):
    _, shot, stats = played

    assert sorted(path.name for path in shot.parent.iterdir()) == sorted({shot.name, stats.name})


def test_without_arguments_the_start_page_opens_and_remembers_what_was_played(played, run, tmp_path):
    shot = tmp_path / "start.png"
    process = run("--quit-after", 1.5, "--screenshot", shot)
    picture = cv2.imread(str(shot))

    assert process.returncode == 0, process.stderr
    red = (picture[..., 2] > 180) & (picture[..., 1] < 90) & (picture[..., 0] < 90)
    assert np.count_nonzero(red) > 100, "the thumbnail of the clip with the red disc"


def test_what_cannot_be_opened_is_one_sentence_exit_code_2_and_nothing_written(run, tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("Dear colleague, please find attached")
    told = {}
    for arguments, seconds in (
        ((text,), 6),
        (("review", text), 6),
        ((tmp_path / "missing.mp4",), 6),
        (("--source", "rtsp://127.0.0.1:1/nothing"), 2),
    ):
        shot = tmp_path / "shot.png"
        process = run(*arguments, "--quit-after", seconds, "--screenshot", shot)
        natural = "Expected" not in process.stderr
        told[str(arguments)] = (process.returncode, process.stderr.count("\n"), natural)
        assert not shot.exists()

    assert [path.name for path in tmp_path.iterdir()] == ["text.mp4"]
    assert set(told.values()) == {(2, 1, True)}, told


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
def test_a_source_that_fails_leaves_the_window_open_with_the_reason(environment, tmp_path):
    text = tmp_path / "letter.mp4"
    text.write_text("Dear colleague, please find attached")
    command = [sys.executable, str(MAIN), str(text)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert "letter.mp4" in process.stderr.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5)
        process.terminate()

        assert (process.wait(RUN_S), process.stderr.read()) == (2, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_window_as_its_own_button_does(environment, clip, model, tmp_path, sent):
    shot = tmp_path / "shot.png"
    command = [sys.executable, str(MAIN), str(clip), "--model", str(model), "--screenshot", str(shot)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    recent = Path(environment[HOME_VARIABLE]) / "data" / "recent.json"
    before = recent.stat().st_mtime_ns if recent.exists() else 0
    # The list is written when the first picture has been shown.
    while not recent.exists() or recent.stat().st_mtime_ns == before:
        with suppress(subprocess.TimeoutExpired):
            assert process.wait(0.05) is None, "it ended by itself"
    process.send_signal(sent)
    _, error = process.communicate(timeout=RUN_S)

    assert (process.returncode, error) == (0, b"")
    assert shot.exists(), "what was asked for at the end is done at this end too"


def test_without_a_display_the_demonstration_is_analysed_instead_and_no_qt_is_met(
    environment, run, model, tmp_path
):
    blind = {
        name: value
        for name, value in environment.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    process = run(
        "--demo", "--model", model, env=blind, cwd=tmp_path, program=("-c", TELL_MODULES)
    )  # fmt: skip

    assert process.returncode == 0, process.stderr
    assert "no display" in process.stdout
    for name in ("overlay.mp4", "summary.json"):
        assert (tmp_path / "out" / "demo" / name).is_file()
        assert str(Path("out") / "demo" / name) in process.stdout
    assert "PySide6" not in process.stdout.split("modules:")[1].split()


def test_without_a_display_a_recording_is_refused_with_what_to_do(environment, run, clip):
    blind = {name: value for name, value in environment.items() if not name.endswith(("DISPLAY", "PLATFORM"))}
    process = run(clip, env=blind)

    assert process.returncode == 2
    assert "analyse" in process.stderr
