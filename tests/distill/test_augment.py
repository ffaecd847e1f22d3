"""Augmented views stay true: image and mask move together, and nothing depends on the order."""

import cv2
import numpy as np
import pytest
import torch

from distill.data.dataset import Pictures, epoch_items, squash
from distill.data.index import Record
from distill.data.views.augment import augment, flipped
from distill.data.views.gpu import GpuViews
from distill.data.views.mixing import fourier_mix
from distill.data.views.warp import seen, warp_maps
from distill.recipe import AugmentPart, load_recipe
from engine.faults import FaultError

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


def edge(x_share=0.5):
    """A frame that is bright right of `x_share`, its mask, and its map of features on a 16 x 16 grid."""
    image = np.zeros((120, 160, 3), np.uint8)
    image[:, round(160 * x_share) :] = 255
    feature = np.zeros((1, 1, 16, 16), np.float32)
    feature[..., round(16 * x_share) :] = 1
    return image, (image[..., 0] > 0).astype(np.uint8), torch.from_numpy(feature)


ONLY_GEOMETRY = AugmentPart(hue=0, colour=0, blur=0, motion=0, soft=0, noise=0, panel=0, jpeg=0)


@pytest.mark.parametrize("seed", range(25))
def test_cached_features_go_where_picture_and_mask_go(seed):
    image, mask, features = edge()
    view = augment(image, mask, SIZE_PX, np.random.default_rng(seed), ONLY_GEOMETRY)
    matrix = torch.from_numpy(view.matrix)[None].float()

    warped = warp_maps(features, matrix, (SIZE_PX, SIZE_PX))[0, 0]
    valid = seen(matrix, [view.hidden], (SIZE_PX, SIZE_PX))[0, 0] > 0
    # The map's edge is a ramp of one cell, four pixels and more: away from it both must say the same.
    sure = valid & ((warped < 0.05) | (warped > 0.95))
    agree = (warped > 0.5) == torch.from_numpy(view.mask > 0)

    assert sure.sum() > 200
    assert agree[sure].float().mean() > 0.995
    bright = torch.from_numpy(view.image[..., 0] > 127)
    assert (bright == (warped > 0.5))[sure].float().mean() > 0.995


@pytest.mark.parametrize("which", range(4))
def test_the_four_flips_move_all_three_alike(which):
    image, mask, features = edge(0.25)
    view = flipped(image, mask, SIZE_PX, which)
    warped = warp_maps(features, torch.from_numpy(view.matrix)[None].float(), (SIZE_PX, SIZE_PX))[0, 0]

    assert np.array_equal(view.image[..., 0] > 127, view.mask > 0)
    assert ((warped > 0.5).numpy() == (view.mask > 0)).mean() > 0.98
    assert view.mask.mean() == pytest.approx(0.75, abs=0.02)


def test_a_frame_that_is_not_moved_keeps_its_features():
    maps = torch.rand(2, 5, 8, 8)

    torch.testing.assert_close(warp_maps(maps, torch.eye(3).repeat(2, 1, 1)), maps, rtol=1e-4, atol=1e-5)


def test_what_the_teachers_did_not_see_does_not_count():
    shifted = torch.eye(3)[None].clone()
    shifted[0, 0, 2] = 0.5  # the frame's left half is in the view's right half

    valid = seen(shifted, [((0.75, 0.0, 1.0, 0.5),)], (8, 8))[0, 0]

    assert valid[:, :4].sum() == 0
    assert valid[:4, 6:].sum() == 0
    assert valid[4:, 4:].min() == 1
    assert valid[:, 4:6].min() == 1


def test_a_polyp_free_crop_shows_no_polyp_and_knows_where_it_lies():
    image, mask = blob()
    part = ONLY_GEOMETRY.model_copy(
        update={"polyp_free_crop": 1.0, "affine": 0.0, "flips": False, "quarter_turn": 0.0}
    )
    view = augment(image, mask, SIZE_PX, np.random.default_rng(1), part)
    x, y, _ = np.linalg.inv(view.matrix) @ [[0, 1], [0, 1], [1, 1]]

    assert view.mask.sum() == 0
    assert 0 <= x[0] < x[1] <= 1
    assert 0 <= y[0] < y[1] <= 1
    assert 0.34 < x[1] - x[0] < 0.71


