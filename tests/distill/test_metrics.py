"""`p05_image`: one figure an image, mean over images, at the mask's own size."""

import numpy as np
import pytest

from distill.data.index import Record
from distill.metrics.evaluate import evaluate
from distill.metrics.image import dice_iou
from engine.intervals import bootstrap_interval


def half(left):
    mask = np.zeros((4, 8), np.uint8)
    mask[:, : 4 if left else 8] = 1
    return mask


def test_dice_and_iou_of_a_half_found_twice_too_large():
    assert dice_iou(half(False) > 0, half(True)) == (pytest.approx(2 / 3), pytest.approx(0.5))


def test_nothing_found_where_nothing_is_counts_in_full():
    assert dice_iou(np.zeros((4, 8), bool), np.zeros((4, 8), np.uint8)) == (1.0, 1.0)


def test_one_false_pixel_on_a_polyp_free_image_costs_all_of_it():
    found = np.zeros((4, 8), bool)
    found[0, 0] = True

    assert dice_iou(found, np.zeros((4, 8), np.uint8)) == (0.0, 0.0)


def test_a_missed_polyp_counts_nothing():
    assert dice_iou(np.zeros((4, 8), bool), half(True)) == (0.0, 0.0)


class Pictures:
    def __init__(self, *rows):
        self.records = [Record(image="", mask=None, set=name, group=group) for name, group, _ in rows]
        self.masks = [mask for _, _, mask in rows]


def test_pooled_is_the_mean_over_images_and_not_over_sets():
    nothing = np.zeros((4, 8), np.uint8)
    pictures = Pictures(("a", "1", half(True)), ("a", "2", half(True)), ("b", "3", nothing))
    found, lost = np.ones((2, 2), np.float32), np.zeros((2, 2), np.float32)

    report = evaluate(pictures, [found, lost, lost])

    assert report.value("a", "dice") == pytest.approx(1 / 3, abs=1e-4)
    assert report.value("b", "dice") == 1.0
    assert report.value("pooled", "dice") == pytest.approx((2 / 3 + 0 + 1) / 3, abs=1e-4)
    assert report.value("pooled", "hit_share_polyp_images") == 0.5
    assert report.value("pooled", "false_alarm_share_polyp_free") == 0.0


def test_maps_are_judged_at_the_masks_own_size():
    pictures = Pictures(("a", "1", np.ones((30, 50), np.uint8)))

    report = evaluate(pictures, [np.ones((8, 8), np.float32)])

    assert report.value("pooled", "dice") == 1.0


def test_a_set_without_polyp_free_images_has_no_false_alarm_figure():
    report = evaluate(Pictures(("a", "1", half(True))), [np.ones((4, 8), np.float32)])

    assert "false_alarm_share_polyp_free" not in {metric.name for metric in report.metrics}


def test_the_interval_knows_that_images_of_one_group_are_not_independent():
    values = np.array([0.0] * 10 + [1.0] * 10)
    low_alone, high_alone = bootstrap_interval(values, [str(i) for i in range(20)])
    low, high = bootstrap_interval(values, ["a"] * 10 + ["b"] * 10)

    assert low < low_alone < 0.5 < high_alone < high
