"""What J, K, L, - and + mean."""

import pytest

from app.player.playback import next_speed, shuttle


def test_l_starts_at_normal_speed_and_doubles_up_to_eight():
    speed, running, speeds = 1.0, False, []
    for _ in range(5):
        speed = shuttle(speed, running=running, direction=1)
        running = True
        speeds.append(speed)

    assert speeds == [1, 2, 4, 8, 8]


def test_j_goes_backwards_in_the_same_steps():
    assert shuttle(1.0, running=False, direction=-1) == -1
    assert shuttle(-1.0, running=True, direction=-1) == -2
    assert shuttle(-8.0, running=True, direction=-1) == -8


@pytest.mark.parametrize(("speed", "direction"), [(4.0, -1), (-4.0, 1)])
def test_turning_round_starts_at_normal_speed(speed, direction):
    assert shuttle(speed, running=True, direction=direction) == direction


def test_from_slow_motion_the_next_step_up_is_normal_speed():
    assert shuttle(0.25, running=True, direction=1) == 1


def test_the_speed_goes_step_by_step_from_a_tenth_to_eightfold_and_keeps_its_direction():
    assert next_speed(1.0, -1) == 0.5
    assert next_speed(0.1, -1) == 0.1
    assert next_speed(8.0, +1) == 8.0
    assert next_speed(-2.0, +1) == -4.0
