"""The temperature makes 0.8 mean eight times in ten, and moves no contour at 0.5."""

import numpy as np
import pytest

from distill.export.calibration import (
    best_temperature,
    cooled,
    count_logits,
    negative_log_likelihood,
    reliability,
)


@pytest.fixture(scope="module")
def honest():
    """Maps whose every pixel is polyp as often as it says, and their masks."""
    rng = np.random.default_rng(0)
    maps = [1 / (1 + np.exp(-rng.normal(-2, 2, (96, 96)))) for _ in range(20)]
    masks = [(rng.random(p.shape) < p).astype(np.uint8) for p in maps]
    return [p.astype(np.float32) for p in maps], masks


def sharpened(maps, factor):
    """What an overconfident network would have said."""
    return [(p**factor / (p**factor + (1 - p) ** factor)).astype(np.float32) for p in maps]


def test_an_honest_network_keeps_its_probabilities(honest):
    counts = count_logits(*honest)

    assert best_temperature(counts) == pytest.approx(1.0, abs=0.03)
    assert reliability(counts, 1.0).error < 0.01


def test_an_overconfident_one_is_cooled_by_as_much_as_it_exaggerates(honest):
    maps, masks = honest
    counts = count_logits(sharpened(maps, 2.5), masks)

    temperature = best_temperature(counts)

    assert temperature == pytest.approx(2.5, abs=0.1)
    assert negative_log_likelihood(counts, temperature) < negative_log_likelihood(counts, 1.0)
    before, after = reliability(counts, 1.0), reliability(counts, temperature)
    assert after.error < 0.2 * before.error
    assert after.polyp_error < 0.2 * before.polyp_error


def test_the_curve_shows_what_was_said_and_what_was_true(honest):
    curve = reliability(count_logits(*honest), 1.0)

    assert np.abs(curve.said - curve.true).max() < 0.05
    assert curve.share.sum() == pytest.approx(1, abs=1e-3)


def test_without_any_polyp_nothing_can_be_said(honest):
    maps, masks = honest

    assert best_temperature(count_logits(maps, [np.zeros_like(mask) for mask in masks])) == 1.0


def test_cooling_moves_no_contour_at_a_half(honest):
    maps, _ = honest
    sharp = sharpened(maps, 2.5)

    for exaggerated, true in zip(sharp, maps, strict=True):
        inner = (true > 0.02) & (true < 0.98)  # beyond, float32 has no digits left
        assert np.allclose(cooled(exaggerated, 2.5)[inner], true[inner], atol=1e-3)
        assert np.array_equal(cooled(exaggerated, 2.5) > 0.5, exaggerated > 0.5)
