"""What J, K, L, - and + mean."""

from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from app.player.playback import next_speed, shuttle
from app.player.transport_commands import TransportCommands
from engine.types import SourceState


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


@pytest.mark.parametrize(("state", "answer"), [(SourceState.PAUSED, "+1 frame"), (SourceState.FAILED, "")])
def test_of_a_recording_that_has_failed_no_key_says_that_it_moved(state, answer):
    commands, pipeline = TransportCommands(lambda: 0.0), Mock()
    commands.connect_to(pipeline)
    commands.take(SimpleNamespace(info=SimpleNamespace(seekable=True, live=False), source_state=state))

    assert commands.step_on() == answer
    assert pipeline.step.called is bool(answer)
