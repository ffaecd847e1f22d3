import pytest

from engine.live.state import SourceEvent as E
from engine.live.state import next_state, state_word
from engine.types import AiState as A
from engine.types import SourceState as S
from engine.types import StateWord as W


@pytest.mark.parametrize(
    ("state", "event", "after"),
    [
        (S.IDLE, E.OPEN, S.OPENING),
        (S.OPENING, E.FRAME, S.RUNNING),
        (S.OPENING, E.FAULT, S.FAILED),
        (S.RUNNING, E.PAUSE, S.PAUSED),
        (S.RUNNING, E.OVERDUE, S.NO_SIGNAL),
        (S.RUNNING, E.END, S.ENDED),
        (S.PAUSED, E.PLAY, S.RUNNING),
        (S.ENDED, E.PLAY, S.RUNNING),
        (S.NO_SIGNAL, E.FRAME, S.RUNNING),
        (S.RUNNING, E.LOST, S.NO_SIGNAL),
        (S.RUNNING, E.CLOSE, S.IDLE),
    ],
)
def test_a_source_moves_along_its_table(state, event, after):
    assert next_state(state, event) is after


def test_scrubbing_a_paused_recording_does_not_start_it():
    assert next_state(S.PAUSED, E.SEEK) is S.PAUSED
    assert next_state(S.PAUSED, E.FRAME) is S.PAUSED
    assert next_state(S.ENDED, E.SEEK) is S.PAUSED


def test_behind_a_frozen_live_picture_a_lost_signal_is_said():
    assert next_state(S.PAUSED, E.OVERDUE) is next_state(S.PAUSED, E.LOST) is S.NO_SIGNAL
    assert next_state(S.NO_SIGNAL, E.PAUSE) is S.PAUSED


@pytest.mark.parametrize("state", [S.ENDED, S.FAILED, S.IDLE])
def test_an_overdue_frame_means_nothing_where_none_is_expected(state):
    assert next_state(state, E.OVERDUE) is state


def test_what_stops_the_picture_is_said_before_what_stops_the_masks():
    assert state_word(S.NO_SIGNAL, A.FAULT, live=True, stale=True) is W.NO_SIGNAL
    assert state_word(S.RUNNING, A.FAULT, live=True, stale=True) is W.AI_FAULT
    assert state_word(S.RUNNING, A.OFF, live=True, stale=True) is W.AI_OFF
    assert state_word(S.RUNNING, A.ON, live=True, stale=True) is W.STALE


def test_only_a_running_source_with_fresh_masks_is_live_or_playing():
    assert state_word(S.RUNNING, A.ON, live=True, stale=False) is W.LIVE
    assert state_word(S.RUNNING, A.ON, live=False, stale=False) is W.PLAYING
    for state in (S.IDLE, S.OPENING, S.PAUSED, S.ENDED, S.NO_SIGNAL, S.FAILED):
        assert state_word(state, A.ON, live=True, stale=False) not in (W.LIVE, W.PLAYING)