def test_a_view_of_the_field_shows_the_endoscopes_picture_alone():
    rng = np.random.default_rng(0)
    image = np.full((80, 100, 3), 10, np.uint8)
    image[8:72, 40:90] = rng.integers(90, 200, (64, 50, 3))  # the rest is a dark panel
    mask = np.zeros((80, 100), np.uint8)
    mask[40:60, 50:70] = 1
    part = ONLY_GEOMETRY.model_copy(update={"field": 1.0, "affine": 0.0, "flips": False, "quarter_turn": 0.0})

    view = augment(image, mask, SIZE_PX, rng, part)
    x, y, _ = np.linalg.inv(view.matrix) @ [[0, 1], [0, 1], [1, 1]]

    np.testing.assert_allclose([x, y], [[0.4, 0.9], [0.1, 0.9]], atol=0.04)
    assert view.image.min() > 60
    assert view.mask.mean() == pytest.approx(20 * 20 / (64 * 50), rel=0.15)


class Others:
    """Donors that always give the same."""

    def polyp(self, rng):
        return blob()

    def stranger(self, rng):
        return np.full((80, 100, 3), (250, 20, 20), np.uint8)


def test_a_pasted_polyp_is_in_the_mask_and_hidden_from_the_teachers():
    image = np.full((80, 100, 3), 60, np.uint8)
    part = ONLY_GEOMETRY.model_copy(update={"paste": 1.0, "affine": 0.0})
    view = augment(image, np.zeros((80, 100), np.uint8), SIZE_PX, np.random.default_rng(0), part, Others())
    ((left, top, right, bottom),) = view.hidden
    y, x = np.nonzero(view.mask)

    assert view.mask.any()
    assert left * SIZE_PX <= x.min()
    assert x.max() < right * SIZE_PX
    assert top * SIZE_PX <= y.min()
    assert y.max() < bottom * SIZE_PX


def test_fourier_mixing_brings_the_light_and_leaves_the_edges():
    image, _ = blob()
    square = cv2.resize(image, (80, 80))
    stranger = np.full((80, 80, 3), (250, 20, 20), np.uint8)
    mixed = fourier_mix(square, stranger, 0.8)

    assert mixed[..., 0].mean() > square[..., 0].mean() + 30
    assert mixed[..., 1].mean() < square[..., 1].mean()
    edges = [
        np.abs(np.diff(picture[..., 0].astype(int), axis=1)).argmax(axis=1)[20:40]
        for picture in (square, mixed)
    ]
    assert np.array_equal(*edges)


@pytest.mark.parametrize("name", ["exposure", "glare", "highlights", "cutout"])
def test_the_lamps_options_change_the_picture_and_not_the_mask(name):
    image, mask = blob()
    still = ONLY_GEOMETRY.model_copy(update={"affine": 0.0, "flips": False, "quarter_turn": 0.0})
    plain = augment(image, mask, SIZE_PX, np.random.default_rng(3), still)
    changed = augment(image, mask, SIZE_PX, np.random.default_rng(3), still.model_copy(update={name: 1.0}))

    assert not np.array_equal(changed.image, plain.image)
    assert np.array_equal(changed.mask, plain.mask)


def pictures_of(polyps, free):
    made = Pictures(root=None, records=[])
    for number in range(polyps + free):
        mask = np.full((32, 32), number < polyps, np.uint8)
        record = Record(image=str(number), mask=None, set=f"s{number % 2}", group=str(number))
        made.add(record, np.zeros((32, 32, 3), np.uint8), mask)
    return made


