"""The settings page: rows made of the table of settings, and keys by pressing them."""

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from app.actions_and_keys import make_actions
from app.settings.keys import KeyMap, pressed
from app.settings.keys_page import KeysPage
from app.shortcut_sheet import ShortcutSheet
from engine.settings import ROWS, Settings, read_settings
from tests.fixtures.fakes import FakeSource

NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
ALT, CTRL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def path(tmp_path):
    return tmp_path / "settings.toml"


@pytest.fixture
def settings(playing, qtbot, path):
    """A window that plays in Live, with the settings in front."""

    def show(**launch):
        window = playing(FakeSource(frames=10_000, rate_hz=50), keeps=path, **launch)
        window.places.show("settings")
        qtbot.waitUntil(lambda: window.settings.page.general.rows["ai.model"].field.choice.count() > 1)
        return window

    return show


@pytest.fixture
def keys_page(qtbot):
    """The page of keys by itself, with the actions of a window that is not there."""
    holder = QObject()

    def make(own):
        keys = KeyMap(make_actions(holder, lambda: None, print), own, holder)
        page = KeysPage(keys)
        qtbot.addWidget(page)
        page.show()
        return page, keys

    yield make
    holder.deleteLater()


@pytest.fixture(autouse=True)
def what_is_here(monkeypatch):
    """Models, runtimes and decoders are looked for by the test of the table alone."""
    here = {
        "ai.model": lambda: {"": "", "polyp-one": ""},
        "ai.runtime": lambda: {"auto": "", "cuda": "no GPU"},
    }
    monkeypatch.setattr("app.settings.place.CHOICES", here)


def type_into(row, text):
    row.field.line.setText(text)
    row.field.line.editingFinished.emit()


def choose(row, value):
    row.field.choice.setCurrentIndex(row.field.choice.findData(value))
    row.field.choice.activated.emit(row.field.choice.currentIndex())


def test_every_setting_has_a_row_and_a_change_acts_is_kept_at_once_and_has_a_way_back(settings, qtbot, path):
    window = settings()
    rows = window.settings.page.general.rows
    assert list(rows) == list(ROWS)
    assert all(row.back.isHidden() for row in rows.values())

    choose(rows["overlay.style"], "box")
    rows["screen.side_panel"].field.box.click()
    type_into(rows["ai.threshold"], "0.3")
    window.preferences.close()  # at once: it only waits for the writer's thread
    kept = read_settings(path).settings
    assert (kept.overlay.style, kept.screen.side_panel, kept.ai.threshold) == ("box", False, 0.3)
    panel = window.operator.panel
    assert panel.overlay.selected == "box"
    qtbot.waitUntil(lambda: panel.point.threshold.value() == 30)
    window.places.show("live")
    assert panel.isHidden()


def test_a_wrong_value_is_said_beside_its_field_and_what_was_in_force_stays(settings, path):
    window = settings(over={"ai.preset": "The variable POLYPLIVE__AI__PRESET"})
    rows = window.settings.page.general.rows
    type_into(rows["ai.threshold"], "2")
    type_into(rows["review.sam_weights"], "/no/such/weights")
    window.ai.style_fill()  # something else changes meanwhile, and is shown here

    assert rows["ai.threshold"].wrong == "It should be less than 1."
    assert rows["review.sam_weights"].wrong.startswith("There is nothing at /no/such/weights")
    assert rows["overlay.style"].field.choice.currentData() == "fill"
    assert window.preferences.settings.ai.threshold is None

    rows["overlay.style"].back.click()
    rows["ai.threshold"].back.click()
    window.preferences.close()
    assert rows["ai.threshold"].wrong == rows["ai.threshold"].field.line.text() == ""
    assert read_settings(path).given == set()
    said = " ".join(label.text() for label in rows["ai.preset"].findChildren(QLabel))
    assert "The variable POLYPLIVE__AI__PRESET decides at every start" in said


def test_a_pressed_key_is_in_force_everywhere_and_at_the_next_start(settings, press, qtbot, path):
    window = settings()
    page, canvas = window.settings.page, window.operator.canvas
    page.search.setText("freeze a live")
    assert [action.entry.id for action in page.keys.table.listed] == ["play-pause"]
    assert page.keys.isVisible(), "what is found is what comes to the front"
    page.keys.editor.ask()
    press(window, Qt.Key.Key_F13, ALT)
    assert window.focusWidget() is page.keys.table
    tip = "Play or pause; freeze a live picture (Alt+F13)"
    sheet = ShortcutSheet(window.actions_by_id)
    qtbot.addWidget(sheet)

    assert {"Alt+F13"} <= {label.text() for label in sheet.findChildren(QLabel)}
    assert window.operator.transport.play.toolTip() == tip
    press(window, Qt.Key.Key_Escape)
    assert (window.page, page.search.text()) == (window.settings, ""), "first what is sought"
    press(window, Qt.Key.Key_Escape)
    assert (window.page, window.focusWidget()) == (window.operator, canvas), "Esc goes back"
    press(window, Qt.Key.Key_Space)
    press(window, Qt.Key.Key_F13, ALT)
    qtbot.waitUntil(lambda: window.operator.status.word.word.value == "PAUSED")
    window.preferences.close()
    assert read_settings(path).settings.keys == {"play-pause": ("Alt+F13",)}


