from engine.pacing import MediaClock, hand_over_s, is_too_late


def test_a_frame_is_due_at_its_own_time_stamp():
    clock = MediaClock(anchor_pts_s=10.0, anchor_s=100.0, speed=1.0)

    assert clock.due_s(10.5) == 100.5


def test_double_speed_halves_the_wait():
    clock = MediaClock(anchor_pts_s=10.0, anchor_s=100.0, speed=2.0)

    assert clock.due_s(11.0) == 100.5
    assert clock.pts_s(100.5) == 11.0


def test_a_frame_is_handed_over_once_the_one_before_it_is_on_the_screen():
    assert hand_over_s(due_s=1.033, previous_due_s=1.0) == 1.0


def test_a_frame_far_in_the_future_is_held_back():
    # A still that is due in 2 s must not sit in the presenter when somebody pauses or seeks.
    assert hand_over_s(due_s=3.0, previous_due_s=1.0) == 2.9


def test_a_frame_late_by_more_than_a_period_is_skipped():
    assert is_too_late(now_s=1.05, due_s=1.0, period_s=0.033, last_handed_s=1.0)
    assert not is_too_late(now_s=1.02, due_s=1.0, period_s=0.033, last_handed_s=1.0)


def test_even_an_always_late_decoder_shows_a_picture_now_and_then():
    assert not is_too_late(now_s=2.0, due_s=1.0, period_s=0.033, last_handed_s=1.7)
    assert not is_too_late(now_s=2.0, due_s=1.0, period_s=0.033, last_handed_s=None)
