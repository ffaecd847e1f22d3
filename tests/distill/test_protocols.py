"""Every protocol by hand on masks of eight pixels, then what holds for all of them."""

import numpy as np
import py_sod_metrics
import pytest

from distill.metrics import PROTOCOLS
from distill.metrics.image import is_suspect
from distill.metrics.pixels import count_pixels, joined, stretched
from distill.metrics.protocols import batch_micro
from engine.intervals import group_draws
from engine.table import load_named

HALF = np.array([[1, 1, 0, 0], [1, 1, 0, 0]], np.uint8)
ONE = np.array([[1, 0, 0, 0], [0, 0, 0, 0]], np.uint8)
# Levels 255, 153, 102, 51 and 0 of 8 bits.
SURE = np.array([[1.0, 0.6, 0.2, 0.0], [1.0, 0.4, 0.2, 0.0]], np.float32)
FAINT = SURE * np.float32(0.3) + np.float32(0.1)
PER_IMAGE = tuple(name for name in PROTOCOLS if not name.endswith("micro"))


def figures(name, *pairs):
    """The figures of (map, mask) pairs, floats."""
    pixels = joined([count_pixels(np.asarray(p, np.float32), g) for p, g in pairs])
    values = load_named(PROTOCOLS, name, "protocol")(pixels, np.ones((1, len(pairs))))
    return {key: float(value[0]) for key, value in values.items()}


