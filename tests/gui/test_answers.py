"""A word on the screen answers every key; leaving a live picture is asked once."""

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QCloseEvent, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from app.actions_and_keys import ACTIONS
from app.player.key_answer import KeyAnswer
from engine.types import StateWord
from tests.fixtures.fakes import FakeSource


@pytest.fixture
def window(playing):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    window.operator.canvas.setFocus()
    return window


@pytest.fixture
def live(playing, qtbot):
    window = playing(FakeSource(live=True, rate_hz=50))
    window.operator.canvas.setFocus()
    qtbot.waitUntil(lambda: window.operator.status.word.word is StateWord.LIVE)
    return window


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (" ", "Pause"),
        (".", "+1 frame"),
        (",", "−1 frame"),
        ("L", "2x"),
        ("K", "Pause, 1x"),
        ("2", "Overlay: fill"),
        ("]", "Threshold 0.42"),
        ("A", "AI off"),
        ("Z", "Whole picture"),
    ],
)
def test_a_key_is_answered_in_a_word(window, key, said):
    if key == " ":
        QTest.keyClick(window.operator.canvas, Qt.Key.Key_Space)
    else:
        QTest.keyClick(window.operator.canvas, key)

    assert window.operator.answer.text == said


def test_arrows_are_answered_with_how_far_they_go(window, press):
    shift, control = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
    said = []
    for modifiers in (Qt.KeyboardModifier.NoModifier, shift, control):
        press(window, Qt.Key.Key_Right, modifiers)
        said.append(window.operator.answer.text)

    assert said == ["+5 s", "+1 s", "+1 min"]


def test_the_answer_goes_by_itself_and_lies_in_a_corner_of_the_picture(window, qtbot):
    QTest.keyClick(window.operator.canvas, "2")
    answer, canvas = window.operator.answer, window.operator.canvas.geometry()

    assert canvas.contains(answer.geometry())
    assert answer.geometry().left() > canvas.center().x()
    assert answer.geometry().bottom() < canvas.top() + canvas.height() / 4
    qtbot.waitUntil(lambda: answer.text == "", timeout=3000)


def test_a_key_that_makes_no_sense_now_says_so(live):
    QTest.keyClick(live.operator.canvas, ".")

    assert live.operator.answer.text == "Only for recordings"


def test_enter_presses_the_button_that_has_the_focus(window, qtbot):
    button = window.operator.status.first_focus
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Return)

    qtbot.waitUntil(lambda: window.operator.answer.text == "AI off")


def test_a_right_click_on_the_picture_offers_the_actions(window, qtbot):
    canvas = window.operator.canvas
    middle = canvas.rect().center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, middle, canvas.mapToGlobal(middle))
    QApplication.sendEvent(canvas, event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    offered = {action.objectName() for action in menu.actions()}
    for section in menu.findChildren(QMenu):
        offered |= {action.objectName() for action in section.actions()}
    menu.close()

    assert {e.id for entries in ACTIONS.values() for e in entries if not e.released} <= offered


def test_leaving_a_live_picture_is_asked_once_and_the_picture_goes_on(live, qtbot, press):
    shown = live.operator.canvas.presentation.frame.number
    live.over.quit()

    assert live.isVisible()
    assert live.over.leaving.is_asking
    assert live.focusWidget() is live.over.leaving.stay, "Enter stays"
    qtbot.waitUntil(lambda: live.operator.canvas.presentation.frame.number > shown + 2)
    press(live, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not live.over.leaving.is_asking)
    assert live.isVisible()


def test_esc_stays_and_does_not_leave_full_screen(live, press):
    live.view.toggle_full_screen()
    live.over.quit()
    press(live, Qt.Key.Key_Escape)

    assert not live.over.leaving.is_asking
    assert live.full_screen.is_on
    assert live.focusWidget() is live.operator.canvas
    live.view.leave()


def test_a_second_time_leaves_the_live_picture(live):
    live.over.quit()
    live.over.quit()

    assert not live.isVisible()


def test_the_windows_own_button_is_asked_too_and_a_program_is_not(live):
    from_the_desktop = _Spontaneous()
    live.closeEvent(from_the_desktop)
    assert not from_the_desktop.isAccepted()
    assert live.over.leaving.is_asking
    live.close()

    assert not live.isVisible()


def test_a_recording_is_left_without_a_question(window):
    window.over.quit()

    assert not window.isVisible()


class _Spontaneous(QCloseEvent):
    """As the window system sends it."""

    def spontaneous(self):
        return True


def test_zooming_with_the_wheel_says_how_far(window):
    window.operator.canvas.zoomed.emit(1.25)

    assert window.operator.answer.text == "Zoom 1.2x"


def test_a_sentence_that_is_wider_than_the_picture_takes_more_lines_and_is_read_whole(qtbot):
    page = QWidget()
    qtbot.addWidget(page)
    answer = KeyAnswer(page)
    answer.keep_inside(QRect(0, 0, 400, 300), 20)
    answer.say("Kept as it was")
    line_px = answer.height()
    answer.say("Another window has this recording open: here it can be looked at, not changed.")
    assert answer.width() <= 400
    assert answer.height() > 1.5 * line_px
