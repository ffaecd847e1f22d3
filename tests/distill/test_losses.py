"""Every loss of the tables is finite, has a gradient, and agrees with a calculation by hand or the paper."""

import math

import pytest
import torch
import torch.nn.functional as F

from distill.losses import FEATURE_LOSSES, LOSSES, SOFT_LOSSES
from distill.losses.features import channel_wise, cosine_l1, mse, mse_kl, mse_mae
from distill.losses.masks import bce_dice, bce_dice_notebook
from distill.losses.soft import SURE, blend, confidence, kl, kl_dice
from distill.losses.structure import edge_weight, structure_v1, structure_v2
from engine.faults import FaultCode, FaultError
from engine.table import load

# The notebook's Dice is a constant 1 on an empty mask: what its own test below shows.
LEARN_FROM_EMPTY = sorted(set(LOSSES) - {"bce_dice_notebook"})


def mask_of(kind, batch=2):
    mask = torch.zeros(batch, 1, 40, 40)
    if kind == "full":
        mask += 1
    elif kind == "one pixel":
        mask[:, :, 20, 20] = 1
    elif kind == "blob":
        mask[:, :, 10:25, 12:30] = 1
    return mask


def logit(probability):
    return math.log(probability / (1 - probability))


@pytest.fixture(params=sorted(LOSSES))
def loss_of(request):
    return load(LOSSES[request.param])


# Masks


