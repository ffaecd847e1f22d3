"""Shapes in pixels."""

from __future__ import annotations

import numpy as np
import pytest

from engine.drawing.render import draw
from engine.drawing.shape import Shape

SQUARE = np.array([[10, 10], [30, 10], [30, 30], [10, 30]], np.float32)
HOLE = np.array([[16, 16], [24, 16], [24, 24], [16, 24]], np.float32)
RED = (255, 0, 0)


def grey(channels=3, height=40, width=40):
    return np.full((height, width, channels), 100, np.uint8)


def line(**changes):
    values = {"width_px": 2.0, "casing_px": 1.0, "opacity": 1.0} | changes
    return Shape("line", values.pop("paths", (SQUARE,)), RED, **values)


def test_a_line_is_bright_inside_and_dark_at_its_edges():
    picture = grey()
    draw(picture, [line(casing_px=2.0)])

    across = picture[20, 5:16].astype(int)  # over the left side of the square, BGR
    assert across[:, 2].max() == 255
    assert across.sum(axis=1).min() < 60


def test_a_line_along_the_middles_of_a_row_of_pixels_colours_that_row():
    picture = grey()
    along = np.array([[5.5, 20.5], [30.5, 20.5]], np.float32)
    draw(picture, [line(paths=(along,), closed=False, casing_px=0.0, width_px=1.0)])

    red = picture[:, 15, 2].astype(int)
    assert red[20] > 230
    assert max(red[19], red[21]) < 200


def test_what_lies_away_from_the_line_is_untouched():
    picture = grey()
    draw(picture, [line()])

    assert (picture[18:22, 18:22] == 100).all()
    assert (picture[:4] == 100).all()


def test_a_fill_mixes_with_the_picture_and_leaves_its_hole():
    picture = grey()
    draw(picture, [Shape("fill", (SQUARE, HOLE), RED, 0.0, 0.0, 0.5)])

    assert picture[13, 13].tolist() == pytest.approx([50, 50, 178], abs=1)
    assert picture[20, 20].tolist() == [100, 100, 100]
    assert picture[5, 5].tolist() == [100, 100, 100]


def test_an_open_line_does_not_return_to_its_start():
    picture = grey()
    draw(picture, [line(closed=False)])

    assert picture[20, 10].tolist() == [100, 100, 100]  # the side that would close it


def test_a_dashed_line_has_gaps():
    long = np.array([[5, 20], [195, 20]], np.float32)
    picture = grey(width=200)
    draw(picture, [line(paths=(long,), closed=False, dashed=True, casing_px=0.0)])

    red = picture[20, 5:195, 2] > 200
    assert 0.4 < red.mean() < 0.9


def test_lines_grow_with_the_picture_so_that_they_are_seen_in_4k():
    small, large = grey(height=720, width=60), grey(height=2160, width=60)
    draw(small, [line()])
    draw(large, [line()])

    def drawn(picture):
        return (picture[20, :20] != 100).any(axis=1).sum()

    assert drawn(large) > 1.5 * drawn(small)


@pytest.mark.parametrize("opacity", [1.0, 0.4])
def test_a_shape_that_leaves_the_picture_is_cut_off(opacity):
    picture = grey()
    draw(picture, [line(paths=(SQUARE + 25,), opacity=opacity)])
    draw(picture, [line(paths=(SQUARE + 500,), opacity=opacity)])

    assert (picture[34:36, 38:] != 100).any()


def test_bgra_pictures_stay_opaque_where_something_is_drawn():
    picture = grey(channels=4)
    picture[..., 3] = 255
    draw(picture, [line()])

    assert (picture[..., 3] == 255).all()
