"""Correction of masks: what a tool does to a frame, and how masks are carried to the next ones."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from engine.analysis.judged import open_recording
from engine.drawing.components import find_components
from engine.drawing.polygon import pixels_inside_all
from engine.review.editing import propagation
from engine.review.editing.brush import stroked
from engine.review.editing.clicks import CLICKS, Click
from engine.review.editing.flow import LEAST, Looked, carried
from engine.review.editing.outline import dragged, nearest, outlines_of
from engine.review.editing.polyps import component_of, masks_of, polyp_at
from engine.review.editing.propagation import Stopped, propagated
from engine.review.editing.radial import radial
from engine.review.sam.ways import WAYS
from engine.sources import parse_source
from engine.types import Mask, OperatingPoint, Rect, Size
from tests.fixtures.clips import CLIPS, variable, write

SIZE = Size(120, 90)


def disc(x: float, y: float, radius: float, size: Size = SIZE) -> np.ndarray:
    empty = np.zeros((size.height_px, size.width_px), np.uint8)
    return stroked(empty, [(x, y)], radius, 1)


def blob(seed: int) -> np.ndarray:
    """Any shape: several parts, holes, at the frame's edges."""
    chance = random.Random(seed)
    mask = np.zeros((SIZE.height_px, SIZE.width_px), np.uint8)
    for _ in range(chance.randint(1, 6)):
        path = [(chance.uniform(-20, 140), chance.uniform(-20, 110)) for _ in range(chance.randint(1, 4))]
        mask = stroked(mask, path, chance.uniform(0.4, 25), chance.choice((1, 1, 0)))
    return mask


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


# Tools


def test_a_brush_reaches_every_pixel_whose_middle_is_within_its_radius_and_no_other():
    path = [(10.3, 20.7), (60.2, 40.1)]
    y, x = np.mgrid[:90, :120] + 0.5
    along = np.clip(((x - 10.3) * 49.9 + (y - 20.7) * 19.4) / (49.9**2 + 19.4**2), 0, 1)
    expected = np.hypot(x - 10.3 - along * 49.9, y - 20.7 - along * 19.4) <= 7.5

    painted = stroked(np.zeros((90, 120), np.uint8), path, 7.5, 1)

    assert np.count_nonzero((painted > 0) != expected) <= 1  # float32 at the very rim


def test_an_eraser_takes_away_what_the_same_brush_has_painted_also_across_the_edge_of_the_frame():
    before = disc(60, 45, 20)
    path = [(-15.0, 3.0), (150.0, 3.0)]

    painted = stroked(before, path, 9, 1)

    assert np.array_equal(stroked(painted, path, 9, 0), before)


@pytest.mark.parametrize("seed", range(8))
def test_the_outlines_of_a_mask_filled_again_are_the_mask_bit_for_bit(seed):
    mask = blob(seed)

    assert np.array_equal(pixels_inside_all(outlines_of(mask), SIZE.width_px, SIZE.height_px), mask)


def test_a_polygon_has_the_area_that_it_has_in_geometry():
    corners = np.array([[10.2, 10.4], [90.7, 20.1], [70.3, 80.9], [30.5, 60.6]], np.float32)
    x, y = corners.T
    area = 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))

    assert abs(int(pixels_inside_all([corners], SIZE.width_px, SIZE.height_px).sum()) - area) < 0.01 * area


def test_dragging_moves_what_is_near_all_the_way_and_leaves_what_is_far():
    outlines = outlines_of(disc(60, 45, 20))
    grabbed = nearest(outlines, 82, 45)
    assert grabbed is not None

    after = dragged(outlines, grabbed, (grabbed[0] + 12, grabbed[1]), reach_px=15)

    (line,), (moved,) = outlines, after
    distance = np.hypot(*(line - np.float32(grabbed)).T)
    assert np.array_equal(moved[distance >= 15], line[distance >= 15])
    assert moved[:, 0].max() == pytest.approx(line[:, 0].max() + 12, abs=0.3)
    assert pixels_inside_all(after, SIZE.width_px, SIZE.height_px).sum() > disc(60, 45, 20).sum()
    assert np.array_equal(dragged(outlines, grabbed, grabbed, 15)[0], line)


