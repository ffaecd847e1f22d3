"""How times and speeds are said."""

import pytest

from app.widgets import words
from engine.types import RuntimeInfo, SourceInfo


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0, "0:00:00.000"), (83.48, "0:01:23.480"), (3661.0004, "1:01:01.000"), (59.9996, "0:01:00.000")],
)
def test_media_time_is_said_to_the_millisecond(seconds, said):
    assert words.clock(seconds) == said


def test_a_length_is_said_in_hours_minutes_and_seconds():
    assert words.duration(1200.4) == "0:20:00"


@pytest.mark.parametrize(("speed", "said"), [(1.0, "1x"), (0.25, "0.25x"), (-2.0, "−2x")])
def test_a_speed_says_its_direction(speed, said):
    assert words.speed(speed) == said


def test_the_executing_runtime_is_said_with_its_device():
    info = RuntimeInfo("openvino", "AMD EPYC", "bf16", 2, "2026.4")

    assert words.runtime_line(info) == "OpenVINO bf16 · AMD EPYC · 2 threads"
    assert words.runtime_line(None) == ""


def test_a_gpu_is_said_without_threads_and_with_what_is_kept_exact():
    info = RuntimeInfo("tensorrt", "NVIDIA T4", "f16, decoder f32", 0, "11.0")

    assert words.runtime_line(info) == "TensorRT f16, decoder f32 · NVIDIA T4"


@pytest.mark.parametrize(
    ("decoder", "said"),
    [
        ("h264 in software", "clip.mp4 · 640×480 · 25 Hz"),
        ("h264 on cuda", "clip.mp4 · 640×480 · 25 Hz · h264 on cuda"),
        ("h264 in software (cuda: gone)", "clip.mp4 · 640×480 · 25 Hz · h264 in software (cuda: gone)"),
    ],
)
def test_the_decoder_is_said_unless_it_is_the_usual_one(decoder, said):
    info = SourceInfo(
        "id", "clip.mp4", 640, 480, 25.0, 1.0, 25, True, False, "bt601 limited", decoder=decoder
    )

    assert words.source_line(info) == said