def test_a_key_that_is_taken_says_by_what_and_is_swapped_or_left(keys_page):
    page, keys = keys_page({"full-screen": ("F",)})
    actions, editor = keys.actions, page.editor
    editor.show_action(actions["play-pause"])
    editor.ask()
    QTest.keyClick(editor.field, Qt.Key.Key_K)
    assert editor.said == "K is “Pause, back to normal speed”. Swapped, that gets Space."
    assert actions["play-pause"].keys == ("Space",)
    editor.swap.click()
    assert (actions["play-pause"].keys, actions["stop"].keys) == (("K",), ("Space",))

    editor.ask("")
    QTest.keyClick(editor.field, Qt.Key.Key_Tab)  # of the side panel; the focus does not walk on
    editor.leave.click()
    assert (actions["play-pause"].keys, actions["panel"].keys) == (("K",), ("Tab",))
    editor.ask("")
    QTest.keyClick(editor.field, Qt.Key.Key_Tab)
    editor.swap.click()
    assert (actions["play-pause"].keys, actions["panel"].keys) == (("K", "Tab"), ())

    editor.back.click()  # who has one of its own keys gives it back
    assert (actions["play-pause"].keys, actions["stop"].keys) == (("Space",), ())
    keys.reset_all()
    assert [id_ for id_, action in actions.items() if action.keys != action.entry.keys] == []


def test_a_key_is_free_where_its_other_action_makes_no_sense(keys_page):
    _, keys = keys_page({})

    assert keys.others("alarm", "N") == (), "the next finding is one of Review, the alarm one of Live"
    assert [one.entry.id for one in keys.others("play-pause", "N")] == ["finding-next"]


@pytest.mark.parametrize(
    ("key", "modifiers", "text"),
    [
        (Qt.Key.Key_F24, NONE, "F24"),
        (Qt.Key.Key_Question, SHIFT, "?"),  # Shift makes the sign
        (Qt.Key.Key_P, SHIFT | CTRL, "Ctrl+Shift+P"),
        (Qt.Key.Key_Backtab, SHIFT, "Shift+Tab"),
        (Qt.Key.Key_5, Qt.KeyboardModifier.KeypadModifier, "5"),
        (Qt.Key.Key_Shift, SHIFT, ""),
    ],
)
def test_a_key_is_called_as_the_table_of_actions_calls_it(key, modifiers, text):
    assert pressed(QKeyEvent(QEvent.Type.KeyPress, key, modifiers)) == text


def test_a_held_key_may_be_a_combination_and_text_fields_keep_theirs(settings, press, qtbot):
    window = settings(settings=Settings(keys={"raw": ("Ctrl+H",), "names": ("Ctrl+A",), "fit": ("Home",)}))
    search = window.settings.page.search
    search.setFocus()
    QTest.keyClicks(search, "hz")
    press(window, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert (search.text(), search.selectedText()) == ("hz", "hz")

    window.places.show("live")
    canvas = window.operator.canvas
    QTest.keyPress(canvas, Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier)
    held = canvas.raw
    QTest.keyRelease(canvas, Qt.Key.Key_Control)  # whichever comes up first
    assert (held, canvas.raw) == (True, False)


def test_keys_of_the_file_that_cannot_be_are_told_and_the_persons_own_go_before_the_programs(keys_page):
    _, keys = keys_page(
        {"jump": ("F13",), "stop": ("no key",), "forwards": ("Space",), "ai": ("Space",)},
    )
    said = [fault.sentence for fault in keys.faults]

    assert "keys.jump of the settings cannot be: there is no action jump" in said[0]
    assert "keys.stop of the settings cannot be: 'no key' is no key" in said[1]
    assert "keys.ai of the settings cannot be: Space is “Forwards, faster each time” already" in said[2]
    actions = keys.actions
    assert (actions["forwards"].keys, actions["play-pause"].keys) == (("Space",), ())
    assert (actions["stop"].keys, actions["ai"].keys) == (("K",), ("A",))


def test_settings_that_cannot_be_kept_are_told_and_told_no_more_once_they_can(make_window, qtbot, path):
    window = make_window(FakeSource(), keeps=path / "settings.toml")
    path.write_text("a file where the folder should be")
    window.ai.style_box()
    qtbot.waitUntil(lambda: "cannot be written" in window.start.notice.text)
    path.unlink()
    window.ai.style_fill()
    window.preferences.close()

    qtbot.waitUntil(lambda: not window.notices.has_notice)