def scene(shift: float = 0.0) -> np.ndarray:
    """A reddish wall with texture and a bright bump at (shift + 60, 45), BGRA."""
    chance = np.random.default_rng(3)
    wall = cv2.GaussianBlur(chance.normal(0, 60, (200, 300)).astype(np.float32), (0, 0), 2)[..., None]
    picture = np.float32([60, 70, 150]) + wall
    cv2.circle(picture, (150, 100), 20, (140, 150, 235), cv2.FILLED)
    picture += (
        0.6 * cv2.GaussianBlur(chance.normal(0, 60, (200, 300)).astype(np.float32), (0, 0), 1.5)[..., None]
    )
    move = np.float32([[1, 0, shift - 90], [0, 1, -55]])
    moved = cv2.warpAffine(picture, move, (120, 90), flags=cv2.INTER_LINEAR)
    return cv2.cvtColor(np.clip(moved, 0, 255).astype(np.uint8), cv2.COLOR_BGR2BGRA)


@pytest.mark.parametrize("way", [name for name in WAYS if name != "sam"])
def test_a_click_inside_finds_the_bump_and_a_click_outside_takes_away_what_it_hits(way):
    bump = disc(60, 45, 20)

    find = WAYS[way]("")
    found = find(scene(), None, [Click(60, 45, inside=True)])
    too_much = np.ones_like(bump)
    corrected = find(scene(), too_much, [Click(60, 45, inside=True), Click(10, 10, inside=False)])

    assert iou(found, bump) > (0.4 if way == "flood" else 0.85)
    assert not corrected[10, 10]
    assert corrected[45, 60]


def test_an_outline_goes_round_what_was_clicked_inside_and_passes_before_what_was_clicked_outside():
    inside = [Click(60, 45, inside=True)]

    assert iou(radial(scene(), None, [Click(54, 40, inside=True)]), disc(60, 45, 20)) > 0.85  # off its middle
    wider = radial(scene(), None, [*inside, Click(88, 45, inside=True)])
    narrower = radial(scene(), None, [*inside, Click(72, 45, inside=False)])
    assert wider[45, 88]
    assert not narrower[45, 72]
    assert iou(narrower[:, :55], disc(60, 45, 20)[:, :55]) > 0.8  # elsewhere as before


def test_the_same_clicks_give_the_same_mask():
    clicks = [Click(60, 45, inside=True)]

    assert np.array_equal(CLICKS["grabcut"](scene(), None, clicks), CLICKS["grabcut"](scene(), None, clicks))


# Following


def seen(rank: int, image: np.ndarray) -> Looked:
    return Looked(rank, rank / 25, cv2.cvtColor(image, cv2.COLOR_BGRA2GRAY))


def test_a_mask_follows_the_picture_and_says_that_it_is_sure():
    pictures = [seen(rank, scene(3.0 * rank)) for rank in range(6)]

    found = list(carried(pictures[0], {7: disc(60, 45, 20)}, pictures[1:]))

    assert [one.rank for one in found] == [1, 2, 3, 4, 5]
    assert all(one.confidence > 0.85 for one in found)
    assert iou(found[-1].masks[7], disc(75, 45, 20)) > 0.9


