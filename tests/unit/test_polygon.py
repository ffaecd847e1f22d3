"""Outlines and run lengths of a mask give its pixels again, whatever its shape."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco

from engine.drawing.polygon import outline_of, outlines_of, pixels_inside
from engine.drawing.rle import decode, encode


def masks():
    chance = np.random.default_rng(4)
    noise = (chance.random((24, 30)) > 0.5).astype(np.uint8)
    ring = cv2.circle(cv2.circle(np.zeros((60, 80), np.uint8), (40, 30), 25, 1, -1), (44, 28), 9, 0, -1)
    island = cv2.circle(ring.copy(), (44, 28), 3, 1, -1)
    return {
        "empty": np.zeros((5, 7), np.uint8),
        "full": np.ones((5, 7), np.uint8),
        "a pixel": np.eye(1, 35, 17, dtype=np.uint8).reshape(5, 7),
        "a line": np.eye(20, dtype=np.uint8),
        "a ring": ring,
        "an island in a hole": island,
        "noise": noise,
        "smooth": (cv2.GaussianBlur(noise * np.uint8(255), (0, 0), 2) > 128).astype(np.uint8),
    }


@pytest.mark.parametrize("name", masks())
def test_outlines_give_the_same_pixels(name):
    mask = masks()[name]
    drawn = np.zeros_like(mask)
    for line in outlines_of(mask):
        drawn |= pixels_inside(line, mask.shape[1], mask.shape[0])
    assert np.array_equal(drawn, mask)


@pytest.mark.parametrize("name", masks())
def test_one_outline_gives_all_pixels_of_a_mask_in_pieces(name):
    mask = masks()[name]
    assert np.array_equal(pixels_inside(outline_of(mask), mask.shape[1], mask.shape[0]), mask)


@pytest.mark.parametrize("name", masks())
def test_run_lengths_give_the_same_pixels_and_are_those_of_pycocotools(name):
    mask = masks()[name]
    rle = encode(mask)
    assert np.array_equal(decode(rle), mask)
    theirs = coco.encode(np.asfortranarray(mask))
    assert (list(theirs["size"]), theirs["counts"].decode()) == (rle["size"], rle["counts"])
