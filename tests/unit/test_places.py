"""A place that a person types: a frame, a time, a time stamp; what is outside is said."""

import pytest

from app.player.places import Span, place_of

SPAN = Span(origin_s=5.0, length_s=100.0, frames=2500)


@pytest.mark.parametrize("text", ["123", "f123", "F 123", " frame 123 "])
def test_a_whole_number_is_a_frame(text):
    assert place_of(text, SPAN).index == 123


@pytest.mark.parametrize(
    ("text", "pts_s"),
    [
        ("1:02.5", 67.5),
        ("0:01:02,5", 67.5),
        ("62.5", 67.5),
        ("62.5 s", 67.5),
        ("7s", 12.0),
        ("p7.25", 7.25),
        ("pts 7", 7.0),
    ],
)
def test_a_time_counts_from_the_first_frame_and_a_time_stamp_is_the_files_own(text, pts_s):
    assert place_of(text, SPAN).pts_s == pytest.approx(pts_s)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2500", "frames 0 to 2499"),
        ("f99999", "frames 0 to 2499"),
        ("1:41", "ends at 0:01:40.000"),
        ("p4.9", "begins at 5 s"),
        ("soon", "neither a frame nor a time"),
        ("1:75", "neither a frame nor a time"),
        ("-3", "neither a frame nor a time"),
        ("1e5", "neither a frame nor a time"),
        ("", "neither a frame nor a time"),
    ],
)
def test_what_is_outside_or_means_nothing_is_said_in_a_sentence(text, says):
    with pytest.raises(ValueError, match=says):
        place_of(text, SPAN)


def test_while_nobody_knows_how_long_a_recording_is_nothing_is_outside():
    assert place_of("99999", Span(0.0, None, None)).index == 99999
