"""Where the picture lies on the canvas."""

import pytest

from app.player.zoom import MAX_ZOOM, View, panned, place, zoomed

CANVAS = (200, 100)


def rect(placement):
    return placement.x, placement.y, placement.width, placement.height


@pytest.mark.parametrize(
    ("frame", "aspect", "lies"),
    [
        ((200, 100), 1.0, (0, 0, 200, 100)),
        ((100, 100), 1.0, (50, 0, 100, 100)),
        ((400, 100), 1.0, (0, 25, 200, 50)),
        ((50, 100), 2.0, (50, 0, 100, 100)),
    ],
)
def test_a_picture_is_as_large_as_fits_with_its_exact_shape(frame, aspect, lies):
    assert rect(place(frame, aspect, CANVAS)) == lies


def test_zooming_keeps_the_point_under_the_mouse():
    at = (50.0, 25.0)
    view = zoomed(View(), 4.0, at, (200, 100), 1.0, CANVAS)
    placed = place((200, 100), 1.0, CANVAS, view)

    assert (at[0] - placed.x) / placed.width == pytest.approx(0.25, abs=0.01)
    assert (at[1] - placed.y) / placed.height == pytest.approx(0.25, abs=0.01)


def test_a_zoomed_picture_never_shows_black_that_need_not_be():
    placed = place((200, 100), 1.0, CANVAS, View(2.0, centre_x=0.0, centre_y=1.0))

    assert rect(placed) == (0, -100, 400, 200)


def test_zoom_ends_at_the_whole_picture_and_at_its_limit():
    assert zoomed(View(2.0, 0.2, 0.2), 0.1, (0, 0), (200, 100), 1.0, CANVAS) == View()
    assert zoomed(View(), 1000.0, (0, 0), (200, 100), 1.0, CANVAS).zoom == MAX_ZOOM


def test_dragging_moves_the_picture_with_the_mouse():
    view = View(2.0)
    before = place((200, 100), 1.0, CANVAS, view)
    after = place((200, 100), 1.0, CANVAS, panned(view, 30.0, -10.0, before))

    assert (after.x - before.x, after.y - before.y) == (30, -10)
