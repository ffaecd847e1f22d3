"""Outlines do not tremble, do not lag behind a moving polyp, and are never where a frame has nothing."""

from itertools import pairwise

import numpy as np

from engine.tracking.place import Shift
from engine.tracking.steady import BAND, steadied

T = 0.55


def disc(cx, cy, radius=30.0, size=128, edge=6.0):
    """Probabilities that fall from 1 to 0 over `edge` pixels, 0.5 at the radius."""
    y, x = np.mgrid[:size, :size]
    return np.clip(0.5 + (radius - np.hypot(x - cx, y - cy)) / edge, 0, 1)


def as_map(p):
    return np.round(np.clip(p, 0, 1) * 255).astype(np.uint8)


def inside(m):
    return (m >= T * 255).astype(np.uint8)


def follow(maps, motions=None):
    """What is inside, frame by frame."""
    before, shown = None, []
    for i, m in enumerate(maps):
        before = inside(steadied(m, before, T, motions[i] if motions else Shift()))
        shown.append(before)
    return shown


def changes(shown):
    return sum(int(np.count_nonzero(a != b)) for a, b in pairwise(shown))


def test_a_trembling_outline_changes_three_times_less():
    random = np.random.default_rng(3)
    maps = [as_map(disc(64, 64) + random.normal(0, 0.06, (128, 128))) for _ in range(40)]

    assert changes(follow(maps)) * 3 < changes([inside(m) for m in maps])


def test_the_outline_of_a_moving_polyp_is_that_of_its_own_frame_within_a_pixel():
    maps = [as_map(disc(30 + 4 * i, 64)) for i in range(15)]

    for own, shown in zip([inside(m) for m in maps], follow(maps), strict=True):
        area = np.count_nonzero(own)
        assert np.count_nonzero(own != shown) < 0.05 * area


def test_what_a_frame_is_sure_of_is_as_in_that_frame():
    random = np.random.default_rng(5)
    maps = [as_map(random.random((64, 64))) for _ in range(10)]

    for m, shown in zip(maps, follow(maps), strict=True):
        assert not shown[m < (T - BAND) * 255 - 1].any()
        assert shown[m > (T + BAND) * 255 + 1].all()


def test_peaks_and_the_order_of_values_stay():
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)

    for before in (np.zeros((16, 16), np.uint8), np.ones((16, 16), np.uint8)):
        moved = steadied(ramp, before, T).ravel().astype(int)
        assert (np.diff(moved) >= 0).all()
        assert moved[-1] == 255


def test_what_was_inside_moves_with_the_picture():
    faint = np.full((64, 64), round((T - BAND / 3) * 255), np.uint8)
    before = np.zeros((64, 64), np.uint8)
    before[10:20, 10:20] = 1

    shown = inside(steadied(faint, before, T, Shift(5.0, -3.0)))

    assert np.argwhere(shown).min(0).tolist() == [7, 15]


def test_a_map_of_another_size_is_left_as_it_is():
    m = as_map(disc(64, 64))

    assert steadied(m, np.ones((64, 64), np.uint8), T) is m
