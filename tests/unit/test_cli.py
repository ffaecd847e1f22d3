"""The command line before any window: what is refused, and where there is no display."""

import sys

import pytest

from app import cli
from app.environment import has_display, qt_environment


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.mp4"], "There is nothing at missing.mp4."),
        (["a.mp4", "--demo"], "one source"),
        (["--source", "gopher://x"], "gopher"),
        (["--size", "large"], "a size such as 1920x1080"),
        (["--size", "0x480"], "a size such as 1920x1080"),
        (["--model", "no-such-model"], "no-such-model"),
        (["--runtime", "openvina"], "Choose openvino"),
        (["--decode", "cudda"], "Choose one of software, auto"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_exit_code_2(arguments, said, capsys):
    assert cli.main(arguments) == 2

    error = capsys.readouterr().err
    assert said in error
    assert "Expected" not in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["--threshold", "1.5"], ["--quit-after", "0"], ["--rate", "nan"], ["--overlay", "hearts"]]
)
def test_a_value_that_makes_no_sense_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)

    assert caught.value.code == 2


def test_without_a_display_a_window_is_refused_with_what_to_do_instead(monkeypatch, capsys):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")

    assert cli.main([]) == 2
    assert "polyplive analyse" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":7"}, "linux", True),
        ({"DISPLAY": "unix:7.0"}, "linux", True),
        ({"DISPLAY": ":8"}, "linux", False),
        ({"DISPLAY": "far:3.0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": "/run/user/1"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-9", "XDG_RUNTIME_DIR": "/run/user/1"}, "linux", False),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({}, "win32", True),
        ({}, "darwin", True),
    ],
)
def test_there_is_a_display_where_one_answers(environment, platform, expected):
    served = {"/tmp/.X11-unix/X7", ("far", 6003), "/run/user/1/wayland-0"}

    assert has_display(environment, platform, served.__contains__) is expected


def test_a_display_that_nobody_serves_is_none(tmp_path):
    nobody = {"DISPLAY": ":4711", "WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(tmp_path)}

    assert not has_display(nobody, "linux")


def test_only_variables_that_point_into_cv2_are_dropped():
    environment = {
        "QT_QPA_PLATFORM_PLUGIN_PATH": "/venv/site-packages/cv2/qt/plugins",
        "QT_QPA_FONTDIR": "/usr/share/fonts",
    }
    qt_environment(environment)

    assert environment == {"QT_QPA_FONTDIR": "/usr/share/fonts"}