def blobs(count, seed=0, size=24):
    """Maps in 8 bits with some relation to their masks."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        mask = np.zeros((size, size), np.uint8)
        top, left = rng.integers(2, size - 10, 2)
        mask[top : top + rng.integers(3, 8), left : left + rng.integers(3, 8)] = 1
        levels = np.clip(mask * rng.uniform(60, 255) + rng.normal(30, 30, mask.shape), 0, 255).astype(
            np.uint8
        )
        yield levels.astype(np.float32) / np.float32(255), mask


def test_p05_image_takes_what_is_over_one_half():
    # Found 3 of 4 pixels, all of them right.
    assert figures("p05_image", (SURE, HALF)) == pytest.approx(
        {"dice": 6 / 7, "iou": 3 / 4, "precision": 1.0, "recall": 3 / 4}
    )


def test_p05_image_is_the_mean_over_images_and_dataset_micro_the_pot_of_all_pixels():
    missed = np.zeros((2, 4), np.float32)

    assert figures("p05_image", (SURE, HALF), (missed, ONE))["dice"] == pytest.approx((6 / 7 + 0) / 2)
    assert figures("dataset_micro", (SURE, HALF), (missed, ONE))["dice"] == pytest.approx(2 * 3 / (3 + 5))
    assert figures("dataset_micro", (SURE, HALF), (missed, ONE))["iou"] == pytest.approx(3 / 5)


def test_batch_micro_pools_six_images_and_takes_the_mean_over_batches():
    missed = np.zeros((2, 4), np.float32)
    seven = [(SURE, HALF)] * 6 + [(missed, ONE)]

    assert figures("batch_micro", *seven)["dice"] == pytest.approx((6 / 7 + 0) / 2)


def test_a_batch_of_which_nothing_was_drawn_is_left_out():
    pixels = joined([count_pixels(p, g) for p, g in [(SURE, HALF), (np.zeros((2, 4), np.float32), ONE)]])

    drawn = batch_micro(pixels, np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), batch=1)["dice"]

    assert drawn == pytest.approx([6 / 7, 0.0, 3 / 7])


def test_minmax_makes_a_faint_miss_a_hit():
    assert figures("p05_image", (FAINT, HALF))["dice"] == 0.0
    assert figures("p05_minmax", (FAINT, HALF))["dice"] == pytest.approx(6 / 7)


@pytest.mark.parametrize("probability", [SURE, FAINT])
def test_pranet_mean_is_the_mean_over_256_thresholds_of_the_stretched_map(probability):
    # Thresholds 0 | 1..51 | 52..102 | 103..153 | 154..255 find 8, 6, 4, 3 and 2 pixels.
    times = np.array([1, 51, 51, 51, 102])
    dice = np.array([8 / 12, 8 / 10, 1, 6 / 7, 4 / 6])
    iou = np.array([4 / 8, 4 / 6, 1, 3 / 4, 2 / 4])

    found = figures("pranet_mean", (probability, HALF))

    assert found["dice"] == pytest.approx((times * dice).sum() / 256)
    assert found["iou"] == pytest.approx((times * iou).sum() / 256)


def test_pranet_max_takes_one_threshold_for_all_images():
    later = np.array([[1.0, 1.0, 0.9, 0.0], [1.0, 1.0, 0.9, 0.0]], np.float32)

    assert figures("pranet_max", (SURE, HALF))["dice"] == 1.0
    # SURE is right below 0.4 only, `later` above 0.9 only: 1 and 8/10, or 4/6 and 1.
    assert figures("pranet_max", (SURE, HALF), (later, HALF))["dice"] == pytest.approx((1 + 8 / 10) / 2)


def test_soft_minmax_sums_probabilities():
    # Inside the mask 3.0 of 3.4 in all; smooth 1.
    assert figures("soft_minmax", (SURE, HALF))["dice"] == pytest.approx((2 * 3 + 1) / (3.4 + 4 + 1))


def test_a_perfect_map_scores_99_67_under_pranet_mean_because_threshold_zero_counts():
    mask = np.zeros((120, 100), np.uint8)
    mask[:10] = 1  # a twelfth of the picture, as an average polyp

    perfect = figures("pranet_mean", (mask, mask))["dice"]

    assert round(100 * perfect, 2) == 99.67


@pytest.mark.parametrize("name", [name for name in PROTOCOLS if name != "pranet_mean"])
def test_a_perfect_map_scores_1_under_the_others(name):
    assert figures(name, (HALF, HALF), (ONE, ONE)) == pytest.approx(
        {"dice": 1, "iou": 1, "precision": 1, "recall": 1}
    )


@pytest.mark.parametrize("name", ["p05_image", "p05_minmax", "dataset_micro", "batch_micro"])
def test_finding_nothing_scores_0_and_finding_everything_has_full_recall(name):
    nothing = figures(name, (np.zeros((2, 4)), HALF))
    everything = figures(name, (np.ones((2, 4)), HALF))

    assert nothing == {"dice": 0, "iou": 0, "precision": 0, "recall": 0}
    assert everything == pytest.approx({"dice": 2 / 3, "iou": 1 / 2, "precision": 1 / 2, "recall": 1})


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_full_mask_found_in_full_scores_1(name):
    full = np.ones((2, 4), np.uint8)

    assert figures(name, (full, full))["dice"] == 1.0


def test_a_constant_map_has_nothing_to_stretch():
    assert np.all(stretched(np.full((2, 2), 0.7, np.float32)) == pytest.approx(0.7))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_no_set_of_images_has_a_lower_iou_than_its_dice_allows(name):
    found = figures(name, *blobs(20))

    assert 0 < found["dice"] < 1
    assert found["iou"] >= found["dice"] / (2 - found["dice"]) - 1e-12


def test_the_pot_of_all_pixels_has_exactly_that_iou():
    found = figures("dataset_micro", *blobs(20))

    assert found["iou"] == pytest.approx(found["dice"] / (2 - found["dice"]))


def test_a_published_row_that_cannot_be_is_suspect():
    assert is_suspect(0.885, 0.789)  # U-Net + DiFoM on Kvasir
    assert is_suspect(0.862, 0.733)  # and on CVC-300
    assert not is_suspect(0.849, 0.765)  # U-Net++ + DiFoM on Kvasir


def test_the_thresholds_are_those_of_pysodmetrics():
    pairs = list(blobs(8))
    handlers = {
        "dice": py_sod_metrics.DICEHandler(with_dynamic=True, with_adaptive=False),
        "iou": py_sod_metrics.IOUHandler(with_dynamic=True, with_adaptive=False),
    }
    theirs = py_sod_metrics.FmeasureV2(metric_handlers=handlers)
    for probability, mask in pairs:
        theirs.step(np.rint(probability * 255).astype(np.uint8), mask * np.uint8(255))
    curves = {name: value["dynamic"] for name, value in theirs.get_results().items()}

    mean, best = figures("pranet_mean", *pairs), figures("pranet_max", *pairs)

    # Rounding: their levels of a stretched map fall one short now and then.
    for name in ("dice", "iou"):
        assert mean[name] == pytest.approx(curves[name].mean(), abs=1e-4)
        assert best[name] == pytest.approx(curves[name].max(), abs=1e-3)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_an_image_drawn_twice_counts_twice(name):
    first, second = blobs(2)
    protocol = load_named(PROTOCOLS, name, "protocol")

    drawn = protocol(joined([count_pixels(*first), count_pixels(*second)]), np.array([[2.0, 1.0]]))["dice"]

    twice = figures(name, first, first, second)
    assert drawn[0] == pytest.approx(twice["dice"])


def test_a_draw_takes_whole_groups():
    draws = group_draws(["a", "a", "b", "c"], draws=50)

    assert np.array_equal(draws[:, 0], draws[:, 1])
    assert set((draws[:, 0] + draws[:, 2] + draws[:, 3]).tolist()) == {3.0}
    assert np.array_equal(draws, group_draws(["a", "a", "b", "c"], draws=50))
