"""Augmented views stay true: image and mask move together, and nothing depends on the order."""

import numpy as np
import pytest

from distill.data.augment import augment
from distill.data.dataset import squash

SIZE_PX = 64


def blob():
    """A bright square on a darker ground, 80x100."""
    mask = np.zeros((80, 100), np.uint8)
    mask[15:50, 8:48] = 1  # off the centre, so that a flip of one of the two shows
    image = np.where(mask[..., None] > 0, np.uint8(230), np.uint8(60)).repeat(3, axis=2)
    return image, mask


@pytest.mark.parametrize("seed", range(20))
def test_a_view_has_the_networks_size_and_a_clean_mask(seed):
    image, mask, *_ = augment(*blob(), SIZE_PX, np.random.default_rng(seed))

    assert image.shape == (SIZE_PX, SIZE_PX, 3)
    assert image.dtype == np.uint8
    assert set(np.unique(mask)) <= {0, 1}


@pytest.mark.parametrize("seed", range(20))
def test_image_and_mask_move_together(seed):
    image, mask, *_ = augment(*blob(), SIZE_PX, np.random.default_rng(seed))

    inside, outside = image[mask > 0].mean(), image[mask == 0].mean()

    assert inside > outside + 60


def test_the_same_seed_gives_the_same_view():
    first, second = (augment(*blob(), SIZE_PX, np.random.default_rng(7)) for _ in range(2))

    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_the_picture_that_is_augmented_is_left_as_it_was():
    image, mask = blob()
    for seed in range(30):
        augment(image, mask, SIZE_PX, np.random.default_rng(seed))

    assert np.array_equal(image, blob()[0])
    assert np.array_equal(mask, blob()[1])


def test_the_full_frame_is_squashed_and_not_cropped():
    image = np.zeros((90, 160, 3), np.uint8)
    image[:, :80] = 200

    small = squash(image, 32)

    assert small.shape == (32, 32, 3)
    assert (small[:, :16] == 200).all()
    assert (small[:, 16:] == 0).all()
