"""The operating points are chosen by what a person at the screen counts, and say what that was."""

import numpy as np
import pytest

from distill.data.dataset import Pictures, fields_of
from distill.data.index import Record
from distill.export.presets import WISHES, Judged, choose_presets
from distill.metrics.detections import detections, point_of

SIDE = 40


def shown(*blobs):
    """A map 40x40 with a square blob per (row, column, side, probability)."""
    probability = np.zeros((SIDE, SIDE), np.float32)
    for row, column, side, value in blobs:
        probability[row : row + side, column : column + side] = value
    return probability


def pictures_of(*masks):
    made = Pictures(root=None, records=[])
    for number, mask in enumerate(masks):
        record = Record(image=str(number), mask="m" if mask.any() else None, set="a", group=str(number))
        made.add(record, np.zeros((SIDE, SIDE, 3), np.uint8), mask)
    return made


def needed(preset):
    """How sure the network has to be somewhere."""
    return max(preset.threshold, preset.min_peak)


POLYP = (shown((5, 5, 10, 1.0)) > 0).astype(np.uint8)
NOTHING = np.zeros((SIDE, SIDE), np.uint8)


def test_false_alarms_weaker_than_the_polyps_are_silenced_by_all_three():
    presets = choose_presets(pictures_of(POLYP, NOTHING), [shown((5, 5, 10, 0.97)), shown((5, 5, 10, 0.6))])

    assert set(presets) == set(WISHES) == {"sensitive", "standard", "quiet"}
    for preset in presets.values():
        assert 0.6 < needed(preset) <= 0.97
        assert preset.measured["false_detections_per_polyp_free_image"] == 0
        assert preset.measured["sensitivity_iou_0.1"] == preset.measured["dice_polyp_images"] == 1.0


def test_the_more_it_may_cry_wolf_the_more_it_finds():
    """One weak polyp among strong ones, as weak as the alarms of one polyp-free image in eight."""
    masks = [POLYP] * 9 + [NOTHING] * 8
    maps = [shown((5, 5, 10, 0.97))] * 8 + [shown((5, 5, 10, 0.5))]
    maps += [shown((20, 20, 8, 0.5))] + [shown()] * 7

    presets = choose_presets(pictures_of(*masks), maps)

    assert needed(presets["sensitive"]) <= 0.5 < needed(presets["standard"])
    assert presets["sensitive"].measured["sensitivity_iou_0.1"] == 1.0
    assert presets["sensitive"].measured["false_detections_per_polyp_free_image"] == 0.125
    assert presets["standard"].measured["sensitivity_iou_0.1"] == pytest.approx(8 / 9, abs=1e-4)
    assert presets["quiet"].hit_ms > presets["standard"].hit_ms > presets["sensitive"].hit_ms


def test_specks_cost_area_and_not_polyps():
    specks = [shown((5, 5, 10, 0.97)), shown((30, 30, 1, 0.97), (35, 20, 1, 0.97))]

    preset = choose_presets(pictures_of(POLYP, NOTHING), specks)["standard"]

    assert preset.min_area_frac > 1 / SIDE**2
    assert preset.measured["false_alarm_share_polyp_free"] == 0


def test_without_polyp_free_images_what_lies_beside_the_polyps_is_counted():
    beside = shown((5, 5, 10, 0.97), (25, 25, 10, 0.6))

    preset = choose_presets(pictures_of(POLYP), [beside])["standard"]

    assert needed(preset) > 0.6
    assert "false_detections_per_polyp_free_image" not in preset.measured


def test_crumbs_beside_the_polyps_count_as_alarms_on_polyp_free_images_do():
    """Only the crumbs forbid a low threshold, at which one polyp more would be found."""
    crumbs = shown((5, 5, 10, 0.97), (20, 20, 3, 0.5), (25, 30, 3, 0.5), (30, 10, 3, 0.5))
    masks, maps = [POLYP] * 4 + [NOTHING], [crumbs] * 3 + [shown((5, 5, 10, 0.5)), shown()]

    preset = choose_presets(pictures_of(*masks), maps)["sensitive"]

    assert needed(preset) > 0.5
    assert preset.measured["false_detections_per_polyp_image"] == 0


def test_what_is_marked_once_the_panels_are_gone_counts_as_any_other_alarm():
    whole, alone = [shown((5, 5, 10, 0.97)), shown()], [shown((5, 5, 10, 0.97)), shown((20, 20, 8, 0.8))]
    pictures = pictures_of(POLYP, NOTHING)

    trusting = choose_presets(pictures, whole)["standard"]
    wary = choose_presets(pictures, whole, Judged(pictures, alone))["standard"]

    assert needed(trusting) < 0.8 < needed(wary)
    assert wary.measured["false_detections_per_polyp_free_field"] == 0
    assert "false_detections_per_polyp_free_field" not in trusting.measured


def test_fields_are_cut_out_of_pictures_and_masks_alike():
    image = np.full((80, 100, 3), 10, np.uint8)
    image[8:72, 40:90] = np.random.default_rng(0).integers(90, 200, (64, 50, 3))
    mask = np.zeros((80, 100), np.uint8)
    mask[30:40, 50:60] = 1
    pictures = Pictures(root=None, records=[])
    pictures.add(Record(image="a", mask="m", set="s", group="g"), image, mask)

    alone = fields_of(pictures)

    assert alone.records == pictures.records
    assert alone.images[0].shape[:2] == alone.masks[0].shape == pytest.approx((64, 50), abs=4)
    assert alone.masks[0].sum() == 100


def test_a_wish_that_cannot_be_fulfilled_gets_the_quietest_point():
    preset = choose_presets(pictures_of(POLYP, NOTHING), [shown((5, 5, 10, 0.5)), shown((5, 5, 30, 1.0))])

    assert preset["quiet"].measured["false_detections_per_polyp_free_image"] == 1.0


def test_a_detection_hits_one_lesion_and_a_lesion_is_hit_once():
    mask = (shown((2, 2, 8, 1), (2, 20, 8, 1)) > 0).astype(np.uint8)
    found = shown((2, 2, 4, 1), (7, 2, 3, 1), (30, 30, 5, 1))

    point = point_of([detections(found, mask, 0.5)], min_area_frac=0.0)

    assert point.sensitivity == 0.5
    assert point.false_per_polyp_image == 2
    assert point.dice_polyp_images == pytest.approx(2 * (16 + 9) / (16 + 9 + 25 + 128))


def test_a_weak_alarm_is_left_out_and_the_polyp_keeps_its_outline():
    """A polyp with a soft rim: a threshold over the alarm would cut the rim off, a peak does not."""
    polyp = shown((5, 5, 14, 0.5))
    polyp[8:16, 8:16] = 0.97
    mask = (polyp > 0).astype(np.uint8)

    preset = choose_presets(pictures_of(mask, NOTHING), [polyp, shown((5, 5, 10, 0.6))])["standard"]

    assert preset.threshold <= 0.5
    assert preset.min_peak > 0.6
    assert preset.measured["dice_polyp_images"] == 1.0
