"""The canvas paints what it is given: these pixels, this shape, these marks."""

import dataclasses
import gc
import sys

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QApplication

from app.player.canvas import Canvas
from app.player.painter import Look
from engine.drawing.overlays import OVERLAYS, OverlayStyle
from engine.types import Component, Frame, Mask, OperatingPoint, Presentation, Rect, Result, TrackState

BLUE, GREEN, RED, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
BLACK = (0, 0, 0)
SKY_BLUE = OverlayStyle().colour


def quadrants(width_px=64, height_px=48):
    """uint8 [h, w, 4] BGRA, read-only: blue, green over red, white."""
    pixels = np.full((height_px, width_px, 4), 255, np.uint8)
    top, left = slice(0, height_px // 2), slice(0, width_px // 2)
    pixels[top, left, :3], pixels[top, width_px // 2 :, :3] = BLUE, GREEN
    pixels[height_px // 2 :, left, :3] = RED
    pixels.flags.writeable = False
    return pixels


def frame_of(pixels, number=0):
    height_px, width_px = pixels.shape[:2]
    return Frame(number, number, number / 25, 0.0, 0.0, width_px, height_px, pixels, None)


def square_finding(frame, box=Rect(20, 12, 24, 24)):
    """A finding with a square outline."""
    x, y, w, h = box.x, box.y, box.w, box.h
    outline = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.int32)
    component = Component(box, w * h, 0.9, 0.8, (outline,))
    mask = Mask(frame.number, np.zeros((4, 4), np.uint8), Rect(0, 0, frame.width_px, frame.height_px))
    point = OperatingPoint(0.5, 0.0)
    return Result(
        frame.number, frame.index, frame.pts_s, 0.0, 0, frame.size, mask, (component,), point, "m", "r"
    )


def plain(pixels, number=0):
    return Presentation(frame_of(pixels, number), None, None)


def marked(pixels, number=0):
    frame = frame_of(pixels, number)
    return Presentation(frame, square_finding(frame), 0.0)


@pytest.fixture
def canvas(qtbot):
    widget = Canvas()
    qtbot.addWidget(widget)
    widget.set_overlay(lambda result: OVERLAYS["contour"](result, OverlayStyle()))
    widget.resize(64, 48)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def painted(canvas):
    """uint8 [H, W, 3] BGR of the widget as it looks."""
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 4].reshape(image.height(), image.width(), 4)[..., :3].copy()


def at(picture, x, y):
    return tuple(int(value) for value in picture[y, x])


def has_marks(picture):
    sky_blue_bgr = np.array(SKY_BLUE[::-1])
    return bool(np.any(np.all(picture == sky_blue_bgr, axis=-1)))


def test_a_picture_of_the_canvas_size_is_painted_bit_by_bit(canvas):
    pixels = np.random.default_rng(1).integers(0, 256, (48, 64, 4), np.uint8)
    canvas.show_presentation(plain(pixels))

    assert np.array_equal(painted(canvas), pixels[..., :3])


def test_a_picture_is_scaled_to_the_canvas_and_black_lies_around_it(canvas):
    canvas.resize(200, 96)
    canvas.show_presentation(plain(quadrants()))

    rect = canvas.picture_rect()
    picture = painted(canvas)

    assert (rect.x(), rect.y(), rect.width(), rect.height()) == (36, 0, 128, 96)
    assert at(picture, 20, 48) == at(picture, 180, 48) == BLACK
    assert [at(picture, x, y) for x, y in ((50, 20), (150, 20), (50, 80), (150, 80))] == [
        BLUE,
        GREEN,
        RED,
        WHITE,
    ]


def test_pixels_that_are_not_square_are_shown_with_their_shape(canvas):
    canvas.resize(128, 48)
    canvas.show_presentation(plain(quadrants(32, 48)), pixel_aspect=2.0)

    assert (canvas.picture_rect().width(), canvas.picture_rect().height()) == (64, 48)


def test_the_outline_is_a_bright_line_in_a_dark_casing(canvas):
    canvas.resize(640, 480)
    canvas.show_presentation(marked(np.full((48, 64, 4), 255, np.uint8)))

    across = painted(canvas)[240, 180:220]  # over the left edge of the square, which lies at x = 20.5 * 10

    colours = {tuple(int(v) for v in pixel) for pixel in across}
    assert SKY_BLUE[::-1] in colours
    assert BLACK in colours


def test_marks_are_held_back_and_come_again(canvas):
    canvas.resize(640, 480)
    canvas.show_presentation(marked(quadrants()))
    before = painted(canvas)
    canvas.set_raw(True)
    raw = painted(canvas)
    canvas.set_raw(False)

    assert has_marks(before)
    assert not has_marks(raw)
    assert np.array_equal(painted(canvas), before)


def test_a_picture_without_a_result_has_no_marks_of_the_one_before(canvas):
    canvas.resize(640, 480)
    canvas.show_presentation(marked(quadrants(), 1))
    canvas.show_presentation(plain(quadrants(), 2))

    assert not has_marks(painted(canvas))


def test_another_style_is_drawn_on_the_picture_that_stands_there(canvas):
    canvas.resize(640, 480)
    canvas.show_presentation(marked(quadrants()))
    contour = painted(canvas)
    canvas.set_overlay(lambda result: OVERLAYS["fill"](result, OverlayStyle()))

    assert not np.array_equal(painted(canvas), contour)


def test_a_lost_signal_dims_and_crosses_the_last_picture_and_hides_its_marks(canvas):
    canvas.resize(640, 480)
    canvas.show_presentation(marked(np.full((48, 64, 4), 255, np.uint8)))
    canvas.set_look(Look.CROSSED)
    picture = painted(canvas)

    assert not has_marks(picture)
    assert max(at(picture, 320, 60)) < 128, "dimmed"
    assert at(picture, 320, 240) != at(picture, 320, 60), "crossed in the middle"


def test_an_ended_picture_is_dimmed_and_not_crossed(canvas):
    canvas.resize(640, 480)
    canvas.show_presentation(plain(np.full((48, 64, 4), 255, np.uint8)))
    canvas.set_look(Look.DIMMED)
    picture = painted(canvas)

    assert max(at(picture, 320, 60)) < 128
    assert at(picture, 320, 240) == at(picture, 320, 60)


def test_each_presentation_is_reported_once_when_it_has_been_painted(canvas):
    reports = []
    canvas.on_painted = lambda shown, start_s, end_s: reports.append((id(shown), end_s >= start_s))
    first, second = plain(quadrants(), 1), marked(quadrants(), 1)
    for presentation in (first, first, second):
        canvas.show_presentation(presentation)
        canvas.repaint()
        canvas.repaint()

    assert reports == [(id(first), True), (id(second), True)]


def on_screen(canvas):
    """uint8 [H, W, 3] BGR of what has been painted so far; `grab` paints all of it anew."""
    image = canvas.screen().grabWindow(canvas.winId()).toImage().convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 4].reshape(image.height(), image.width(), 4)[..., :3].copy()


