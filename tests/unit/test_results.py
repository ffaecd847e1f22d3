"""Run lengths as COCO writes them, and the lines and summary of a folder of results."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco

from engine.analysis.results import SUMMARY, read_summary, result_line
from engine.drawing.components import find_patches
from engine.drawing.rle import decode, encode, encode_patches, place_in
from engine.types import Component, Mask, OperatingPoint, Rect
from tests.fixtures.values import result
from tests.unit.test_components import clouds, painted


def patches_of(probability, width_px, height_px, threshold=0.5):
    mask = Mask(0, probability, Rect(0, 0, width_px, height_px))
    return find_patches(mask, width_px, height_px, OperatingPoint(threshold, 0))


@pytest.mark.parametrize("seed", range(12))
def test_the_text_is_the_one_that_pycocotools_writes(seed):
    probability, width_px, height_px = clouds(seed)
    patches = patches_of(probability, width_px, height_px)

    rle = encode_patches(patches, width_px, height_px)

    theirs = coco.encode(np.asfortranarray(painted(patches, width_px, height_px)))
    assert rle == {"size": list(theirs["size"]), "counts": theirs["counts"].decode()}


@pytest.mark.parametrize("seed", range(4))
def test_decoding_gives_the_mask_back(seed):
    probability, width_px, height_px = clouds(seed)
    patches = patches_of(probability, width_px, height_px)

    assert np.array_equal(
        decode(encode_patches(patches, width_px, height_px)), painted(patches, width_px, height_px)
    )


@pytest.mark.parametrize(
    "cut", [np.s_[:], np.s_[:, 3:4], np.s_[:1], np.s_[:0]], ids=["all", "column", "row", ""]
)
def test_box_and_area_are_known_without_decoding(cut):
    inside = np.zeros((9, 12), np.uint8)
    inside[cut] = clouds(3)[0][:9, :12][cut] > 90
    inside[cut][:, :1] = 1

    box = Rect(*cv2.boundingRect(inside))
    assert place_in(encode(inside)) == ((box, int(inside.sum())) if box.w else None)


@pytest.mark.parametrize(("rows", "columns"), [(slice(None), slice(None)), (slice(3, None), slice(0, 2))])
def test_runs_go_on_from_the_foot_of_one_column_to_the_head_of_the_next(rows, columns):
    probability = np.zeros((6, 5), np.uint8)
    probability[rows, columns] = 255

    rle = encode_patches(patches_of(probability, 5, 6), 5, 6)

    theirs = coco.encode(np.asfortranarray((probability > 0).astype(np.uint8)))
    assert rle["counts"] == theirs["counts"].decode()


def test_no_patch_is_no_mask():
    assert encode_patches((), 8, 6) is None


def test_a_line_without_findings_has_no_mask_and_no_components():
    line = result_line(result(7, pts_s=0.28), None)

    assert line == {"index": 7, "pts_s": 0.28, "components": [], "mask": None}


def test_a_line_tells_of_a_component_where_it_is_how_large_and_how_sure():
    found = Component(Rect(3, 4, 5, 6), 20, 0.98765, 0.5, ())
    of_frame = result(0)
    with_finding = type(of_frame)(
        **{name: getattr(of_frame, name) for name in of_frame.__slots__} | {"components": (found,)}
    )

    line = result_line(with_finding, {"size": [6, 8], "counts": "00"}, name="a.png")

    assert line["name"] == "a.png"
    assert line["components"] == [{"box": [3, 4, 5, 6], "area_px": 20, "peak": 0.9877, "mean": 0.5}]


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"schema": 1}), "\x00"])
def test_a_summary_of_somebody_else_counts_as_none(tmp_path, text):
    (tmp_path / SUMMARY).write_text(text)

    assert read_summary(tmp_path) is None
