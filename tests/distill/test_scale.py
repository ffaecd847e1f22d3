"""Views have polyps of every size: some fill the view, some are smaller than a hundredth of it."""

import numpy as np
import pytest
import torch

from distill.data.dataset import Donors, Pictures, training_batch
from distill.data.index import Record
from distill.data.views.augment import augment
from distill.data.views.gpu import GpuViews
from distill.data.views.scale import LARGEST_ZOOM, inside_polyp
from distill.data.views.warp import seen, warp_maps
from distill.recipe import AugmentPart, load_recipe
from engine.faults import FaultError

SIZE_PX = 64
SEEDS = range(12)
NO_LIGHT = {"hue": 0, "colour": 0, "blur": 0, "motion": 0, "soft": 0, "noise": 0, "panel": 0, "jpeg": 0}
GROUND, POLYP = (60, 90, 70), (200, 120, 90)


def frame(radius_px, centre=(70, 110), shape=(160, 200)):
    """A disc on rough mucosa, and its mask."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    mask = ((y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius_px**2).astype(np.uint8)
    rough = np.random.default_rng(0).integers(-8, 8, (*shape, 1))
    image = np.where(mask[..., None] > 0, POLYP, GROUND) + rough
    return image.astype(np.uint8), mask


class Discs:
    """Donors with one disc of 5 % of their frame."""

    def polyp(self, rng):
        return frame(22)

    def stranger(self, rng):
        return frame(0)[0]


def pictures_of(*frames):
    made = Pictures(root=None, records=[])
    for number, (image, mask) in enumerate(frames):
        made.add(Record(image=str(number), mask="m", set="s", group=str(number)), image, mask)
    return made


def view_of(image, mask, seed, **augmentation):
    part = AugmentPart(**NO_LIGHT, **augmentation)
    return augment(image, mask, SIZE_PX, np.random.default_rng(seed), part, Discs())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_large_crop_is_half_or_more_polyp(seed):
    view = view_of(*frame(40), seed, large_crop=1.0)

    assert view.mask.mean() >= 0.49  # a pixel's width of rounding around it


def test_large_crops_go_from_half_to_all_of_the_view():
    shares = [view_of(*frame(60), seed, large_crop=1.0).mask.mean() for seed in range(60)]

    assert min(shares) < 0.65
    assert max(shares) > 0.9


@pytest.mark.parametrize("radius_px", [3, 12])
def test_a_polyp_too_small_for_a_large_crop_keeps_its_view(radius_px):
    image, mask = frame(radius_px)
    assert mask.mean() < 0.5 / LARGEST_ZOOM**2

    view = view_of(image, mask, 1, large_crop=1.0, affine=0.0)

    assert view.mask.mean() == pytest.approx(mask.mean(), rel=0.2)
    assert inside_polyp(np.zeros_like(mask), np.random.default_rng(0)) is None


def test_a_ring_whose_middle_is_no_polyp_is_met_where_it_is_thick_enough():
    mask = np.maximum(frame(75)[1] - frame(40)[1], 0)

    for seed in SEEDS:
        box = inside_polyp(mask, np.random.default_rng(seed))
        assert mask[box.y : box.y + box.h, box.x : box.x + box.w].mean() >= 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_a_large_crop_moves_features_and_their_validity_with_the_picture(seed):
    image, mask = frame(45)
    features = torch.from_numpy(mask.astype(np.float32))[None, None]
    view = view_of(image, mask, seed, large_crop=1.0)
    matrix = torch.from_numpy(view.matrix)[None].float()
    warped = warp_maps(features, matrix, (SIZE_PX, SIZE_PX))[0, 0].numpy()

    sure = (warped < 0.05) | (warped > 0.95)
    assert sure.mean() > 0.7
    assert ((warped > 0.5) == (view.mask > 0))[sure].mean() > 0.995
    assert ((view.image[..., 0] > 130) == (view.mask > 0))[sure].mean() > 0.995
    assert seen(matrix, [view.hidden], (8, 8)).min() == 1  # all of the view lies in the frame


def test_large_crops_made_on_the_gpu_are_those_of_the_cpu_in_size():
    changes = ["large_crop=1.0", "place=gpu", "hue=0.0", "colour=0.0"]
    recipe = load_recipe("light", [f"augment.{change}" for change in changes])
    # The same code on the CPU: what differs on a GPU is where the tensors lie.
    views = GpuViews(pictures_of(frame(45)), recipe, SIZE_PX, torch.device("cpu"))
    batch = views.batch(range(8), SIZE_PX, epoch=0)
    features = torch.from_numpy(frame(45)[1].astype(np.float32))[None, None].repeat(8, 1, 1, 1)
    warped = warp_maps(features, batch.matrix, (SIZE_PX, SIZE_PX))
    sure = (warped < 0.05) | (warped > 0.95)

    assert batch.mask.mean(dim=(1, 2, 3)).min() >= 0.47
    assert ((warped > 0.5) == (batch.mask > 0))[sure].float().mean() > 0.99


@pytest.mark.parametrize("seed", SEEDS)
def test_a_small_pasted_polyp_is_under_one_percent_and_hidden_from_the_teachers(seed):
    image = frame(0)[0]
    view = view_of(image, np.zeros(image.shape[:2], np.uint8), seed, small_paste=1.0, affine=0.0)
    ((left, top, right, bottom),) = view.hidden
    y, x = np.nonzero(view.mask)

    assert 0.0008 < view.mask.mean() < 0.0105
    assert left * SIZE_PX <= x.min() <= x.max() < right * SIZE_PX
    assert top * SIZE_PX <= y.min() <= y.max() < bottom * SIZE_PX


def test_it_stands_out_as_it_did_from_its_own_mucosa():
    image = frame(0)[0] // 2  # a darker place
    part = AugmentPart(**NO_LIGHT, small_paste=1.0, affine=0.0)
    nothing = np.zeros(image.shape[:2], np.uint8)
    view = augment(image, nothing, 256, np.random.default_rng(3), part, Discs())
    inner = view.image[view.mask > 0]
    stands_out = np.median(inner, axis=0) - np.median(view.image[view.mask == 0], axis=0)

    assert stands_out == pytest.approx(np.subtract(POLYP, GROUND), abs=25)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_lies_on_lit_mucosa_and_beside_the_polyps_of_the_view(seed):
    image, mask = frame(40)
    image[:, :70] = 5  # a panel
    plain = view_of(image, mask, seed, small_paste=0.0, affine=0.0, flips=False, quarter_turn=0.0)
    view = view_of(image, mask, seed, small_paste=1.0, affine=0.0, flips=False, quarter_turn=0.0)
    pasted = (view.mask > 0) & (plain.mask == 0)

    assert pasted.any()
    assert plain.image[pasted].max(axis=1).min() > 28
    assert view.mask.sum() == plain.mask.sum() + pasted.sum()


def test_where_there_is_no_place_the_view_stays_as_it_is():
    dark = np.full((160, 200, 3), 5, np.uint8)
    view = view_of(dark, np.zeros((160, 200), np.uint8), 0, small_paste=1.0)

    assert not view.mask.any()
    assert view.hidden == ()


def test_a_polyp_zoomed_out_to_two_fifths_keeps_its_share_of_what_is_left():
    """Shrinking by more than half at once would leave most pixels out: thin things would come and go."""
    image = np.zeros((160, 160, 3), np.uint8)
    image[:, ::4] = 240  # lines of one pixel
    part = {"affine": 1.0, "zoom": (0.4, 0.4), "turn_deg": 0.0, "stretch": 0.0, "shift": 0.0}
    view = augment(
        image, np.ones((160, 160), np.uint8), 160, np.random.default_rng(0), AugmentPart(**NO_LIGHT, **part)
    )

    inside = view.image[60:100, 60:100]
    assert view.mask.mean() in (pytest.approx(0.16, abs=0.01), 1.0)  # or mirrored at the border
    assert inside.std() < 50  # 73 where most lines are left out
    assert inside.mean() == pytest.approx(60, abs=6)


def test_views_follow_from_seed_epoch_and_item_alone():
    changes = ["large_crop=0.5", "small_paste=0.5", "zoom=[0.4, 3.0]", "field=0.5"]
    recipe = load_recipe("light", [f"augment.{change}" for change in changes])
    pictures = pictures_of(frame(40), frame(12), frame(0))
    donors = Donors(pictures)

    one = training_batch(pictures, [0, 1, 2, 4], SIZE_PX, recipe, 3, donors)
    again = training_batch(pictures, [2, 4], SIZE_PX, recipe, 3, donors)
    other = training_batch(pictures, [2, 4], SIZE_PX, recipe, 4, donors)

    assert torch.equal(one.image[2:], again.image)
    assert torch.equal(one.mask[2:], again.mask)
    assert one.hidden[2:] == again.hidden
    assert not torch.equal(again.image, other.image)


def test_small_pastes_are_refused_where_no_gpu_can_make_them():
    with pytest.raises(FaultError, match="small_paste is made on the CPU: set place to cpu"):
        load_recipe("light", ["augment.small_paste=0.1", "augment.place=gpu"])
