"""What a person reads of a preset: counts below five minutes of video, rates above, nothing unmeasured."""

import pytest

from app.network.preset_figures import detail, note

IMAGES = {
    "sensitivity_iou_0.1": 0.9203,
    "false_detections_per_polyp_image": 0.0168,
    "false_detections_per_polyp_free_image": 0.0427,
    "false_detections_per_polyp_free_field": 0.0598,
}
VIDEO = {
    "polyp_free_s": 26.0,
    "false_activations": 2.0,
    "false_activations_1s": 1.0,
    "polyps": 4.0,
    "polyp_sensitivity": 0.75,
    "polyp_frames": 120.0,
    "frame_sensitivity": 0.714,
    "first_confirmed_ms": 320.0,
    "first_confirmed_p90_ms": 900.0,
    "changes_per_s": 0.42,
}


def test_below_five_minutes_of_video_counts_and_seconds_are_said():
    assert note(VIDEO) == "2 false marks in 26 s, first mark after 0.3 s"
    assert detail(VIDEO, None).splitlines() == [
        "No polyp: 2 false marks in 26 s, 1 for 1 s.",
        "First mark: 0.3 s (median).",
        "3 of 4 polyps marked, in 71 % of frames.",
        "Marks come or go 0.4 times a second.",
    ]


def test_from_five_minutes_on_rates_are_said():
    long = {**VIDEO, "polyp_free_s": 600.0, "false_activations": 4.0, "false_activations_1s": 1.0}

    assert note(long).startswith("0.4 false marks a minute, ")
    assert detail(long, None).startswith("No polyp: 0.4 false marks a minute, 0.1 for 1 s.")


def test_a_note_says_of_presets_that_are_alike_in_video_how_they_differ_in_still_images():
    assert note({**VIDEO, **IMAGES}) == (
        "2 false marks in 26 s, first mark after 0.3 s, met 92 % of polyps, 6 false marks in 100 images"
    )


def test_the_set_in_which_a_preset_does_worst_is_named():
    said = detail(IMAGES, None, ("polypgen-c4", {"sensitivity_iou_0.1": 0.801}))

    assert said.endswith("\nIn the worst set, polypgen-c4, 80 of 100 met.")


def test_none_and_one_are_said_as_such():
    assert note({"polyp_free_s": 26.0, "false_activations": 0.0}) == "0 false marks in 26 s"
    assert note({"polyp_free_s": 26.0, "false_activations": 1.0}) == "1 false mark in 26 s"
    none = {"polyp_free_s": 26.0, "false_activations": 0.0, "false_activations_1s": 0.0}
    assert detail(none, None) == "No polyp: 0 false marks in 26 s."
    assert detail({**none, "false_activations": 1.0}, None).endswith("1 false mark in 26 s, none for 1 s.")


def test_nine_in_ten_are_said_of_ten_polyps_at_least():
    assert "0.3 s (median), 0.9 s (9 in 10)" in detail({**VIDEO, "polyps": 12.0}, None)


def test_a_preset_that_was_measured_on_images_alone_is_said_by_those():
    assert note(IMAGES) == "met 92 % of polyps, 6 false marks in 100 images"
    assert detail(IMAGES, None) == (
        "Still images: 92 of 100 polyps met, false marks in 100: 2 with a polyp, 6 without."
    )


@pytest.mark.parametrize("name", sorted(VIDEO))
def test_what_was_not_measured_is_not_said(name):
    without = {key: value for key, value in VIDEO.items() if key != name}

    assert "None" not in detail(without, None) + note(without)
    assert "nan" not in detail(without, None) + note(without)
    assert note({}) == ""
    assert detail({}, None) == "Nothing was measured of it."


def test_a_threshold_of_ones_own_is_said_beside_the_figures_that_it_does_not_have():
    assert detail(VIDEO, 0.55).endswith("\nThat was at its threshold of 0.55.")
