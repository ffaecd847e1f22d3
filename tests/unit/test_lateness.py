"""Masks that stay late are told, single ones are not."""

import math

from engine.live.lateness import Lateness, Shown, after

PERIOD_S = 1 / 30


def told(*ages_in_frames):
    """`late_s` after each picture of 30 Hz; every age is what its picture got at last."""
    state, said = Lateness(), []
    for number, frames in enumerate(ages_in_frames):
        now_s = 10.0 + number * PERIOD_S
        state = after(state, Shown(number, now_s))  # it comes without its mask
        if math.isfinite(frames):
            state = after(state, Shown(number, now_s + 0.01, frames, frames * PERIOD_S))
        said.append(state.late_s)
    return said


def test_masks_that_are_two_frames_late_for_200_ms_are_told_with_their_age():
    said = told(*[0] * 10, *[2] * 10)

    assert said[:13] == [None] * 13
    assert said[17] == 2 * PERIOD_S


def test_a_picture_that_waits_for_its_own_mask_is_no_matter():
    assert told(*[0] * 40) == [None] * 40


def test_a_mask_of_the_frame_before_is_on_time():
    assert told(*[1] * 40) == [None] * 40


def test_single_late_masks_are_not_told():
    assert told(*[0, 0, 0, 0, 0, 3] * 10) == [None] * 60


def test_they_stay_told_until_they_were_on_time_for_400_ms():
    said = told(*[2] * 12, *[0] * 30)

    assert said[12 + 11] is not None  # 367 ms on time
    assert said[12 + 15] is None


def test_masks_that_change_between_late_and_on_time_do_not_flicker():
    said = told(*[2] * 10, *[0, 2, 2] * 30)

    assert None not in said[10:]


def test_no_mask_at_all_is_late_without_end():
    assert told(*[math.inf] * 20)[-1] == math.inf