@pytest.fixture
def areas(canvas):
    """The area of each paint, in pixels."""

    seen = []

    class Watch(QObject):
        def eventFilter(self, watched, event):
            if event.type() is QEvent.Type.Paint:
                seen.append(event.rect().width() * event.rect().height())
            return False

    canvas.installEventFilter(Watch(canvas))
    return seen


def test_a_mask_that_comes_after_its_picture_is_painted_without_the_rest_of_it(canvas, areas, qtbot):
    canvas.resize(640, 480)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (50, 70, 4), np.uint8)  # scaled by a factor that is not whole
    canvas.show_presentation(plain(pixels, 1))
    qtbot.waitUntil(lambda: bool(areas) and areas[-1] == 640 * 480)
    for presentation in (marked(pixels, 1), plain(pixels, 1), marked(pixels, 1)):
        paints = len(areas)
        canvas.show_presentation(presentation)
        qtbot.waitUntil(lambda paints=paints: len(areas) > paints)

        assert areas[-1] < 640 * 480 / 3
        assert np.array_equal(on_screen(canvas), painted(canvas))
        del areas[paints:]


def test_a_picture_without_a_finding_is_not_painted_again_for_its_mask(canvas, areas, qtbot):
    reports = []
    canvas.on_painted = lambda shown, start_s, end_s: reports.append(shown)
    canvas.resize(640, 480)
    frame = frame_of(quadrants(), 1)
    canvas.show_presentation(Presentation(frame, None, None))
    qtbot.waitUntil(lambda: bool(areas) and areas[-1] == 640 * 480)
    empty = Presentation(frame, dataclasses.replace(square_finding(frame), components=()), 0.0)
    canvas.show_presentation(empty)
    qtbot.waitUntil(lambda: reports[-1] is empty)

    assert areas[-1] <= 4


def test_the_wheel_zooms_about_the_point_under_the_mouse_and_fit_shows_everything_again(canvas):
    canvas.resize(640, 480)
    canvas.show_presentation(plain(quadrants()))
    mouse = QPointF(160, 120)  # in the middle of the blue quarter

    turn = QWheelEvent(
        mouse,
        canvas.mapToGlobal(mouse),
        QPoint(),
        QPoint(0, 120 * 12),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, turn)
    zoomed = painted(canvas)
    canvas.fit()

    assert {at(zoomed, x, y) for x, y in ((5, 5), (630, 5), (5, 470), (630, 470))} == {BLUE}
    assert at(painted(canvas), 630, 470) == WHITE


class Sender(QObject):
    sent = Signal(bool)


def test_painting_and_signals_take_no_references_away_from_the_constants(canvas):
    """PySide6 6.12.0 on Python 3.11 loses one of None a void call, one of True an emit, and dies."""
    sender = Sender()
    sender.sent.connect(lambda value: None)
    first, second = marked(quadrants(), 1), marked(quadrants(), 2)
    gc.collect()  # what other tests left behind holds such references too, and may go at any time
    gc.disable()
    try:
        before = [sys.getrefcount(constant) for constant in (None, True, False)]
        for _ in range(250):
            for presentation in (first, second):
                canvas.show_presentation(presentation)
                canvas.repaint()
                sender.sent.emit(True)
                sender.sent.emit(False)
        after = [sys.getrefcount(constant) for constant in (None, True, False)]
    finally:
        gc.enable()

    assert all(now > was - 100 for now, was in zip(after, before, strict=True)), (before, after)


def test_marks_of_an_older_picture_are_dashed_and_fainter(canvas):
    def marked_px(late_s):
        shown = dataclasses.replace(marked(np.zeros((48, 64, 4), np.uint8)), late_s=late_s)
        canvas.show_presentation(shown)
        return int((painted(canvas)[..., 0] > 200).sum())

    on_time, late = marked_px(None), marked_px(0.07)

    assert late < 0.8 * on_time
    assert marked_px(None) == on_time


def test_a_tentative_mark_of_an_older_picture_is_not_drawn(canvas):
    shown = dataclasses.replace(marked(np.zeros((48, 64, 4), np.uint8)), late_s=0.07)
    found = dataclasses.replace(shown.result.components[0], state=TrackState.TENTATIVE)
    unsure = dataclasses.replace(shown.result, components=(found,))

    canvas.show_presentation(dataclasses.replace(shown, result=unsure))

    assert not (painted(canvas)[..., 0] > 200).any()