@pytest.mark.parametrize("kind", ["empty", "full", "one pixel", "blob"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("level", [-40.0, 0.0, 40.0])
@pytest.mark.parametrize("batch", [1, 2])
def test_loss_and_gradient_are_finite(loss_of, kind, dtype, level, batch):
    logits = torch.full((batch, 1, 40, 40), level, dtype=dtype, requires_grad=True)

    loss = loss_of(logits, mask_of(kind, batch))
    loss.backward()

    assert loss.ndim == 0
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("kind", ["full", "blob", "one pixel"])
def test_the_right_mask_costs_next_to_nothing_and_the_wrong_one_a_lot(loss_of, kind):
    mask = mask_of(kind)
    right, wrong = (mask * 2 - 1) * 20, (1 - mask * 2) * 20

    assert loss_of(right, mask) < 0.01
    assert loss_of(wrong, mask) > 1


@pytest.mark.parametrize("name", LEARN_FROM_EMPTY)
def test_an_empty_mask_teaches_to_find_nothing(name):
    loss_of, empty = load(LOSSES[name]), mask_of("empty")
    logits = torch.zeros(2, 1, 40, 40, requires_grad=True)

    loss_of(logits, empty).backward()

    assert (logits.grad > 0).all()
    assert loss_of(torch.full_like(empty, -20), empty) < 0.01


def test_bce_and_dice_of_two_pixels():
    # p = .5 and .8 against 1 and 0: BCE (ln 2 - ln .2) / 2; Dice (2 * .5 + 1) / (1.3 + 1 + 1).
    logits, mask = torch.tensor([0.0, logit(0.8)]), torch.tensor([1.0, 0.0])
    bce = (math.log(2) - math.log(0.2)) / 2

    shape = (1, 1, 1, 2)
    assert bce_dice(logits.view(shape), mask.view(shape)) == pytest.approx(bce + 1 - 2 / 3.3, abs=1e-5)
    notebook = bce_dice_notebook(logits.view(shape), mask.view(shape))
    assert notebook == pytest.approx(bce + 1 - 1 / 2.3, abs=1e-5)


def test_on_an_empty_mask_the_notebooks_dice_is_one_and_teaches_nothing():
    logits = torch.zeros(1, 1, 352, 352, requires_grad=True)
    empty = torch.zeros_like(logits)

    dice = bce_dice_notebook(logits, empty) - F.binary_cross_entropy_with_logits(logits, empty)
    dice.backward()

    assert float(dice.detach()) == pytest.approx(1, abs=1e-4)
    assert logits.grad.abs().sum() < 1e-4  # of BCE alone: 0.5


def test_structure_losses_of_a_full_mask():
    # Full mask: weights 1. p = .5 everywhere on n pixels: BCE ln 2, IoU loss 1 - (n/2 + 1) / (n + 1).
    mask = torch.ones(1, 1, 8, 8)
    value = math.log(2) + 1 - 33 / 65

    assert structure_v1(torch.zeros_like(mask), mask) == pytest.approx(value, abs=1e-5)
    assert structure_v2(torch.zeros_like(mask), mask) == pytest.approx(value, abs=1e-5)


@pytest.mark.filterwarnings("ignore:size_average and reduce")
def test_the_first_structure_loss_is_what_the_published_code_comes_to():
    """PraNet's lines, with the deprecated argument, on masks away from the border and at it."""
    logits = torch.randn(3, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(3, 1, 64, 64)
    mask[0, :, :30, :20], mask[1, :, 20:40, 20:50] = 1, 1
    weight = 1 + 5 * (F.avg_pool2d(mask, 31, stride=1, padding=15) - mask).abs()
    bce = F.binary_cross_entropy_with_logits(logits, mask, reduce="none")
    bce = (weight * bce).sum((2, 3)) / weight.sum((2, 3))
    both = (logits.sigmoid() * mask * weight).sum((2, 3))
    total = ((logits.sigmoid() + mask) * weight).sum((2, 3))
    theirs = (bce + 1 - (both + 1) / (total - both + 1)).mean()

    assert structure_v1(logits, mask, count_padding=True) == pytest.approx(float(theirs), abs=1e-5)


def test_the_structure_losses_differ_where_the_edge_is_wrong():
    mask = mask_of("blob")
    logits = (mask * 2 - 1) * 6
    logits[:, :, 10, 12:30] = -6  # one line at the edge is missed

    assert structure_v2(logits, mask) > structure_v1(logits, mask) + 0.03


def test_the_edge_weight_is_one_inside_even_in_the_corners():
    full = torch.ones(1, 1, 64, 64)

    assert torch.allclose(edge_weight(full), full, atol=1e-5)
    padded = edge_weight(full, count_padding=True)[0, 0]
    assert padded[0, 0] == pytest.approx(4.67, abs=0.01)
    assert padded[0, 32] == pytest.approx(3.42, abs=0.01)
    assert padded[32, 32] == pytest.approx(1, abs=1e-5)


def test_the_edge_weight_is_largest_at_the_edge():
    mask = torch.zeros(1, 1, 101, 101)
    mask[..., :50] = 1

    weight = edge_weight(mask)[0, 0, 50]

    assert weight[49] > 3
    assert weight[0] == pytest.approx(1, abs=1e-4)


# Soft masks

RING_LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)


def ringed(level, side=40):
    """A disc and a ring of `level` around it: the soft mask, and where the ring is; [1, 1, side, side]."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    away = ((y - side / 2) ** 2 + (x - side / 2) ** 2).sqrt()[None, None]
    ring = (away >= 9) & (away < 12)
    soft = torch.where(ring, level, (away < 9).float())
    return soft.clamp(SURE, 1 - SURE), ring


def slope_in_ring(loss_of, level, probability):
    """The gradient of the ring's probability where everything else says what the target says."""
    soft, ring = ringed(level)
    said = torch.tensor(logit(probability), requires_grad=True)
    loss_of(torch.where(ring, said, torch.logit(soft, eps=SURE)), soft).backward()
    return float(said.grad)


def least_in_ring(loss_of, level):
    """Which probability in the ring costs least, by halving."""
    low, high = 0.001, 0.999
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (low, middle) if slope_in_ring(loss_of, level, middle) > 0 else (middle, high)
    return low


@pytest.mark.parametrize("name", ["structure_v2", "bce_dice"])
def test_a_loss_of_drawn_masks_pulls_a_soft_ring_away_from_what_the_teacher_says(name):
    loss_of = load(LOSSES[name])

    assert least_in_ring(loss_of, 0.25) == pytest.approx(0.11, abs=0.02)
    assert least_in_ring(loss_of, 0.75) > 0.85


@pytest.mark.parametrize("name", sorted(SOFT_LOSSES))
@pytest.mark.parametrize("temperature", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("level", RING_LEVELS)
def test_a_soft_loss_is_least_where_the_student_says_what_the_teacher_says(name, temperature, level):
    loss_of = load(SOFT_LOSSES[name])

    def softened(logits, soft):
        return loss_of(logits, soft, None, temperature)

    assert slope_in_ring(softened, level, level) == pytest.approx(0, abs=1e-6)
    assert slope_in_ring(softened, level, level * 0.8) < -1e-5
    assert slope_in_ring(softened, level, 1 - (1 - level) * 0.8) > 1e-5


@pytest.mark.parametrize("name", sorted(SOFT_LOSSES))
@pytest.mark.parametrize("level", RING_LEVELS)
def test_weighted_by_confidence_or_agreement_it_is_least_there_too(name, level):
    loss_of = load(SOFT_LOSSES[name])
    weight = 0.2 + 0.6 * torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(0))

    def weighted(logits, soft):
        return loss_of(logits, soft, weight)

    assert slope_in_ring(weighted, level, level) == pytest.approx(0, abs=1e-6)
    assert least_in_ring(weighted, level) == pytest.approx(level, abs=1e-3)


@pytest.mark.parametrize("name", sorted(SOFT_LOSSES))
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_soft_losses_are_finite_and_cost_nothing_at_the_teachers_mask(name, level, dtype):
    loss_of, soft = load(SOFT_LOSSES[name]), torch.full((2, 1, 9, 9), level)
    same = torch.logit(soft, eps=SURE).to(dtype)
    logits = torch.zeros_like(soft, dtype=dtype, requires_grad=True)
    loss = loss_of(logits, soft)
    loss.backward()

    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
    assert loss_of(same, soft) == pytest.approx(0, abs=0.005)
    assert loss > 0.02


@pytest.mark.parametrize("name", sorted(SOFT_LOSSES))
def test_where_the_weight_is_zero_nothing_is_learnt(name):
    soft = torch.rand(2, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    weight = torch.ones_like(soft)
    weight[0], weight[1, 0, :3] = 0, 0
    logits = torch.zeros_like(soft, requires_grad=True)

    load(SOFT_LOSSES[name])(logits, soft, weight).backward()

    assert logits.grad[weight == 0].eq(0).all()
    assert logits.grad[weight == 1].ne(0).all()


@pytest.mark.parametrize("name", sorted(SOFT_LOSSES))
def test_half_the_weight_of_every_image_is_half_the_loss(name):
    loss_of, (soft, _) = load(SOFT_LOSSES[name]), ringed(0.4)
    logits = torch.zeros_like(soft)

    half = loss_of(logits, soft, torch.full_like(soft, 0.5))

    assert half == pytest.approx(float(loss_of(logits, soft)) / 2, rel=0.01)


def test_kl_of_one_pixel():
    # T = 2: teacher .8 softens to sigmoid(ln 4 / 2) = 2/3, student .5 stays .5.
    value = 4 * (2 / 3 * math.log(4 / 3) + 1 / 3 * math.log(2 / 3))
    soft = torch.full((1, 1, 1, 1), 0.8)

    assert kl(torch.zeros(1, 1, 1, 1), soft, None, 2.0) == pytest.approx(value, abs=1e-5)
    assert kl(torch.full((1, 1, 1, 1), logit(0.8)), soft, None, 2.0) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("temperature", [2.0, 8.0])
def test_the_size_of_kls_gradient_does_not_depend_on_the_temperature(temperature):
    # Near agreement the softened gradient is (zs - zt) p (1 - p) at the softened p, 1/4 at a half.
    def slope(at):
        logits = torch.full((1, 1, 1, 1), 0.1, requires_grad=True)
        kl(logits, torch.full((1, 1, 1, 1), 0.5), None, at).backward()
        return float(logits.grad)

    assert slope(temperature) == pytest.approx(slope(1.0), rel=0.01)
    assert slope(1.0) == pytest.approx(0.025, rel=0.01)


def test_kl_without_temperature_teaches_as_binary_cross_entropy_does():
    soft = torch.rand(2, 1, 5, 5, generator=torch.Generator().manual_seed(0)).clamp(0.01, 0.99)
    ours, plain = (torch.zeros_like(soft, requires_grad=True) for _ in range(2))

    kl(ours, soft).backward()
    F.binary_cross_entropy_with_logits(plain, soft).backward()

    torch.testing.assert_close(ours.grad, plain.grad)


def test_kl_and_dice_of_two_pixels():
    # p = .5 both; q = 1 (of 8 bits: 509/510) and .8.
    soft = torch.tensor([1.0, 0.8]).view(1, 1, 1, 2)
    sure = 1 - SURE
    cross = math.log(2) + (sum(q * math.log(q) + (1 - q) * math.log(1 - q) for q in (sure, 0.8))) / 2
    dice = (0.25 + 0.09) / (0.5 + 1.64 + 1)

    assert kl_dice(torch.zeros_like(soft), soft) == pytest.approx(cross + dice, abs=1e-5)


def test_a_teacher_at_one_half_is_not_confident_at_all():
    assert confidence(torch.tensor([0.0, 0.25, 0.5, 1.0])).tolist() == [1, 0.5, 0, 1]


def test_a_blend_keeps_the_truth_in_the_majority():
    mask, soft = torch.ones(1, 1, 1, 1), torch.full((1, 1, 1, 1), 0.2)

    assert float(blend(mask, soft, 0.25)) == pytest.approx(0.8)
    with pytest.raises(FaultError) as caught:
        blend(mask, soft, 0.6)
    assert caught.value.code is FaultCode.ARGUMENT


# Features


@pytest.fixture(params=sorted(FEATURE_LOSSES))
def feature_loss(request):
    return load(FEATURE_LOSSES[request.param])


def some_maps(batch=2, channels=5, side=4, seed=0):
    return torch.randn(batch, channels, side, side, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("side", [1, 4])
def test_feature_losses_are_finite_and_float32(feature_loss, batch, dtype, side):
    student = some_maps(batch, side=side).to(dtype).requires_grad_()

    loss = feature_loss(student, some_maps(batch, side=side, seed=1))
    loss.backward()

    assert loss.ndim == 0
    assert loss.dtype == torch.float32
    assert torch.isfinite(student.grad).all()


def test_zero_maps_have_finite_gradients(feature_loss):
    student = torch.zeros(2, 5, 4, 4, requires_grad=True)

    feature_loss(student, torch.zeros(2, 5, 4, 4)).backward()

    assert torch.isfinite(student.grad).all()


def test_the_teachers_own_map_costs_nothing_and_another_something(feature_loss):
    teacher = some_maps()

    assert feature_loss(teacher, teacher) == pytest.approx(0, abs=1e-6)
    assert feature_loss(some_maps(seed=1), teacher) > 0.1


def test_what_is_not_valid_does_not_count(feature_loss):
    """Half of the picture valid: the same as the loss of that half alone, whatever the other half holds."""
    student, teacher = some_maps(), some_maps(seed=1)
    valid = torch.zeros(2, 1, 4, 4)
    valid[..., :2] = 1
    spoilt = torch.where(valid > 0, student, 50.0)

    half = feature_loss(student[..., :2], teacher[..., :2])

    assert feature_loss(spoilt, teacher, valid) == pytest.approx(float(half), rel=1e-4)


def test_with_nothing_valid_the_loss_is_zero(feature_loss):
    student = some_maps().requires_grad_()

    loss = feature_loss(student, some_maps(seed=1), torch.zeros(2, 1, 4, 4))
    loss.backward()

    assert loss == 0
    assert torch.isfinite(student.grad).all()


def vector(*values):
    return torch.tensor(values).view(1, -1, 1, 1)


def test_squares_and_magnitudes_by_hand():
    student, teacher = vector(1.0, 3.0), vector(0.0, 0.0)

    assert mse(student, teacher) == 5.0
    assert mse_mae(student, teacher) == 7.0


def test_kl_over_channels_by_hand():
    # Teacher: softmax (ln 3, 0) = .75, .25; student: .5, .5. Squared error ln(3)^2 / 2.
    value = math.log(3) ** 2 / 2 + 0.75 * math.log(1.5) + 0.25 * math.log(0.5)

    assert mse_kl(vector(0.0, 0.0), vector(math.log(3), 0.0)) == pytest.approx(value, abs=1e-6)


def test_cosine_and_smooth_l1_by_hand():
    # At right angles: 1 - cos = 1. Smooth L1 of errors 3 and 0.5: (2.5 + .125) / 2.
    value = 0.9 * 1 + 0.1 * (2.5 + 0.125) / 2

    assert cosine_l1(vector(3.0, 0.0), vector(0.0, 0.5)) == pytest.approx(value, abs=1e-6)


def test_channel_wise_by_hand():
    # One channel, two places, T = 4: teacher (4 ln 3, 0) -> .75, .25; student .5, .5; times T^2 / C = 16.
    teacher = torch.tensor([4 * math.log(3), 0.0]).view(1, 1, 1, 2)
    value = 16 * (0.75 * math.log(1.5) + 0.25 * math.log(0.5))

    assert channel_wise(torch.zeros(1, 1, 1, 2), teacher) == pytest.approx(value, abs=1e-5)
    two = channel_wise(torch.zeros(1, 2, 1, 2), torch.cat([teacher, torch.zeros_like(teacher)], dim=1))
    assert two == pytest.approx(value / 2, abs=1e-5)
