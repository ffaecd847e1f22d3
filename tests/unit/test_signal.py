"""Frozen, late: told from what the pictures are and when they came."""

import numpy as np
import pytest

from engine.sources.live.signal import CatchUp, DelayWatch, StillWatch


def picture(number):
    return np.full((4, 4), number * 8 % 256, np.uint8)


def frozen_at(numbers, rate_hz):
    """At which of these pictures the watch calls the sender frozen."""
    watch = StillWatch()
    return [
        place for place, number in enumerate(numbers) if watch.look(picture(number), 100.0 + place / rate_hz)
    ]


def test_identical_pictures_are_frozen_after_300_ms():
    frozen = frozen_at([*range(50), *[50] * 25], rate_hz=50)

    assert frozen[0] in (65, 66)
    assert frozen[-1] == 74


def test_a_sender_that_is_frozen_from_its_first_picture_is_frozen():
    assert frozen_at([7] * 25, rate_hz=25)[0] == 8


def test_a_picture_that_moves_again_is_not_frozen():
    assert max(frozen_at([*[0] * 25, *range(1, 50)], rate_hz=25)) == 24


@pytest.mark.parametrize(
    ("numbers", "rate_hz"),
    [
        ([n // 2 for n in range(240)], 60),
        (list(range(40)), 2),
        ([n // 2 for n in range(40)], 3),
        ([n // 6 for n in range(240)], 60),
    ],
    ids=["30 Hz sent as 60", "2 Hz", "1.5 Hz sent as 3", "10 Hz sent as 60"],
)
def test_pictures_that_are_sent_twice_and_slow_sources_are_not_frozen(numbers, rate_hz):
    assert frozen_at(numbers, rate_hz) == []


def test_a_slow_picture_in_a_fast_stream_does_not_flap_once_it_is_known():
    numbers = [n // 30 for n in range(600)]  # 2 Hz sent as 60

    assert [place for place in frozen_at(numbers, 60) if place > 120] == []


def behind(stamps_and_arrivals):
    watch = DelayWatch()
    return [watch.look(pts_s, arrived_s) for pts_s, arrived_s in stamps_and_arrivals]


def test_twenty_stalls_of_350_ms_leave_the_picture_seven_seconds_behind():
    stalled = [(n / 25, 50 + n / 25 + 0.35 * (n // 25)) for n in range(525)]

    assert behind(stalled)[-1] == pytest.approx(7.0, abs=0.05)


def test_a_delay_is_told_within_the_first_second():
    assert behind([(n / 25, 50 + n / 25 + (0.6 if n > 10 else 0)) for n in range(25)])[-1] > 0.5


def test_clocks_that_drift_are_no_delay():
    assert max(behind([(n / 25, 50 + n / 25 * 1.0002) for n in range(0, 25 * 3600, 25)])) < 0.1


@pytest.mark.parametrize("jump_s", [-1000.0, 1000.0])
def test_time_stamps_that_jump_are_no_delay_and_hide_none(jump_s):
    late = [(n / 25, 50 + n / 25 + 2.0 * (n >= 25)) for n in range(50)]
    later = [(n / 25 + jump_s, 52 + n / 25) for n in range(50, 100)]

    seen = behind(late + later)

    assert max(seen[:25]) < 0.01
    assert seen[-1] == pytest.approx(2.0, abs=0.1)


def test_who_catches_up_is_no_longer_behind():
    assert behind([(0, 50), (0.04, 50.04), (0.08, 53), (3.0, 53.0)])[-1] == pytest.approx(0, abs=0.01)


def test_who_is_late_skips_to_the_next_keyframe_only_while_newer_packets_wait():
    catch_up = CatchUp()

    assert not any(catch_up.look(0.04, 0.01, 7.0) for _ in range(50)), "the sender itself is late"
    assert not any(catch_up.look(0.0, 0.01, 0.1) for _ in range(50)), "not late"
    assert catch_up.look(0.0, 0.01, 1.0)
    assert not catch_up.look(0.04, 0.01, 1.0)


def test_a_busy_machine_that_hands_over_waiting_packets_slowly_still_catches_up():
    catch_up = CatchUp()

    assert not any(catch_up.look(0.006, 0.01, 1.0) for _ in range(50)), "a quick decoder needs no skip"
    assert [catch_up.look(0.006, 0.08, 1.0) for _ in range(10)][-1]


def noisy(number, clock=True, picture=True):
    """Lines of a recorder's screen: a camera's picture with its noise, and a clock beside it."""
    lines = np.full((68, 960), 16, np.uint8)
    random = np.random.default_rng(number if picture else 0)
    lines[4:60, 300:900] = random.normal(120, 4, (56, 600)).clip(0, 255)
    if clock:
        lines[4:6, 20 + number % 40 : 60 + number % 40] = 230
    return lines


def still_at(pictures):
    watch = StillWatch()
    return [(watch.look(picture, 100.0 + n / 25) > 0, watch.clock_runs) for n, picture in enumerate(pictures)]


def test_a_picture_that_stands_beside_a_clock_that_runs_is_frozen_and_told_apart_from_a_stalled_sender():
    held = still_at([noisy(n, picture=n < 25) for n in range(60)])
    stalled = still_at([noisy(min(n, 25)) for n in range(60)])

    assert not any(frozen for frozen, _ in held[:26])
    assert all(held[n] == (True, True) for n in range(36, 60))
    assert all(stalled[n] == (True, False) for n in range(36, 60))


def test_a_camera_at_rest_is_not_frozen_by_its_noise_with_or_without_a_clock():
    assert not any(frozen for frozen, _ in still_at([noisy(n) for n in range(50)]))
    assert not any(frozen for frozen, _ in still_at([noisy(n, clock=False) for n in range(50)]))


def test_something_small_that_wanders_over_the_picture_is_no_clock():
    pictures = [noisy(0, picture=False) for _ in range(50)]
    for n, lines in enumerate(pictures):
        x, y = 300 + 60 * (n % 10), 4 * (n % 13)
        lines[y : y + 4, x : x + 20] = 250

    assert not any(frozen for frozen, _ in still_at(pictures))
