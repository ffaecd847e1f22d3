"""Which matrix and range are used, and that a known colour comes out as it went in."""

from __future__ import annotations

import numpy as np
import pytest

from engine.faults import FaultError
from engine.sources import open_source, parse_source
from engine.sources.base import SourceOptions
from engine.sources.colour import ColourTags, colour_of
from engine.types import Size
from tests.fixtures.clips import colour_clip

BT709, BT601, UNTAGGED = 1, 6, 2
LIMITED, FULL, UNKNOWN = 1, 2, 0
MUCOSA = (188, 95, 74)


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        (ColourTags("yuv420p", BT709, LIMITED, 480), "bt709 limited"),
        (ColourTags("yuv420p", BT601, LIMITED, 1080), "bt601 limited"),
        (ColourTags("yuv420p", 5, UNKNOWN, 1080), "bt601 limited"),
        (ColourTags("yuv420p10le", 9, LIMITED, 2160), "bt2020 limited"),
        (ColourTags("yuv420p", UNTAGGED, UNKNOWN, 720), "bt709 limited (assumed)"),
        (ColourTags("yuv420p", UNTAGGED, UNKNOWN, 719), "bt601 limited (assumed)"),
        (ColourTags("yuv420p", UNTAGGED, FULL, 1080), "bt709 full (assumed)"),
        (ColourTags("yuvj420p", UNTAGGED, UNKNOWN, 480), "bt601 full (assumed)"),
        (ColourTags("yuvj422p", BT601, FULL, 1080), "bt601 full"),
        (ColourTags("bgr24", UNTAGGED, UNKNOWN, 1080), "rgb full"),
        (ColourTags("gray", UNTAGGED, UNKNOWN, 480), "bt601 limited"),
    ],
)
def test_tags_are_honoured_and_assumptions_are_said(tags, text):
    assert colour_of(tags).text == text


@pytest.mark.parametrize(
    ("override", "text"),
    [("bt601 full", "bt601 full (chosen)"), ("BT709", "bt709 limited (chosen)")],
)
def test_the_users_word_wins_over_the_tags(override, text):
    assert colour_of(ColourTags("yuv420p", BT709, LIMITED, 1080), override).text == text


@pytest.mark.parametrize("override", ["", "bt709 limited extra", "bt999", "full"])
def test_an_override_that_is_none_is_refused(override):
    with pytest.raises(FaultError):
        colour_of(ColourTags("yuv420p", BT709, LIMITED, 1080), override)


@pytest.mark.parametrize(
    ("height_px", "matrix", "full", "tagged"),
    [
        (96, "bt709", False, True),
        (720, "bt601", False, True),
        (720, "bt709", False, False),
        (96, "bt601", False, False),
        (720, "bt709", True, True),
        (96, "bt601", True, True),
    ],
)
@pytest.mark.parametrize("rgb", [MUCOSA, (60, 90, 200), (235, 235, 235)])
def test_a_known_colour_comes_out_within_three_levels(tmp_path, height_px, matrix, full, tagged, rgb):
    path = colour_clip(tmp_path / "colour.mp4", height_px, rgb, matrix, full, tagged)
    source = open_source(parse_source(str(path)))

    picture = source.read()
    shown, network = picture.bgra()[40, 40, 2::-1].astype(int), picture.rgb(Size(32, 32))[16, 16].astype(int)
    source.close()

    assert np.abs(shown - rgb).max() <= 3
    assert np.abs(network - rgb).max() <= 3


def test_a_chosen_colour_changes_the_pixels(tmp_path):
    path = colour_clip(tmp_path / "colour.mp4", 96, MUCOSA, "bt709", full=False, tagged=False)
    source = open_source(parse_source(str(path)), SourceOptions(colour="bt709 limited"))

    shown = source.read().bgra()[40, 40, 2::-1].astype(int)
    source.close()

    assert np.abs(shown - MUCOSA).max() <= 3
    assert source.info.colour == "bt709 limited (chosen)"


def test_a_chosen_range_wins_over_the_tag(tmp_path):
    path = colour_clip(tmp_path / "colour.mp4", 96, (20, 20, 20), "bt601", full=False, tagged=True)
    source = open_source(parse_source(str(path)), SourceOptions(colour="bt601 full"))

    shown = source.read().bgra()[40, 40, :3].astype(int)
    source.close()

    assert np.abs(shown - (16 + 20 * 219 / 255)).max() <= 3
