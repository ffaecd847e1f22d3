"""Structure measures, outlines and lesions of one image."""

import numpy as np
import py_sod_metrics
import pytest

from distill.metrics.lesions import LesionCounts, count_lesions
from distill.metrics.structure import measure_structure, structure_figures
from distill.metrics.surface import diagonal_px, hd95_px
from engine.types import U8


def squares(*places, size=40):
    """A mask with a square per (row, column, side)."""
    mask: U8 = np.zeros((size, size), np.uint8)
    for row, column, side in places:
        mask[row : row + side, column : column + side] = 1
    return mask


def noisy(mask, seed):
    rng = np.random.default_rng(seed)
    return np.clip(mask * 170 + rng.normal(40, 25, mask.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(3))
def test_the_structure_measures_are_those_of_pysodmetrics_on_the_stored_picture(seed):
    mask = squares((5, 8, 12), (25, 20, 9))
    picture = noisy(mask, seed)
    theirs = {
        name: measure()
        for name, measure in (
            ("s", py_sod_metrics.Smeasure),
            ("e", py_sod_metrics.Emeasure),
            ("w", py_sod_metrics.WeightedFmeasure),
            ("mae", py_sod_metrics.MAE),
        )
    }
    for measure in theirs.values():
        measure.step(picture, mask * 255)

    ours = measure_structure(picture.astype(np.float32) / np.float32(255), mask)

    assert ours.s_alpha == pytest.approx(theirs["s"].get_results()["sm"], abs=1e-6)
    assert ours.weighted_f == pytest.approx(theirs["w"].get_results()["wfm"], abs=1e-6)
    assert ours.mae == pytest.approx(theirs["mae"].get_results()["mae"], abs=1e-6)
    curve = theirs["e"].get_results()["em"]["curve"]
    # Their levels fall one short now and then.
    assert ours.e_curve.mean() == pytest.approx(curve.mean(), abs=1e-4)
    assert ours.e_curve.max() == pytest.approx(curve.max(), abs=1e-3)


def test_e_phi_of_four_pixels_by_hand():
    # f = (1, 0, 0, 0) - 1/4 and g = (1, 1, 0, 0) - 1/2 at every threshold but 0, where f is 0 everywhere.
    f, g = np.array([0.75, -0.25, -0.25, -0.25]), np.array([0.5, 0.5, -0.5, -0.5])
    aligned = ((2 * f * g / (f**2 + g**2) + 1) ** 2 / 4).sum() / 3  # the library divides by pixels - 1
    probability = np.array([[1.0, 0.0, 0.0, 0.0]], np.float32)

    ours = measure_structure(probability, np.array([[1, 1, 0, 0]], np.uint8))

    assert ours.e_curve[0] == pytest.approx(aligned)
    assert ours.e_curve[-1] == pytest.approx(4 * 0.25 / 3)


def test_s_alpha_of_a_full_mask_is_the_mean_of_the_map():
    probability = np.array([[0.0, 1.0], [1.0, 1.0]], np.float32)

    assert measure_structure(probability, np.ones((2, 2), np.uint8)).s_alpha == 0.75


def test_a_polyp_on_the_last_row_has_an_s_alpha():
    mask = np.zeros((6, 6), np.uint8)
    mask[5, 2:4] = 1

    assert measure_structure(mask.astype(np.float32), mask).s_alpha == pytest.approx(1.0, abs=0.05)


def test_a_perfect_map_has_s_and_weighted_f_of_1():
    mask = squares((5, 8, 12))

    ours = measure_structure(mask.astype(np.float32), mask)

    assert (ours.s_alpha, ours.weighted_f, ours.mae) == pytest.approx((1.0, 1.0, 0.0))


def test_e_max_is_the_best_threshold_of_the_mean_curve_not_the_mean_of_the_best():
    mask = squares((5, 8, 12))
    images = [measure_structure(noisy(mask, seed).astype(np.float32) / 255, mask) for seed in range(2)]

    figures = structure_figures(images, np.ones((1, 2)))

    mean_curve = (images[0].e_curve + images[1].e_curve) / 2
    assert figures["e_max"][0] == pytest.approx(mean_curve.max())
    assert figures["e_mean"][0] == pytest.approx(mean_curve.mean())


def test_hd95_of_two_pixels_is_their_distance():
    first, second = np.zeros((10, 10), bool), np.zeros((10, 10), bool)
    first[1, 1] = second[4, 5] = True

    assert hd95_px(first, second) == pytest.approx(5.0)


def test_hd95_of_a_square_moved_by_three_pixels_is_three_either_way():
    first, second = squares((5, 5, 20)) > 0, squares((5, 8, 20)) > 0

    assert hd95_px(first, second) == pytest.approx(3.0)
    assert hd95_px(second, first) == pytest.approx(3.0)


def test_hd95_leaves_out_the_farthest_twentieth_of_an_outline():
    polyp = squares((5, 5, 20)) > 0
    with_speck = polyp.copy()
    with_speck[39, 39] = True

    assert hd95_px(with_speck, polyp) == 0.0


def test_hd95_takes_the_worse_direction():
    polyp, with_another = squares((5, 5, 10)) > 0, squares((5, 5, 10), (28, 28, 10)) > 0

    assert hd95_px(polyp, with_another) == hd95_px(with_another, polyp) > 15


def test_a_mask_that_runs_out_of_the_picture_has_its_outline_there():
    whole = np.ones((20, 20), bool)
    half = whole.copy()
    half[10:] = False

    assert hd95_px(whole, whole) == 0.0
    assert hd95_px(half, whole) == pytest.approx(10.0)


def test_hd95_is_the_diagonal_when_one_is_empty_and_0_when_both_are():
    there, empty = np.ones((3, 4), bool), np.zeros((3, 4), bool)

    assert hd95_px(empty, there) == hd95_px(there, empty) == diagonal_px(there) == 5.0
    assert hd95_px(empty, empty) == 0.0


def test_lesions_found_missed_and_false():
    truth = squares((2, 2, 10), (25, 25, 10)) > 0
    found = squares((2, 3, 10), (25, 2, 8)) > 0  # IoU 90 / 110 with the first; the other one is nowhere

    assert count_lesions(found, truth)[0.5] == LesionCounts(lesions=2, hits=1, false_detections=1)


def test_a_hit_at_a_tenth_is_a_miss_at_a_half():
    truth, found = squares((2, 2, 10)) > 0, squares((8, 2, 10)) > 0  # IoU 40 / 160

    counts = count_lesions(found, truth)

    assert counts[0.5] == LesionCounts(lesions=1, hits=0, false_detections=1)
    assert counts[0.1] == LesionCounts(lesions=1, hits=1, false_detections=0)


def test_a_detection_over_two_lesions_hits_only_one():
    truth = squares((2, 2, 10), (2, 14, 10)) > 0
    found = np.zeros_like(truth)
    found[2:12, 2:24] = True

    assert count_lesions(found, truth)[0.1] == LesionCounts(lesions=2, hits=1, false_detections=0)


def test_specks_do_not_count_on_either_side():
    truth, found = squares((2, 2, 1), size=100) > 0, squares((50, 50, 2), size=100) > 0

    assert count_lesions(found, truth)[0.5] == LesionCounts(0, 0, 0)
    assert count_lesions(found, truth, min_area_frac=0.0)[0.5] == LesionCounts(1, 0, 1)


def test_blobs_that_touch_at_a_corner_are_one():
    truth = squares((2, 2, 10), (12, 12, 10)) > 0

    assert count_lesions(truth, truth)[0.5].lesions == 1
