"""Bad views are told by what is wrong with them, usable ones never, and no single picture decides."""

import cv2
import numpy as np
import pytest

from engine.view.quality import ViewFault, ViewQuality, after, faults_of, measure
from tests.fixtures.tissue import mucosa

HZ = 30.0


def dyed(picture):
    half = picture.copy()
    half[:, :200] = half[:, :200, ::-1]
    return half


def grey(picture):
    return cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def foam(picture):
    spots = np.zeros(picture.shape[:2], np.uint8)
    for x, y in np.random.default_rng(1).integers(30, 290, (500, 2)).tolist():
        cv2.circle(spots, (x, y), 3, 255, -1)
    return np.maximum(picture, spots[..., None])


BAD = {
    ViewFault.BLURRED: lambda p: cv2.GaussianBlur(p, (0, 0), 12),
    ViewFault.DARK: lambda p: p // 8,
    ViewFault.BRIGHT: lambda p: np.clip(p.astype(int) * 3, 0, 255).astype(np.uint8),
    ViewFault.TOUCHING: lambda p: np.full_like(p, (190, 50, 40)) + cv2.GaussianBlur(p, (0, 0), 40) // 30,
    ViewFault.BUBBLES: foam,
    ViewFault.OUTSIDE: grey,
}


@pytest.mark.parametrize("fault", ViewFault)
def test_a_bad_view_is_told_by_what_is_wrong_with_it(fault):
    assert faults_of(measure(BAD[fault](mucosa()))) == {fault}


@pytest.mark.parametrize(
    "look", [lambda p: p, dyed, lambda p: p // 2, lambda p: cv2.GaussianBlur(p, (0, 0), 1)]
)
def test_a_usable_view_has_no_fault_dyed_dim_or_a_little_soft(look):
    assert [faults_of(measure(look(mucosa(seed)))) for seed in range(5)] == [frozenset()] * 5


def told(looks):
    """The faults after each picture of 30 Hz."""
    state, said = ViewQuality(), []
    for i, faults in enumerate(looks):
        state = after(state, frozenset(faults), i / HZ)
        said.append(set(state.faults))
    return said


DARK = {ViewFault.DARK}


def test_a_fault_is_told_after_200_ms_and_gone_after_400_ms():
    said = told([DARK] * 20 + [set()] * 20)

    assert said.index(DARK) == 6
    assert said[20:].index(set()) == 12


def test_single_pictures_change_nothing():
    assert not any(told([DARK, set(), set()] * 10))
    assert all(said == DARK for said in told([DARK] * 10 + [set(), DARK] * 10)[10:])


def test_time_that_goes_back_starts_the_delay_anew():
    state = after(ViewQuality(), frozenset(DARK), 100.0)
    state = after(state, frozenset(DARK), 1.0)

    assert after(state, frozenset(DARK), 1.1).is_good
    assert not after(state, frozenset(DARK), 1.2).is_good
