import math

from engine.live.pacing import MediaClock, NetworkPace, is_too_late, lead_s, usual_s


def test_a_frame_is_due_at_its_own_time_stamp():
    clock = MediaClock(anchor_pts_s=10.0, anchor_s=100.0, speed=1.0)

    assert clock.due_s(10.5) == 100.5


def test_double_speed_halves_the_wait():
    clock = MediaClock(anchor_pts_s=10.0, anchor_s=100.0, speed=2.0)

    assert clock.due_s(11.0) == 100.5
    assert clock.pts_s(100.5) == 11.0


def test_a_frame_is_handed_over_a_period_and_the_networks_time_before_it_is_due():
    assert lead_s(period_s=1 / 64, network_takes_s=1 / 32) == 3 / 64
    assert lead_s(period_s=1 / 64, network_takes_s=None) == 1 / 64


def test_a_frame_far_in_the_future_is_held_back():
    # A still that is due in 2 s must not sit in the presenter when somebody pauses or seeks.
    assert lead_s(period_s=2.0, network_takes_s=0.01) == 0.1
    assert lead_s(period_s=0.03, network_takes_s=1.5) == 0.1


def test_a_few_slow_frames_do_not_make_the_usual_time():
    assert usual_s([0.01, 0.01, 0.5, 0.01, 0.02, 0.01]) == 0.02
    assert usual_s([0.03]) == 0.03


def test_a_mask_is_expected_when_the_network_is_done_with_what_it_is_at():
    busy = NetworkPace(number=5, since_s=10.0, takes_s=2.0)

    assert busy.mask_at_s(5, now_s=11.0) == 12.0
    assert busy.mask_at_s(6, now_s=11.0) == 14.0  # after the one before it
    assert busy.mask_at_s(6, now_s=13.0) == 15.0  # that one is late: its own time from now at the earliest
    assert NetworkPace(5, None, 2.0).mask_at_s(6, now_s=10.0) == 12.0


def test_a_frame_that_the_network_has_passed_over_gets_no_mask_any_more():
    assert NetworkPace(number=5, since_s=10.0, takes_s=0.03).mask_at_s(4, now_s=10.0) == math.inf
    assert NetworkPace(number=5, since_s=None, takes_s=0.03).mask_at_s(5, now_s=10.0) == math.inf


def test_nothing_is_expected_of_a_network_that_takes_more_than_twice_its_time():
    hangs = NetworkPace(number=5, since_s=10.0, takes_s=2.0)

    assert hangs.mask_at_s(5, now_s=14.5) == hangs.mask_at_s(6, now_s=14.5) == math.inf


def test_nothing_is_expected_of_a_network_that_has_never_run():
    assert NetworkPace().mask_at_s(0, now_s=10.0) == math.inf


def test_a_frame_late_by_more_than_a_period_is_skipped():
    assert is_too_late(now_s=1.05, due_s=1.0, period_s=0.033, last_handed_s=1.0)
    assert not is_too_late(now_s=1.02, due_s=1.0, period_s=0.033, last_handed_s=1.0)


def test_even_an_always_late_decoder_shows_a_picture_now_and_then():
    assert not is_too_late(now_s=2.0, due_s=1.0, period_s=0.033, last_handed_s=1.7)
    assert not is_too_late(now_s=2.0, due_s=1.0, period_s=0.033, last_handed_s=None)
