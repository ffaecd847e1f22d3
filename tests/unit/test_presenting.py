import pytest

from engine.live.mask_choice import mask_for, waits_for_mask
from engine.live.pacing import NetworkPace
from engine.types import Field, Rect, Size
from tests.fixtures.values import frame, result


def test_a_frame_gets_its_own_mask():
    own = result(5)

    assert mask_for(frame(5), [result(4), own], live=False) == (own, 0.0)


def test_without_its_own_a_frame_gets_the_newest_older_mask_with_its_age():
    chosen, age_s = mask_for(frame(6), [result(3), result(4)], live=False)

    assert chosen.number == 4
    assert age_s == pytest.approx(2 / 30)


def test_a_mask_older_than_120_ms_is_never_drawn():
    assert mask_for(frame(9, pts_s=1.119), [result(5, pts_s=1.0)], live=False) is not None
    assert mask_for(frame(9, pts_s=1.121), [result(5, pts_s=1.0)], live=False) is None


def test_a_mask_of_a_later_frame_is_never_drawn_on_an_earlier_one():
    assert mask_for(frame(5), [result(6)], live=False) is None


def test_a_mask_from_before_a_seek_is_never_drawn_after_it():
    assert mask_for(frame(6, serial=1), [result(5, serial=0)], live=False) is None


def test_a_mask_of_another_picture_size_is_never_drawn():
    assert mask_for(frame(6, size=Size(16, 12)), [result(5)], live=True) is None
    assert mask_for(frame(6, size=Size(6, 8)), [result(6)], live=True) is None


def test_a_mask_of_another_field_is_never_drawn_what_was_picture_there_may_be_a_panel_here():
    here, there = Field(Rect(0, 0, 4, 6)), Field(Rect(4, 0, 4, 6))

    assert mask_for(frame(6, field=here), [result(5, field=there)], live=True) is None
    assert mask_for(frame(6, field=here), [result(5, field=here)], live=True) is not None


def test_of_two_masks_of_one_frame_the_later_is_drawn():
    before, after = result(5), result(5)

    assert mask_for(frame(5), [before, after], live=False)[0] is after


def test_played_backwards_a_frame_gets_the_mask_of_the_one_seen_before_it():
    later_in_the_file = result(5, pts_s=1.04)

    assert mask_for(frame(6, pts_s=1.0), [later_in_the_file], live=False)[1] == pytest.approx(0.04)


def test_a_due_frame_waits_a_little_for_its_own_mask():
    due = frame(6, due_s=10.0)
    at_it = NetworkPace(number=6, since_s=9.99, takes_s=0.025)

    assert waits_for_mask(due, [result(5)], at_it, now_s=10.005, wait_s=0.020)
    assert not waits_for_mask(due, [result(5)], at_it, now_s=10.021, wait_s=0.020)
    assert not waits_for_mask(due, [result(5), result(6)], at_it, now_s=10.005, wait_s=0.020)


def test_nobody_waits_for_a_mask_that_will_come_too_late():
    due = frame(6, due_s=10.0)

    assert not waits_for_mask(due, [result(5)], NetworkPace(6, 9.99, 0.035), now_s=10.0, wait_s=0.020)
    assert not waits_for_mask(due, [result(5)], NetworkPace(5, 9.99, 0.025), now_s=10.0, wait_s=0.020)


def test_nobody_waits_for_a_mask_that_will_never_come():
    due = frame(6, due_s=10.0)

    assert not waits_for_mask(due, [result(5)], NetworkPace(8, 9.99, 0.005), now_s=10.0, wait_s=0.020)
    assert not waits_for_mask(due, [], NetworkPace(), now_s=10.0, wait_s=0.020)
