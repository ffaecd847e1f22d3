"""How findings become shapes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.drawing.components import find_components
from engine.drawing.overlays import OVERLAYS, OverlayStyle
from engine.types import Mask, OperatingPoint, Rect, Result
from tests.fixtures.values import result

STYLE = OverlayStyle(room_px=2.0, corner_frac=0.25)


@pytest.fixture
def ring():
    """A result with one square of 8x8 pixels at (2, 2) that has a hole."""
    probability = np.zeros((12, 12), np.uint8)
    probability[2:10, 2:10] = 255
    probability[5:7, 5:7] = 0
    return with_components(probability)


def with_components(probability) -> Result:
    mask = Mask(0, probability, Rect(0, 0, *probability.shape[::-1]))
    found = find_components(mask, *probability.shape[::-1], OperatingPoint(0.5, 0))
    plain = result(probability=probability)
    return Result(**{name: getattr(plain, name) for name in Result.__slots__} | {"components": found})


@pytest.mark.parametrize("style", OVERLAYS)
def test_no_findings_draw_nothing(style):
    assert OVERLAYS[style](result(), STYLE) == ()


@pytest.mark.parametrize("style", ["contour", "box", "corners"])
def test_lines_have_a_dark_casing_around_a_bright_core(style, ring):
    for shape in OVERLAYS[style](ring, STYLE):
        assert shape.kind == "line"
        assert shape.casing_px > 0
        assert shape.colour == STYLE.colour


def test_a_contour_runs_through_the_middles_of_the_outermost_pixels(ring):
    (shape,) = OVERLAYS["contour"](ring, STYLE)

    assert (shape.paths[0].min(), shape.paths[0].max()) == (2.5, 9.5)


def test_a_contour_is_smoother_than_the_pixels_and_never_a_pixel_away_from_them():
    y, x = np.mgrid[:100, :100]
    disc = with_components((np.hypot(x - 50, y - 50) < 40).astype(np.uint8) * 255)
    (stepped,) = disc.components[0].contours

    (shape,) = OVERLAYS["contour"](disc, STYLE)

    assert len(shape.paths[0]) < len(stepped) / 2
    for point in stepped + 0.5:
        away_px = -cv2.pointPolygonTest(shape.paths[0], point.astype(np.float32).tolist(), measureDist=True)
        assert abs(away_px) < 1


def test_a_contour_has_a_line_for_the_hole_as_well(ring):
    (shape,) = OVERLAYS["contour"](ring, STYLE)

    assert len(shape.paths) == 2


def test_a_fill_lets_the_picture_through_and_leaves_holes_free(ring):
    area = next(shape for shape in OVERLAYS["fill"](ring, STYLE) if shape.kind == "fill")

    assert 0 < area.opacity < 1
    assert len(area.paths) == 2


def test_a_box_leaves_room_around_the_finding(ring):
    (shape,) = OVERLAYS["box"](ring, STYLE)

    assert shape.paths[0].tolist() == [[0, 0], [12, 0], [12, 12], [0, 12]]


def test_corner_brackets_leave_the_middle_of_every_side_open(ring):
    (shape,) = OVERLAYS["corners"](ring, STYLE)

    assert len(shape.paths) == 4
    assert not shape.closed
    assert sorted(np.unique(np.concatenate(shape.paths)).tolist()) == [0, 3, 9, 12]
