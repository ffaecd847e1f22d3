"""Keys and slider against a real recording whose pictures carry their number: a wrong frame is read."""

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from app.player.places import Place
from engine.sources.base import SourceSpec
from engine.types import StateWord
from tests.fixtures.clips import CLIPS, made, number_in

CLIP = "fragmented.mp4"  # variable rate, B-frames, time stamps from 5 s on
TIMES_MS = CLIPS[CLIP].times_ms
SHIFT, CTRL, NONE = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.NoModifier,
)


@pytest.fixture
def window(playing, tmp_path_factory, qtbot):
    """A recording, paused on its first frame and indexed."""
    window = playing(None, SourceSpec("file", str(made(CLIP, tmp_path_factory))))
    window.transport.play_pause()
    qtbot.waitUntil(lambda: window.operator.status.word.word is StateWord.PAUSED)
    window.transport.to_start()
    qtbot.waitUntil(lambda: shown(window) == 0 and "/ 120" in window.operator.transport.frame_text)
    window.operator.canvas.setFocus()
    return window


def shown(window):
    """The number painted into the picture that the canvas holds."""
    return number_in(window.operator.canvas.presentation.frame.image)


def press(window, key, modifiers=NONE):
    QTest.keyClick(window.focusWidget(), key, modifiers)


def frame_at(ms):
    """Rank of the frame that is on the screen `ms` after the first one."""
    return sum(1 for at_ms in TIMES_MS if at_ms - TIMES_MS[0] <= ms) - 1


def test_full_stop_and_comma_step_exactly_one_frame(window, qtbot):
    for expected, key in ((1, "."), (2, "."), (3, "."), (2, ","), (1, ",")):
        press(window, key)
        qtbot.waitUntil(lambda expected=expected: shown(window) == expected)


def test_a_stepped_frame_comes_with_its_own_marks(window, qtbot):
    press(window, ".")
    canvas = window.operator.canvas

    qtbot.waitUntil(lambda: shown(window) == 1 and canvas.presentation.result is not None)
    assert canvas.presentation.result.number == canvas.presentation.frame.number


def test_shift_and_arrows_go_a_second_and_home_and_end_to_the_ends(window, qtbot):
    press(window, Qt.Key.Key_Right, SHIFT)
    qtbot.waitUntil(lambda: shown(window) == frame_at(1000))
    press(window, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: shown(window) == 119)
    press(window, Qt.Key.Key_Left, SHIFT)
    qtbot.waitUntil(lambda: shown(window) == frame_at(TIMES_MS[119] - TIMES_MS[0] - 1000))
    press(window, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: shown(window) == 0)


def test_a_minute_on_from_near_the_end_is_the_last_frame_and_back_the_first(window, qtbot):
    press(window, Qt.Key.Key_Right, CTRL)
    qtbot.waitUntil(lambda: shown(window) == 119)
    press(window, Qt.Key.Key_Left, CTRL)
    qtbot.waitUntil(lambda: shown(window) == 0)


def test_a_click_on_the_slider_shows_the_frame_of_that_moment(window, qtbot):
    slider = window.operator.transport.slider
    where = QPointF(slider.width() * 0.6, slider.height() / 2).toPoint()
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, NONE, where)
    asked_ms = slider.value()
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, NONE, where)

    assert 0.5 < asked_ms / slider.maximum() < 0.7
    qtbot.waitUntil(lambda: shown(window) == frame_at(asked_ms))


def test_while_the_handle_is_held_the_recording_does_not_pull_it_away(window, qtbot):
    slider = window.operator.transport.slider
    where = QPointF(slider.width() * 0.5, slider.height() / 2).toPoint()
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, NONE, where)
    held_at = slider.value()
    qtbot.waitUntil(lambda: shown(window) == frame_at(held_at))
    window.transport.to_end()
    qtbot.waitUntil(lambda: shown(window) == 119)

    assert slider.value() == held_at
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, NONE, where)


def test_l_and_j_climb_the_ladder_and_k_comes_back_to_normal_speed(window, qtbot):
    window.transport.second_on()
    qtbot.waitUntil(lambda: shown(window) == frame_at(1000))
    text = window.operator.transport
    for key, expected in (("L", "1x"), ("L", "2x"), ("J", "−1x"), ("K", "1x")):
        press(window, key)
        qtbot.waitUntil(lambda expected=expected: text.speed_text == expected)
        state = StateWord.PAUSED if key == "K" else StateWord.PLAYING
        qtbot.waitUntil(lambda state=state: window.operator.status.word.word is state)


