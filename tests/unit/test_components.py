"""Probability map -> components: what a person would get by enlarging the map and thresholding it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.drawing.components import find_components, find_patches, patch_of
from engine.types import Mask, OperatingPoint, Rect


def mask_of(probability, width_px, height_px, x=0, y=0):
    return Mask(0, np.ascontiguousarray(probability, np.uint8), Rect(x, y, width_px, height_px))


def clouds(seed):
    """A smooth random map, and the size of a picture it is laid over: larger and smaller ones."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(20, 90, 2)
    noise = cv2.GaussianBlur(rng.integers(0, 256, (height, width), np.uint8), (0, 0), rng.uniform(0.5, 4))
    size_px = rng.integers(40, 400, 2)
    return cv2.normalize(noise, None, 0, 255, cv2.NORM_MINMAX), int(size_px[0]), int(size_px[1])


def painted(patches, width_px, height_px):
    """All patches in one picture; fails where two overlap."""
    picture = np.zeros((height_px, width_px), np.uint8)
    for patch in patches:
        at = patch.box
        part = picture[at.y : at.y + at.h, at.x : at.x + at.w]
        assert not (part & patch.inside).any()
        part |= patch.inside
    return picture


@pytest.mark.parametrize("seed", range(12))
def test_the_pixels_are_those_of_the_whole_map_enlarged_and_thresholded(seed):
    probability, width_px, height_px = clouds(seed)
    enlarged = cv2.resize(
        probability.astype(np.float32), (width_px, height_px), interpolation=cv2.INTER_LINEAR
    )

    patches = find_patches(
        mask_of(probability, width_px, height_px), width_px, height_px, OperatingPoint(0.6, 0)
    )

    differs = painted(patches, width_px, height_px) != (enlarged >= 0.6 * 255)
    assert np.all(np.abs(enlarged[differs] - 0.6 * 255) < 1e-3)  # only where floating point decides


@pytest.mark.parametrize("seed", range(12))
def test_there_are_as_many_components_as_blobs_of_the_enlarged_mask(seed):
    probability, width_px, height_px = clouds(seed)
    enlarged = cv2.resize(
        probability.astype(np.float32), (width_px, height_px), interpolation=cv2.INTER_LINEAR
    )
    blobs = cv2.connectedComponents((enlarged >= 0.6 * 255).astype(np.uint8), connectivity=8)[0] - 1

    components = find_components(
        mask_of(probability, width_px, height_px), width_px, height_px, OperatingPoint(0.6, 0)
    )

    assert len(components) == blobs


def test_two_blobs_of_the_map_that_meet_in_the_picture_are_one_component():
    probability = np.zeros((9, 9), np.uint8)
    probability[2:7, 2:5] = (255, 127, 255)  # 127 is just under one half, and no pixel reads it alone

    components = find_components(mask_of(probability, 90, 90), 90, 90, OperatingPoint(0.5, 0))

    assert len(components) == 1


def test_an_empty_map_has_no_components():
    assert find_components(mask_of(np.zeros((8, 8)), 80, 80), 80, 80, OperatingPoint(0.5, 0)) == ()


def test_a_threshold_of_zero_still_leaves_out_what_has_no_probability_at_all():
    probability = np.zeros((8, 8), np.uint8)
    probability[2, 2] = 40

    (component,) = find_components(mask_of(probability, 80, 80), 80, 80, OperatingPoint(0.0, 0))

    assert component.area_px < 80 * 80 / 4


@pytest.mark.parametrize(("min_area_frac", "kept"), [(0.24, 1), (0.26, 0)])
def test_a_component_under_the_smallest_share_of_the_frame_is_left_out(min_area_frac, kept):
    probability = np.zeros((8, 8), np.uint8)
    probability[2:6, 2:6] = 255  # a quarter of the frame

    found = find_components(mask_of(probability, 8, 8), 8, 8, OperatingPoint(0.5, min_area_frac))

    assert len(found) == kept


