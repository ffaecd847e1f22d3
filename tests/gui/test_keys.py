"""The keys: one table, complete and without a clash; held keys; what a focused control keeps for itself."""

from collections import Counter

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QApplication, QComboBox, QLabel, QLineEdit

from app.actions_and_keys import ACTIONS
from app.shortcut_sheet import COLUMNS, ShortcutSheet
from app.widgets.action import SITUATIONS, Section, shown_keys
from engine.types import StateWord
from tests.fixtures.fakes import FakeSource

NONE = Qt.KeyboardModifier.NoModifier
ENTRIES = [entry for entries in ACTIONS.values() for entry in entries]


@pytest.fixture
def window(playing):
    return playing(FakeSource(frames=10_000, rate_hz=50))


def send(widget, kind, key, *, repeated=False):
    QApplication.sendEvent(widget, QKeyEvent(kind, key, NONE, "", repeated))


@pytest.mark.parametrize("there", SITUATIONS.values(), ids=SITUATIONS)
def test_every_action_has_a_key_of_its_own_wherever_it_makes_sense(there):
    able = [entry for entry in ENTRIES if entry.needs in there]
    keys = Counter(QKeySequence(key).toString() for entry in able for key in entry.keys)

    assert [key for key, times in keys.items() if times > 1 or not key] == []
    assert all(entry.keys for entry in ENTRIES)
    assert len({entry.id for entry in ENTRIES}) == len(ENTRIES)


def test_every_action_has_a_place_on_the_sheet_and_the_sheet_one_on_the_screen(window, qtbot):
    sheet = ShortcutSheet(window.actions_by_id)
    qtbot.addWidget(sheet)
    said = {label.text() for label in sheet.findChildren(QLabel)}

    assert {entry.text.rstrip("…") for entry in ENTRIES} <= said
    assert {shown_keys(entry.keys) for entry in ENTRIES} <= said
    assert sorted(place.name for places in COLUMNS for place in places) == sorted(p.name for p in Section)
    free = sheet.screen().availableSize()
    assert (sheet.width() <= free.width(), sheet.height() <= free.height()) == (True, True)


def test_every_control_has_a_name_and_every_icon_button_tells_its_key(window):
    silent = [
        button.accessibleName()
        for button in window.operator.findChildren(QAbstractButton)
        if button.property("flat") and "(" not in button.toolTip()
    ]

    assert silent == []
    kinds = (QAbstractButton, QComboBox, QAbstractSlider, QLineEdit)
    nameless = [
        widget
        for kind in kinds
        for widget in window.findChildren(kind)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not (widget.accessibleName() or getattr(widget, "text", str)())
    ]

    assert nameless == []


def test_every_visible_control_is_reached_by_tab(window):
    for part in (window.operator.panel.model, window.operator.status.first_focus):
        assert part.focusPolicy() & Qt.FocusPolicy.TabFocus
    focus = window.operator.status.first_focus
    focus.setFocus()
    walked = set()
    while focus not in walked:
        walked.add(focus)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
        focus = window.focusWidget()
        if focus is window.operator.canvas:
            break
    controls = {
        widget
        for kind in (QAbstractButton, QComboBox, QAbstractSlider)
        for widget in window.operator.findChildren(kind)
        if widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    }

    assert controls - walked == set()


def test_holding_h_shows_the_picture_without_marks_until_it_comes_up(window):
    canvas = window.operator.canvas
    canvas.setFocus()
    QTest.keyPress(canvas, Qt.Key.Key_H)
    held = canvas.raw
    assert "held back" in window.operator.notice.text, "no marks must not look like nothing found"
    send(canvas, QEvent.Type.KeyRelease, Qt.Key.Key_H, repeated=True)
    still_held = canvas.raw
    QTest.keyRelease(canvas, Qt.Key.Key_H)

    assert (held, still_held, canvas.raw) == (True, True, False)