def test_it_stops_where_the_picture_becomes_another_one():
    noise = np.random.default_rng(1).integers(0, 255, (90, 120, 4)).astype(np.uint8)
    pictures = [scene(0.0), scene(2.0), noise, scene(6.0)]

    first, *rest = (seen(rank, image) for rank, image in enumerate(pictures))
    found = list(carried(first, {1: disc(60, 45, 20)}, rest))

    assert [one.rank for one in found] == [1, 2]
    assert found[0].confidence >= LEAST > found[1].confidence


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Of variable rate; its numbers change, the rest of it stands."""
    return write(replace(CLIPS["variable.mp4"], times_ms=variable(90)), tmp_path_factory.mktemp("clip"))


STANDING = disc(130, 75, 12, Size(160, 96))


@pytest.mark.parametrize(("start", "to"), [(5, 12), (14, 3)], ids=["forwards", "backwards"])
def test_a_propagation_is_of_the_very_frames_of_its_range_in_their_order(clip, start, to, monkeypatch):
    monkeypatch.setattr(propagation, "AT_ONCE", 4)
    with closing(open_recording(parse_source(str(clip)))) as source:
        *found, stopped = propagated(source, start, to, {1: STANDING}, verified=())

    step = 1 if to > start else -1
    assert [one.rank for one in found] == list(range(start + step, to + step, step))
    assert [round(one.pts_s * 1000) for one in found] == [variable(90)[one.rank] for one in found]
    assert all(iou(one.masks[1], STANDING) > 0.95 for one in found)
    assert stopped == Stopped(to, "")


def test_a_propagation_ends_before_a_verified_frame_and_at_the_end_of_the_recording(clip):
    with closing(open_recording(parse_source(str(clip)))) as source:
        *_, before = propagated(source, 5, 20, {1: STANDING}, verified={9, 15})
        *_, behind = propagated(source, 86, 200, {1: STANDING}, verified=())

    assert before == Stopped(8, "the next frame is verified")
    assert behind == Stopped(89, "the recording ends")


@pytest.mark.parametrize(("start", "to", "last"), [(5, 12, 7), (12, 5, 9)], ids=["forwards", "backwards"])
def test_a_propagation_ends_before_a_damaged_frame(clip, start, to, last):
    with closing(open_recording(parse_source(str(clip)))) as source:
        *found, stopped = propagated(Damaged(source, 8), start, to, {1: STANDING}, verified=())

    assert [one.rank for one in found] == [*list(range(start, last, 1 if to > start else -1))[1:], last]
    assert stopped == Stopped(last, "the next frame is damaged")


class Damaged:
    """A recording of which one frame is."""

    def __init__(self, source, rank):
        self.source, self.rank = source, rank
        self.seek = source.seek

    def read(self):
        picture = self.source.read()
        if picture is not None and picture.index == self.rank:
            return SimpleNamespace(index=self.rank, damaged=True)
        return picture


# Polyps


def test_what_the_model_marked_is_copied_with_its_track_and_drawn_as_it_was():
    mask = Mask(0, disc(60, 45, 20) * np.uint8(255), Rect(0, 0, 120, 90))
    (found,) = find_components(mask, 120, 90, OperatingPoint(0.5, 0.001))
    held = replace(found, contours=(), track=8)

    masks = masks_of((replace(found, track=9), held), SIZE)

    assert list(masks) == [9]
    assert np.array_equal(masks[9], disc(60, 45, 20))
    drawn = component_of(9, masks[9])
    assert (drawn.box, drawn.area_px, drawn.track) == (found.box, found.area_px, 9)
    assert component_of(9, np.zeros_like(mask.probability)) is None


@pytest.mark.parametrize("seed", range(4))
def test_a_mask_is_drawn_with_all_its_parts_and_holes(seed):
    mask = blob(seed) | disc(9, 9, 3)

    drawn = component_of(1, mask)

    assert np.array_equal(masks_of([drawn], SIZE)[1], mask)


def test_the_polyp_under_a_point_is_the_one_on_top():
    masks = {4: disc(50, 40, 12), 2: disc(60, 40, 12)}

    assert (polyp_at(masks, 55, 40), polyp_at(masks, 40, 40)) == (2, 4)
    assert polyp_at(masks, 5, 5) is None
    assert polyp_at(masks, -1, 400) is None