@pytest.mark.parametrize("views", ["online", "four_flips"])
def test_views_made_on_the_gpu_move_all_three_alike(views):
    # The same code on the CPU: what differs on a GPU is where the tensors lie.
    recipe = load_recipe("light", [f"augment.views={views}", "augment.hue=0.0", "augment.place=gpu"])
    image, mask, features = edge()
    pictures = Pictures(root=None, records=[])
    pictures.add(Record(image="a", mask="a", set="s", group="a"), image, mask)
    items = range(4 if views == "four_flips" else 16)
    batch = GpuViews(pictures, recipe, 64, torch.device("cpu")).batch(items, 64, epoch=0)
    warped = warp_maps(features.repeat(len(items), 1, 1, 1), batch.matrix, (64, 64))
    valid = seen(batch.matrix, batch.hidden, (64, 64)) > 0
    sure = valid & ((warped < 0.05) | (warped > 0.95))

    assert batch.image.shape == (len(items), 3, 64, 64)
    assert 0 <= batch.image.min() <= batch.image.max() <= 1
    assert ((warped > 0.5) == (batch.mask > 0))[sure].float().mean() > 0.99


def test_views_of_the_field_made_on_the_gpu_show_the_endoscopes_picture_alone():
    still = ["flips=false", "quarter_turn=0.0", "affine=0.0", "field=1.0", "place=gpu"]
    recipe = load_recipe("light", [f"augment.{change}" for change in still])
    image = np.full((80, 100, 3), 10, np.uint8)
    image[8:72, 40:90] = np.random.default_rng(0).integers(90, 200, (64, 50, 3))
    pictures = Pictures(root=None, records=[])
    pictures.add(Record(image="a", mask=None, set="s", group="a"), image, np.zeros((80, 100), np.uint8))

    batch = GpuViews(pictures, recipe, 64, torch.device("cpu")).batch([0], 64, epoch=0)
    x, y, _ = np.linalg.inv(batch.matrix[0].numpy()) @ [[0, 1], [0, 1], [1, 1]]

    np.testing.assert_allclose([x, y], [[0.4, 0.9], [0.1, 0.9]], atol=0.04)


def test_an_epoch_of_four_flips_shows_every_image_four_times():
    recipe = load_recipe("notebook")
    items = epoch_items(pictures_of(3, 2), recipe, epoch=0)

    assert sorted(items % 5) == sorted([0, 1, 2, 3, 4] * 4)
    assert set(items // 5) == {0, 1, 2, 3}


def test_a_share_of_negatives_is_kept_and_images_come_again_only_when_all_came():
    recipe = load_recipe("light", ["data.negatives_share=0.5", "data.validation_groups=[]"])
    pictures = pictures_of(8, 2)
    items = epoch_items(pictures, recipe, epoch=0)
    free = items[items % 10 >= 8]

    assert len(items) == 10
    assert len(free) == 5
    assert len(set(free.tolist())) == 5  # copies have views of their own
    assert np.bincount(free % 10 - 8).tolist() in ([3, 2], [2, 3])


def test_hard_negatives_take_their_share_of_the_polyp_free_places():
    changes = ["data.negatives_share=0.5", "data.hard_negatives_share=0.6", "student.start=any"]
    recipe = load_recipe("light", changes)
    pictures = pictures_of(6, 4)
    plain = epoch_items(pictures, recipe, epoch=0)
    items = epoch_items(pictures, recipe, epoch=0, hard=[7])

    assert np.bincount(items % 10, minlength=10)[6:].tolist().count(0) == 1  # 2 places for the 3 easy ones
    assert (items % 10 == 7).sum() == 3
    assert len(set(items.tolist())) == 10  # copies have views of their own
    assert (plain % 10 >= 6).sum() == 5  # none is hard: as without the key
    assert (plain % 10 == 7).sum() <= 2


def test_hard_negatives_need_a_network_that_finds_them_hard():
    with pytest.raises(FaultError, match=r"hard_negatives_share needs .*student\.start"):
        load_recipe("light", ["data.negatives_share=0.5", "data.hard_negatives_share=0.6"])


def test_a_share_of_negatives_without_any_is_refused():
    recipe = load_recipe("light", ["data.negatives_share=0.5"])

    with pytest.raises(FaultError, match="negatives_share"):
        epoch_items(pictures_of(4, 0), recipe, epoch=0)