def test_a_window_that_loses_the_focus_shows_the_marks_again(window, qtbot):
    window.activateWindow()
    window.operator.canvas.setFocus()
    QTest.keyPress(window.operator.canvas, Qt.Key.Key_H)
    assert window.operator.canvas.raw
    window.side_windows.show_sheet()  # another window takes the focus, and the key's release with it

    qtbot.waitUntil(lambda: not window.operator.canvas.raw)


def test_tab_folds_the_panel_from_the_picture_and_walks_on_from_a_control(window):
    panel = window.operator.panel
    window.operator.canvas.setFocus()
    QTest.keyClick(window.operator.canvas, Qt.Key.Key_Tab)
    folded = not panel.isVisible()
    QTest.keyClick(window.operator.canvas, Qt.Key.Key_Tab)
    panel.model.setFocus()
    QTest.keyClick(panel.model, Qt.Key.Key_Tab)

    assert folded
    assert panel.isVisible()
    assert window.focusWidget() is panel.runtime


def test_space_plays_from_the_picture_and_presses_a_button_that_has_the_focus(window, qtbot):
    button = next(
        b for b in window.operator.panel.findChildren(QAbstractButton) if b.accessibleName() == "Faults (0)"
    )
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert window.operator.panel.faults_fold.is_open
    assert window.operator.status.word.word.value == "PLAYING"

    window.operator.canvas.setFocus()
    QTest.keyClick(window.operator.canvas, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.operator.status.word.word.value == "PAUSED")


def test_after_a_choice_by_mouse_space_is_the_pictures_again(window, press, qtbot):
    preset = window.operator.panel.point.preset
    window.operator.canvas.setFocus()
    QTest.mouseClick(preset, Qt.MouseButton.LeftButton)
    rows = preset.view()
    qtbot.waitUntil(rows.isVisible)
    QTest.keyClick(rows, Qt.Key.Key_Return)  # a click on a row counts only half a second after the first
    qtbot.waitUntil(lambda: not rows.isVisible())
    press(window, Qt.Key.Key_Space)

    assert not rows.isVisible()
    qtbot.waitUntil(lambda: window.operator.status.word.word.value == "PAUSED")


def test_f6_goes_round_the_groups_of_controls(window):
    window.operator.canvas.setFocus()
    visited = []
    for _ in range(4):
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_F6)
        visited.append(window.focusWidget())

    assert visited == [
        window.operator.status.first_focus,
        window.operator.panel.model,
        window.operator.transport.slider,
        window.operator.canvas,
    ]


def test_a_live_source_can_be_frozen_and_has_no_other_playing_keys(playing):
    window = playing(FakeSource(live=True))

    assert window.actions_by_id["play-pause"].isEnabled()
    assert not window.actions_by_id["step-on"].isEnabled()
    assert not window.operator.transport.isVisible()


def test_space_freezes_a_live_picture_in_words_and_strips_and_shows_the_newest_again(playing, qtbot):
    window = playing(FakeSource(live=True, rate_hz=50))
    page, canvas = window.operator, window.operator.canvas
    canvas.setFocus()
    qtbot.waitUntil(lambda: page.status.word.word is StateWord.LIVE)
    QTest.keyClick(canvas, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: page.status.word.word is StateWord.PAUSED)
    old = canvas.presentation.frame.number
    qtbot.waitUntil(lambda: "Picture frozen by you; the stream goes on" in page.notice.text)
    assert [hatch.tone for hatch in page.hatches] == ["attention", "attention"]

    QTest.keyClick(canvas, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: page.status.word.word is StateWord.LIVE)
    assert canvas.presentation.frame.number > old
    qtbot.waitUntil(lambda: page.notice.text == "" and page.hatches[0].tone == "")


def test_a_frozen_picture_without_the_ai_says_both(playing, qtbot):
    window = playing(FakeSource(live=True, rate_hz=50))
    window.transport.play_pause()
    window.ai.toggle_ai()

    qtbot.waitUntil(lambda: "frozen by you" in window.operator.notice.text)
    qtbot.waitUntil(lambda: "nothing is marked" in window.operator.notice.text)
