"""What a person marks because the network missed it: the moment by a key, the place by the mouse."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from app.player import missed_commands
from engine.types import Rect, StateWord
from tests.fixtures.fakes import FakeSource
from tests.gui.conftest import FAKE
from tests.gui.test_region import drag

ALL = Rect(0, 0, 64, 48)
THERE = Rect(16, 12, 20, 18)
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(playing):
    return playing(FakeSource(frames=10_000, rate_hz=50))


@pytest.fixture
def standing(window, qtbot):
    window.transport.play_pause()
    qtbot.waitUntil(lambda: window.operator.status.word.word is StateWord.PAUSED)
    return window


def marked(window):
    """Boxes and times of what was marked, by the window's own pipeline."""
    return [(finding.box, finding.pts_s) for finding in window.missed.marked]


def shown_s(window):
    return window.operator.canvas.presentation.frame.pts_s


def is_drawn(window, box=THERE):
    """Whether the box's upper side is white, as nothing else on the red picture."""
    canvas = window.operator.canvas
    target, frame = canvas.picture_rect(), canvas.presentation.frame
    scale = target.width() / frame.width_px
    line = canvas.grab(target.toRect()).toImage().convertToFormat(QImage.Format.Format_RGB32)
    y = round(box.y * scale)
    levels = {
        line.pixelColor(x, y).green() for x in range(round(box.x * scale), round((box.x + box.w) * scale))
    }
    return max(levels) > 200


def test_the_key_alone_keeps_the_moment_with_all_of_the_view(standing, press):
    at_s = shown_s(standing)

    press(standing, Qt.Key.Key_M)

    assert marked(standing) == [(ALL, at_s)]
    assert standing.operator.answer.text.startswith("Marked at 0:")


def test_a_drag_behind_the_key_gives_the_place_in_the_picture_that_it_was_made_on(standing, press):
    press(standing, Qt.Key.Key_M)
    drag(standing, THERE)

    assert marked(standing) == [(THERE, shown_s(standing))]
    assert standing.operator.answer.text == "Marked there"
    assert not standing.drag.asked


def test_a_click_behind_the_key_gives_the_place_and_dismisses_nothing(standing, press):
    press(standing, Qt.Key.Key_M)
    drag(standing, Rect(10, 24, 0, 0))

    ((box, _),) = marked(standing)
    assert (box.x + box.w // 2, box.y + box.h // 2) == (10, 24)
    assert "dismissed" not in standing.operator.answer.text


def test_it_is_drawn_on_its_own_picture_in_a_line_of_its_own_and_taken_back_it_is_gone(
    standing, qtbot, press
):
    press(standing, Qt.Key.Key_M)
    drag(standing, THERE)
    qtbot.waitUntil(lambda: is_drawn(standing))
    at_s = shown_s(standing)

    standing.transport.step_on()
    qtbot.waitUntil(lambda: shown_s(standing) > at_s and not is_drawn(standing))
    standing.transport.step_back()
    qtbot.waitUntil(lambda: shown_s(standing) == at_s and is_drawn(standing))

    press(standing, Qt.Key.Key_M, SHIFT)
    qtbot.waitUntil(lambda: not is_drawn(standing))
    assert marked(standing) == []
    press(standing, Qt.Key.Key_M, SHIFT)
    assert standing.operator.answer.text == "You have marked nothing here"


def test_while_it_plays_it_is_seen_for_longer_than_a_frame(window, qtbot, press):
    press(window, Qt.Key.Key_M)
    drag(window, THERE)
    ((_, at_s),) = marked(window)

    qtbot.waitUntil(lambda: shown_s(window) > at_s + 0.3)
    assert is_drawn(window)
    qtbot.waitUntil(lambda: shown_s(window) > at_s + missed_commands.SHOWN_S and not is_drawn(window))


def test_each_moment_is_a_point_on_the_way_through_the_recording(standing, qtbot, press):
    slider = standing.operator.transport.slider
    press(standing, Qt.Key.Key_M)
    qtbot.waitUntil(lambda: slider.points == (round(1000 * shown_s(standing)),))
    before = slider.grab().toImage()

    press(standing, Qt.Key.Key_M, SHIFT)
    qtbot.waitUntil(lambda: slider.points == ())
    assert slider.grab().toImage() != before


def test_esc_keeps_the_moment_and_the_next_click_is_for_findings_again(standing, press):
    press(standing, Qt.Key.Key_M)
    press(standing, Qt.Key.Key_Escape)
    drag(standing, THERE)

    assert [box for box, _ in marked(standing)] == [ALL]


def test_after_a_while_no_place_is_waited_for(standing, qtbot, press, monkeypatch):
    monkeypatch.setattr(missed_commands, "PLACE_MS", 10)
    press(standing, Qt.Key.Key_M)

    qtbot.waitUntil(lambda: not standing.drag.asked)
    assert [box for box, _ in marked(standing)] == [ALL]


def test_a_region_that_is_asked_for_meanwhile_gets_the_drag(standing, press):
    press(standing, Qt.Key.Key_M)
    press(standing, Qt.Key.Key_R, CTRL)
    drag(standing, Rect(4, 4, 50, 40))

    assert [box for box, _ in marked(standing)] == [ALL]
    assert standing.operator.answer.text == "Region as drawn"
    standing.region.find()


def test_without_a_picture_there_is_nothing_to_mark(make_window):
    assert make_window().missed.mark() == "There is no picture to mark"


def test_another_source_begins_with_no_marks(standing, qtbot, press):
    press(standing, Qt.Key.Key_M)
    standing.opening.open(FAKE)

    qtbot.waitUntil(lambda: marked(standing) == [])
