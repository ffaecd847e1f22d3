"""The endoscope's picture in a single frame: among panels, text and bars; elsewhere nothing is cut off."""

import cv2
import numpy as np
import pytest

from engine.types import Rect, Size
from engine.view.lit import LONG_SIDE_PX, lit_part, small_of
from engine.view.lock_on import field_in, iou
from engine.view.region import box_of
from tests.unit.test_lock_on import BESIDE, H, W, mucosa, screen

ALL = Rect(0, 0, W, H)


def found(frame):
    return box_of(frame, "field")


def filled(*boxes, black=0):
    """A frame with mucosa in each of the boxes."""
    frame = np.full((H, W, 3), black, np.uint8)
    for box in boxes:
        frame[box.y : box.y + box.h, box.x : box.x + box.w] = cv2.resize(mucosa(1.0), (box.w, box.h))
    return frame


@pytest.mark.parametrize("black", [0, 16, 30])
def test_borders_are_left_out_whatever_the_recorder_calls_black(black):
    inner = Rect(80, 20, 440, 320)

    assert iou(found(filled(inner, black=black)), inner) > 0.98


def test_a_dim_edge_of_the_picture_belongs_to_it():
    """Lit by less than a panel may be, it is told from the recorder's black by that alone."""
    inner = Rect(80, 20, 440, 320)
    frame = filled(inner)
    light = np.interp(np.arange(W), [80, 430, 520], [1.0, 0.2, 0.12])[None, :, None]

    assert iou(found((frame * light).astype(np.uint8)), inner) > 0.97


def test_a_scope_guide_that_touches_the_picture_is_none_of_it():
    inner = Rect(200, 0, 440, 360)
    frame = filled(inner)
    frame[200:360, :200] = 40, 180, 140
    cv2.line(frame, (40, 340), (120, 240), (60, 60, 60), 3)

    assert iou(found(frame), inner) > 0.97


def test_lines_of_text_that_touch_the_picture_are_none_of_it():
    inner = Rect(200, 30, 440, 330)
    frame = filled(inner)
    for row, text in enumerate(("Name: ---", "27/07/2000", "22:13:58 ---", "Comment: ---")):
        cv2.putText(frame, text, (90, 60 + 70 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2)
    cv2.putText(frame, "ID", (400, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2)

    assert iou(found(frame), inner) > 0.97


def test_a_bar_from_side_to_side_below_a_round_picture_is_none_of_it():
    frame = np.zeros((H, W, 3), np.uint8)
    disc = np.zeros((H, W), np.uint8)
    cv2.circle(disc, (W // 2, H // 2), 300, 1, cv2.FILLED)
    frame[disc > 0] = cv2.resize(mucosa(1.0), (W, H))[disc > 0]
    frame[-14:] = np.linspace(60, 30, W)[None, :, None]
    cv2.putText(frame, "HT NR  AUTO +2", (200, H - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (255, 255, 255), 1)

    assert iou(found(frame), Rect(20, 0, 600, H - 14)) > 0.98


def test_a_picture_that_fills_the_frame_stays_whole():
    assert found(cv2.resize(mucosa(1.0), (W, H))) == ALL


def test_an_over_exposed_part_belongs_to_the_picture():
    frame = filled(Rect(80, 20, 440, 320))
    cv2.circle(frame, (470, 180), 110, (255, 255, 255), -1)
    frame[:, 520:] = 0

    assert iou(found(frame), Rect(80, 20, 440, 320)) > 0.95


@pytest.mark.parametrize("value", [0, 16, 200])
def test_a_frame_that_shows_nothing_stays_whole(value):
    frame = np.full((H, W, 3), value, np.uint8)

    assert found(frame) == ALL
    assert lit_part([small_of(frame)]) is None


@pytest.mark.parametrize("size", [(1080, 1920), (288, 384), (60, 80), (3, 4), (500, 30)])
def test_any_size_of_frame_has_a_box_inside_it(size):
    height, width = size
    box = found(cv2.resize(mucosa(1.0), (width, height)))

    assert 0 <= box.x < box.x + box.w <= width
    assert 0 <= box.y < box.y + box.h <= height


def test_the_order_of_the_channels_does_not_matter():
    frame = screen(0.0)

    assert found(frame) == found(np.ascontiguousarray(frame[..., ::-1]))


def test_time_leaves_out_a_still_panel_that_looks_like_a_picture():
    """A photograph beside the picture, without a border between them."""
    frames = [filled(Rect(0, 60, 180, 240), Rect(180, 0, 460, 360)) for _ in range(4)]
    for at, frame in enumerate(frames):
        frame[:, 180:] = cv2.resize(mucosa(at * 0.8), (460, 360))

    field = field_in([small_of(frame) for frame in frames], Size(W, H))

    assert iou(field.box, Rect(180, 0, 460, 360)) > 0.93


def test_a_look_at_a_frame_is_small():
    assert max(small_of(screen(0.0)).shape) == LONG_SIDE_PX
    assert iou(found(screen(0.0)), BESIDE) > 0.97
