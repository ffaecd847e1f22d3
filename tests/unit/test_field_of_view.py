"""The endoscope's picture is found among panels, text and borders; elsewhere nothing is cut off."""

import cv2
import numpy as np
import pytest

from engine.types import Rect
from engine.view.field_of_view import field_of_view


def mucosa(height, width, seed=0):
    """Soft structure in the colours of mucosa, a dark lumen in the middle."""
    rng = np.random.default_rng(seed)
    rough = rng.normal(0, 30, (height // 8 + 1, width // 8 + 1, 1)).astype(np.float32)
    soft = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    picture = np.clip(np.array([190, 110, 80]) + soft[..., None], 40, 255).astype(np.uint8)
    cv2.circle(picture, (width // 2, height // 2), height // 6, (12, 8, 6), -1)
    return picture


def recording(left, top, width, height, full=(400, 320)):
    frame = np.full((full[1], full[0], 3), 16, np.uint8)
    frame[top : top + height, left : left + width] = mucosa(height, width)
    return frame


def overlap(a, b):
    across = max(0, min(a.x + a.w, b.x + b.w) - max(a.x, b.x))
    down = max(0, min(a.y + a.h, b.y + b.h) - max(a.y, b.y))
    both = across * down
    return both / (a.w * a.h + b.w * b.h - both)


def test_black_borders_are_left_out():
    found = field_of_view(recording(60, 24, 300, 280))

    assert overlap(found, Rect(60, 24, 300, 280)) > 0.93


def test_a_bright_panel_thumbnail_and_text_are_left_out():
    frame = recording(150, 0, 250, 320)
    cv2.rectangle(frame, (0, 190), (145, 319), (40, 180, 140), -1)
    cv2.putText(frame, "12:34:56", (4, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1)
    frame[60:110, 20:80] = mucosa(50, 60, seed=1)

    assert overlap(field_of_view(frame), Rect(150, 0, 250, 320)) > 0.9


def test_a_picture_that_fills_the_frame_stays_whole():
    assert field_of_view(mucosa(320, 400)) == Rect(0, 0, 400, 320)


def test_an_over_exposed_part_belongs_to_the_picture():
    frame = recording(60, 24, 300, 280)
    cv2.circle(frame, (330, 160), 90, (255, 255, 255), -1)
    frame[:, 360:] = 16

    assert overlap(field_of_view(frame), Rect(60, 24, 300, 280)) > 0.93


@pytest.mark.parametrize("value", [0, 16, 200])
def test_a_frame_that_shows_nothing_stays_whole(value):
    assert field_of_view(np.full((320, 400, 3), value, np.uint8)) == Rect(0, 0, 400, 320)


@pytest.mark.parametrize("size", [(1080, 1920), (288, 384), (60, 80), (3, 4)])
def test_any_size_of_frame_has_a_box_inside_it(size):
    height, width = size
    found = field_of_view(mucosa(*size))

    assert 0 <= found.x < found.x + found.w <= width
    assert 0 <= found.y < found.y + found.h <= height


def test_the_order_of_the_channels_does_not_matter():
    frame = recording(60, 24, 300, 280)

    assert field_of_view(frame) == field_of_view(np.ascontiguousarray(frame[..., ::-1]))
