"""A mark of an earlier frame goes with the picture, and never beyond it."""

import numpy as np
import pytest

from engine.drawing.components import find_components, patch_of
from engine.tracking.carried import carried
from engine.tracking.place import Shift
from engine.types import Field, Form, Mask, OperatingPoint, Rect
from engine.view.outline import silhouette

BOX = Rect(40, 20, 240, 200)
RING = np.zeros((200, 240), np.uint8)
RING[60:120, 60:120] = 255
RING[80:100, 80:100] = 0
(MARK,) = find_components(Mask(0, RING, BOX), 320, 240, OperatingPoint(0.5, 0.0))


def pixels(component):
    whole = np.zeros((240, 320), np.uint8)
    box = component.box
    whole[box.y : box.y + box.h, box.x : box.x + box.w] = patch_of(component).inside
    return whole


def test_a_mark_is_moved_by_whole_pixels_with_its_hole():
    (mark,) = carried([MARK], Shift(12.4, -6.6), Field(BOX))

    assert np.array_equal(pixels(mark), np.roll(pixels(MARK), (-7, 12), (0, 1)))
    assert (mark.box, mark.area_px) == (Rect(MARK.box.x + 12, MARK.box.y - 7, 60, 60), MARK.area_px)


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("by", [Shift(-70, 0), Shift(130, 90), Shift(-68, -68), Shift(0, 95)])
def test_no_part_of_a_moved_mark_is_beyond_the_picture(form, by):
    field = Field(BOX, form, 0.1)
    picture = np.zeros((240, 320), np.uint8)
    picture[20:220, 40:280] = silhouette(form, 0.1, 240, 200)

    for mark in carried([MARK], by, field):
        inside = pixels(mark)
        assert not (inside & ~picture & 1).any()
        assert mark.area_px == pytest.approx(inside.sum(), rel=0.02)
        assert mark.area_px >= 0.5 * MARK.area_px


def test_a_mark_that_stands_still_is_cut_to_a_picture_that_was_found_since():
    beside, across = Rect(200, 20, 80, 200), Rect(120, 20, 160, 200)

    assert carried([MARK], Shift(), Field(beside)) == []
    assert [mark.box.x for mark in carried([MARK], Shift(), Field(across))] == [120]
    assert carried([MARK], Shift(), Field(BOX)) == [MARK]


def test_a_mark_at_the_edge_is_cut_and_one_that_has_left_is_none():
    (cut,) = carried([MARK], Shift(-70, 0), Field(BOX))

    assert cut.box == Rect(40, MARK.box.y, 50, 60)
    assert carried([MARK], Shift(-95, 0), Field(BOX)) == []
    assert carried([MARK], Shift(-300, 0), Field(BOX)) == []
