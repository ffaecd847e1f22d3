"""What of the picture the network looks at, as a person sets it: by hand, kept, found, all of it."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel

from app.start.regions import Regions
from engine.sources.base import SourceSpec
from engine.types import Field, Rect
from tests.fixtures.fakes import FakeSource
from tests.gui.conftest import FAKE

CTRL, CTRL_SHIFT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
)
DRAWN = Rect(8, 4, 40, 36)  # of a frame of 64 x 48
OTHER = SourceSpec("file", "/fake/other.mp4")
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(autouse=True)
def nothing_remembered():
    yield
    for spec in (FAKE, OTHER):
        Regions().keep(spec, None)


@pytest.fixture
def window(playing):
    return playing(FakeSource(frames=10_000, rate_hz=50))


def looked_at(window):
    """The part of the frame that the network is shown."""
    shown = window.operator.canvas.presentation
    return None if shown is None or shown.frame.field is None else shown.frame.field.box


def drag(window, box=DRAWN):
    canvas = window.operator.canvas
    frame, target = canvas.presentation.frame, canvas.picture_rect()
    x_scale, y_scale = target.width() / frame.width_px, target.height() / frame.height_px
    start = QPointF(target.x() + box.x * x_scale, target.y() + box.y * y_scale)
    end = QPointF(start.x() + box.w * x_scale, start.y() + box.h * y_scale)
    for kind, at in (
        (QEvent.Type.MouseButtonPress, start),
        (QEvent.Type.MouseMove, (start + end) / 2),
        (QEvent.Type.MouseButtonRelease, end),
    ):
        button = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else LEFT
        where = QPointF(canvas.mapToGlobal(at))
        event = QMouseEvent(kind, at, where, button, LEFT, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(canvas, event)


def whites(window):
    """How many pixels of the red picture are white or nearly: corner marks are."""
    canvas = window.operator.canvas
    target = canvas.picture_rect().toRect()
    image = canvas.grab(target).toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
    return int(np.count_nonzero(pixels[..., :3].min(axis=-1) > 120))


def test_a_region_is_dragged_and_the_network_looks_at_it(window, qtbot, press):
    press(window, Qt.Key.Key_R, CTRL)
    drag(window)

    assert window.operator.answer.text == "Region as drawn"
    qtbot.waitUntil(lambda: looked_at(window) == DRAWN)
    assert not window.drag.asked
    assert window.operator.canvas.cursor().shape() is Qt.CursorShape.ArrowCursor


def test_without_being_asked_for_a_drag_marks_nothing_and_a_click_neither(window, press):
    drag(window)
    press(window, Qt.Key.Key_R, CTRL)
    drag(window, Rect(20, 20, 0, 0))

    assert Regions().of(FAKE) is None
    assert window.operator.answer.text == "Too small for a region: it stays as it was"


def test_what_is_kept_is_shown_by_corner_marks_once_more(window, qtbot, press):
    press(window, Qt.Key.Key_R, CTRL)
    drag(window)
    qtbot.waitUntil(lambda: looked_at(window) == DRAWN)
    window.operator.canvas.show_beside("field", ())
    press(window, Qt.Key.Key_K, CTRL)

    assert whites(window) > 20


def test_esc_ends_the_asking_and_leaves_full_screen_only_the_second_time(window, qtbot, press):
    window.view.toggle_full_screen()
    press(window, Qt.Key.Key_R, CTRL)
    assert window.drag.asked

    press(window, Qt.Key.Key_Escape)
    assert not window.drag.asked
    assert window.full_screen.is_on
    drag(window)
    assert Regions().of(FAKE) is None

    press(window, Qt.Key.Key_Escape)
    assert not window.full_screen.is_on


def test_the_region_is_kept_found_or_all_of_it_by_keys_that_answer(window, qtbot, press):
    press(window, Qt.Key.Key_R, CTRL)
    drag(window)
    qtbot.waitUntil(lambda: looked_at(window) == DRAWN)

    press(window, Qt.Key.Key_E, CTRL_SHIFT)
    assert window.operator.answer.text == "The whole frame is looked at"
    qtbot.waitUntil(lambda: looked_at(window) == Rect(0, 0, 64, 48))
    press(window, Qt.Key.Key_K, CTRL)
    assert Regions().of(FAKE) == Field(Rect(0, 0, 64, 48))
    press(window, Qt.Key.Key_E, CTRL)
    assert window.operator.answer.text == "Region found by itself"
    assert Regions().of(FAKE) == "field"


def test_each_source_remembers_its_own(window, qtbot, press):
    press(window, Qt.Key.Key_R, CTRL)
    drag(window)
    qtbot.waitUntil(lambda: looked_at(window) == DRAWN)

    for spec, box in ((OTHER, Rect(0, 0, 64, 48)), (FAKE, DRAWN)):
        window.opening.open(spec)
        qtbot.waitUntil(lambda box=box: looked_at(window) == box)


def test_what_a_person_chose_is_said_for_as_long_as_it_holds_also_the_next_time(window, qtbot, press):
    def said():
        return [label.toolTip() for label in window.operator.status.findChildren(QLabel)]

    press(window, Qt.Key.Key_R, CTRL)
    drag(window)
    qtbot.waitUntil(lambda: any("region by hand" in text for text in said()))

    window.opening.open(OTHER)
    assert not any("region by hand" in text for text in said())
    window.opening.open(FAKE)
    qtbot.waitUntil(lambda: any("region by hand" in text for text in said()))
    press(window, Qt.Key.Key_E, CTRL_SHIFT)
    assert any("whole frame" in text for text in said())
    press(window, Qt.Key.Key_E, CTRL)
    assert not any("region" in text or "whole frame" in text for text in said())


def test_corner_marks_show_the_region_at_each_change_and_none_where_it_is_all_of_it(
    playing, qtbot, press, monkeypatch
):
    monkeypatch.setattr("app.player.page.FIELD_SHOWN_MS", 600_000)
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    for box in (DRAWN, Rect(2, 2, 36, 34)):
        press(window, Qt.Key.Key_R, CTRL)
        drag(window, box)
        qtbot.waitUntil(lambda box=box: looked_at(window) == box)
        assert whites(window) > 20

    press(window, Qt.Key.Key_E, CTRL_SHIFT)
    qtbot.waitUntil(lambda: looked_at(window) == Rect(0, 0, 64, 48))
    assert whites(window) == 0, "all of it: nothing to be told"


def test_corner_marks_go_after_a_while(playing, qtbot, press, monkeypatch):
    monkeypatch.setattr("app.player.page.FIELD_SHOWN_MS", 50)
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    press(window, Qt.Key.Key_R, CTRL)
    drag(window)
    qtbot.waitUntil(lambda: looked_at(window) == DRAWN)

    qtbot.waitUntil(lambda: whites(window) == 0)