def test_the_area_counts_its_pixels_not_the_box_around_them():
    diagonal = np.eye(10, dtype=np.uint8) * 255  # 10 pixels in a box of 100

    assert find_components(mask_of(diagonal, 10, 10), 10, 10, OperatingPoint(0.5, 0.11)) == ()


def test_a_component_says_where_it_is_how_large_and_how_sure():
    probability = np.zeros((10, 20), np.uint8)
    probability[3:5, 6:9] = (200, 100, 200)

    (component,) = find_components(mask_of(probability, 20, 10), 20, 10, OperatingPoint(0.3, 0))

    assert component.box == Rect(6, 3, 3, 2)
    assert component.area_px == 6
    assert component.peak == pytest.approx(200 / 255)
    assert component.mean == pytest.approx(500 / 3 / 255)


def test_holes_have_outlines_of_their_own():
    probability = np.zeros((12, 12), np.uint8)
    probability[2:10, 2:10] = 255
    probability[5:7, 5:7] = 0

    (component,) = find_components(mask_of(probability, 12, 12), 12, 12, OperatingPoint(0.5, 0))

    outer, hole = component.contours
    assert (outer.min(), outer.max()) == (2, 9)
    assert hole.min() > 2
    assert hole.max() < 9


def test_the_largest_component_comes_first():
    probability = np.zeros((20, 20), np.uint8)
    probability[2:4, 2:4] = 255
    probability[10:16, 10:16] = 255

    large, small = find_components(mask_of(probability, 20, 20), 20, 20, OperatingPoint(0.5, 0))

    assert (large.area_px, small.area_px) == (36, 4)


def test_a_map_of_a_part_of_the_frame_finds_at_that_part():
    probability = np.zeros((8, 8), np.uint8)
    probability[1, 2] = 255

    (component,) = find_components(mask_of(probability, 8, 8, x=100, y=50), 200, 100, OperatingPoint(0.5, 0))

    assert component.box == Rect(102, 51, 1, 1)
    assert component.contours[0].tolist() == [[102, 51]]


@pytest.mark.parametrize("seed", range(6))
def test_components_that_nowhere_reach_the_peak_are_left_out_and_the_others_stay_as_they_are(seed):
    probability, width_px, height_px = clouds(seed)
    mask = mask_of(probability, width_px, height_px)
    everything = find_components(mask, width_px, height_px, OperatingPoint(0.6, 0))
    point = OperatingPoint(0.6, 0, min_peak=0.85)

    kept = find_components(mask, width_px, height_px, point)
    pixels = painted(find_patches(mask, width_px, height_px, point), width_px, height_px)

    strong = [component for component in everything if component.peak >= 0.85]
    assert [(c.box, c.area_px, c.peak) for c in kept] == [(c.box, c.area_px, c.peak) for c in strong]
    assert int(pixels.sum()) == sum(component.area_px for component in strong)


def test_a_map_that_stays_below_the_peak_shows_nothing():
    mask = mask_of(np.full((10, 10), 200), 50, 50)

    assert len(find_components(mask, 50, 50, OperatingPoint(0.5, 0, min_peak=0.78))) == 1
    assert find_components(mask, 50, 50, OperatingPoint(0.5, 0, min_peak=0.79)) == ()


def test_the_pixels_of_a_component_are_those_of_its_outlines_holes_too():
    rows, columns = np.mgrid[:40, :60]
    rings = np.abs(np.hypot(rows - 20, columns - 22) - 12) < 5
    thin = np.abs(rows - columns + 25) < 1
    probability = (rings | thin).astype(float)

    for patch in find_patches(mask_of(probability, 60, 40), 60, 40, OperatingPoint(0.5, 0)):
        for component in patch.components:
            own = patch_of(component)
            x, y = component.box.x - patch.box.x, component.box.y - patch.box.y
            whole = patch.inside[y : y + component.box.h, x : x + component.box.w]
            assert int(own.inside.sum()) == component.area_px
            assert not (own.inside & ~whole & 1).any()
