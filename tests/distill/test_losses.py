"""Every loss of the table is finite, has a gradient, and prefers the right mask."""

import pytest
import torch

from distill.losses import LOSSES
from distill.losses.structure import edge_weight
from engine.table import load


def mask_of(kind):
    mask = torch.zeros(2, 1, 40, 40)
    if kind == "full":
        mask += 1
    elif kind == "one pixel":
        mask[:, :, 20, 20] = 1
    elif kind == "blob":
        mask[:, :, 10:25, 12:30] = 1
    return mask


@pytest.fixture(params=sorted(LOSSES))
def loss_of(request):
    return load(LOSSES[request.param])


@pytest.mark.parametrize("kind", ["empty", "full", "one pixel", "blob"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("level", [-40.0, 0.0, 40.0])
def test_loss_and_gradient_are_finite(loss_of, kind, dtype, level):
    logits = torch.full((2, 1, 40, 40), level, dtype=dtype, requires_grad=True)

    loss = loss_of(logits, mask_of(kind))
    loss.backward()

    assert loss.ndim == 0
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("kind", ["empty", "full", "blob"])
def test_the_right_mask_costs_next_to_nothing_and_the_wrong_one_a_lot(loss_of, kind):
    mask = mask_of(kind)
    right, wrong = (mask * 2 - 1) * 20, (1 - mask * 2) * 20

    assert loss_of(right, mask) < 0.01
    assert loss_of(wrong, mask) > 1


def test_an_empty_mask_teaches_to_find_nothing(loss_of):
    logits = torch.zeros(1, 1, 40, 40, requires_grad=True)

    loss_of(logits, torch.zeros(1, 1, 40, 40)).backward()

    assert (logits.grad > 0).all()


def test_the_edge_weight_is_one_inside_even_in_the_corners():
    assert torch.allclose(edge_weight(torch.ones(1, 1, 64, 64)), torch.ones(1, 1, 64, 64), atol=1e-5)


def test_the_edge_weight_is_largest_at_the_edge():
    mask = torch.zeros(1, 1, 101, 101)
    mask[..., :50] = 1

    weight = edge_weight(mask)[0, 0, 50]

    assert weight[49] > 3
    assert weight[0] == pytest.approx(1, abs=1e-4)