def test_the_row_says_which_frame_and_when_counted_from_the_first(window, qtbot):
    row = window.operator.transport
    assert window.operator.canvas.presentation.frame.pts_s > 0, "this recording does not start at 0"
    assert row.time_text == "0:00:00.000"
    press(window, ".")
    qtbot.waitUntil(lambda: row.frame_text == "frame 1 / 120")

    assert row.time_text == f"0:00:00.{TIMES_MS[1] - TIMES_MS[0]:03}"


def test_g_goes_to_a_frame_or_a_time_and_says_what_is_outside(window, qtbot):
    field = window.over.go_to_field
    stamp = f"p{window.operator.canvas.presentation.frame.pts_s:g}"  # of the first frame, in the file
    for typed, expected in (("57", 57), ("f3", 3), ("0:01.5", frame_at(1500)), (stamp, 0)):
        press(window, "G")
        assert window.focusWidget() is field.field
        QTest.keyClicks(field.field, typed)
        press(window, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda expected=expected: shown(window) == expected)
        assert not field.isVisible()
        assert window.focusWidget() is window.operator.canvas
    press(window, "G")
    QTest.keyClicks(field.field, "120")
    press(window, Qt.Key.Key_Return)
    assert "frames 0 to 119" in field.hint
    assert field.isVisible()
    press(window, Qt.Key.Key_Escape)
    assert not field.isVisible()


def test_a_loop_is_played_again_and_again_to_its_exact_ends(window, qtbot):
    seen = []
    canvas = window.operator.canvas
    canvas.on_painted = lambda presentation, *_: seen.append(number_in(presentation.frame.image))
    for frame, key in ((10, "I"), (14, "O")):
        window.transport.go_to_place(Place(frame, None, ""))
        qtbot.waitUntil(lambda frame=frame: shown(window) == frame)
        press(window, key)
    qtbot.waitUntil(lambda: window.operator.transport.slider.marked is not None)
    del seen[:]
    window.transport.to_start()
    press(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: seen.count(14) >= 3)

    after = seen[seen.index(14) :]
    assert max(seen) == 14
    assert min(after) == 10
    assert {10, 14} <= set(after)
    press(window, "O", SHIFT)
    qtbot.waitUntil(lambda: shown(window) > 16)
    qtbot.waitUntil(lambda: window.operator.transport.slider.marked is None)


def test_a_loop_to_the_last_frame_goes_round_and_does_not_end(window, qtbot):
    window.transport.go_to_place(Place(115, None, ""))
    qtbot.waitUntil(lambda: shown(window) == 115)
    press(window, "I")
    press(window, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: shown(window) == 119)
    press(window, "O")
    press(window, "G")  # a place inside the loop
    QTest.keyClicks(window.over.go_to_field.field, "116")
    press(window, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shown(window) == 116)
    press(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: shown(window) == 119)

    qtbot.waitUntil(lambda: shown(window) == 115)
    assert window.operator.status.word.word is StateWord.PLAYING


def test_a_loop_that_would_end_before_it_begins_is_refused_in_words(window, qtbot):
    window.transport.go_to_place(Place(20, None, ""))
    qtbot.waitUntil(lambda: shown(window) == 20)
    press(window, "I")
    press(window, ",")
    qtbot.waitUntil(lambda: shown(window) == 19)
    press(window, "O")

    assert window.operator.answer.text == "The loop ends before it begins"


def test_plain_arrows_go_five_seconds(window, qtbot):
    press(window, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: shown(window) == frame_at(5000))
    press(window, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: shown(window) == 0)


def test_the_wheel_over_the_time_line_goes_a_second(window, qtbot):
    row = window.operator.transport
    row.wheel_turned.emit(1)
    qtbot.waitUntil(lambda: shown(window) == frame_at(1000))
    row.wheel_turned.emit(-1)
    qtbot.waitUntil(lambda: shown(window) == 0)


def test_a_loop_set_while_it_plays_begins_at_once(window, qtbot):
    window.transport.go_to_place(Place(30, None, ""))
    qtbot.waitUntil(lambda: shown(window) == 30)
    press(window, "I")
    press(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: shown(window) >= 40)
    press(window, "O")

    qtbot.waitUntil(lambda: shown(window) < 40)
