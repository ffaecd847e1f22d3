"""How findings become shapes."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.drawing.components import find_components
from engine.drawing.overlays import OVERLAYS, OverlayStyle, drawn, edge_arcs
from engine.types import Component, Field, Form, Mask, OperatingPoint, Rect, Result, Size, TrackState
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


@pytest.mark.parametrize("style", OVERLAYS)
def test_in_each_style_states_differ_by_line_and_strength_and_none_is_by_colour(style, ring):
    def line(state):
        found = replace(ring.components[0], state=state)
        *_, shape = OVERLAYS[style](replace(ring, components=(found,)), STYLE)
        return shape

    confirmed, held, tentative = map(line, (TrackState.CONFIRMED, TrackState.HELD, TrackState.TENTATIVE))

    assert [shape.dashed for shape in (confirmed, held, tentative)] == [False, False, True]
    assert held.opacity <= 0.5 * confirmed.opacity
    assert {shape.colour for shape in (confirmed, held, tentative)} == {STYLE.colour}


def test_a_tentative_finding_has_no_area_and_the_same_line_in_every_style_of_outline(ring):
    tentative = replace(ring, components=(replace(ring.components[0], state=TrackState.TENTATIVE),))

    (outlined,), (filled,) = OVERLAYS["contour"](tentative, STYLE), OVERLAYS["fill"](tentative, STYLE)

    assert (filled.kind, filled.width_px) == ("line", outlined.width_px)


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


def confirmed(box, *, state=TrackState.CONFIRMED, field=None):
    """A result of a 640x360 frame with one finding in `box`."""
    x, y, w, h = box
    outline = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.int32)
    component = Component(Rect(*box), w * h, 0.9, 0.8, (outline,), 1, state)
    return replace(result(), size=Size(640, 360), components=(component,), field=field)


@pytest.mark.parametrize("style", OVERLAYS)
def test_a_confirmed_finding_far_from_the_middle_lights_an_arc_at_the_edge_on_its_side(style):
    *_, arc = drawn(style, confirmed((560, 160, 40, 40)), STYLE)
    x, y = arc.paths[0].T

    assert not arc.closed
    assert 630 < x.min() <= x.max() < 638
    assert 95 < y.min() < 110, "14 degrees to both sides"
    assert 250 < y.max() < 265


@pytest.mark.parametrize(
    "nothing",
    [
        confirmed((500, 160, 40, 40)),  # at 62 % of the way to the edge
        confirmed((560, 160, 40, 40), state=TrackState.TENTATIVE),
        confirmed((560, 160, 40, 40), state=None),
    ],
)
def test_no_arc_for_what_lies_well_inside_or_is_not_confirmed(nothing):
    assert edge_arcs(nothing, STYLE) == ()


def test_an_arc_does_not_blink_it_grows_with_the_distance_and_is_fainter_while_its_finding_is_missing():
    def strength(x, state=TrackState.CONFIRMED):
        return sum(arc.opacity for arc in edge_arcs(confirmed((x, 160, 40, 40), state=state), STYLE))

    on_the_way_out = [strength(x) for x in range(500, 561, 5)]
    steps = np.diff(on_the_way_out)

    assert on_the_way_out[0] == 0.0
    assert (steps >= 0.0).all()
    assert steps.max() < 0.2
    assert 0.0 < strength(560, TrackState.HELD) <= 0.5 * strength(560)


def test_the_arc_follows_the_outline_of_the_endoscopes_picture():
    field = Field(Rect(100, 30, 300, 300), Form.CIRCLE)  # its middle is at (250, 180)

    (arc,) = edge_arcs(confirmed((340, 80, 20, 20), field=field), STYLE)  # 141 of 150 px, up and to the right
    away = np.hypot(arc.paths[0][:, 0] - 250, arc.paths[0][:, 1] - 180)

    assert np.allclose(away, 145.8, atol=2.5), "1.4 % of the shorter side within the edge"
    assert arc.paths[0][:, 0].min() > 250
    assert arc.paths[0][:, 1].max() < 180
    steps = np.hypot(*np.diff(arc.paths[0], axis=0).T)
    assert steps.max() < 6, "one line, without a jump back"
