"""Several teachers, weighed: which forms abandon one, and which do not."""

import pytest
import torch
from torch import nn

from distill.losses.balance import KINDS, make_balance
from engine.faults import FaultCode, FaultError

FLOORS = torch.tensor([0.60, 0.35, 0.10])  # what each teacher costs at best: docs/published-method.md


def simulate(kind, guarded, steps=800):
    """Three heads, each its own, learn towards their floors. Gives the losses and the last weights."""
    torch.manual_seed(0)
    balance = make_balance(kind, 3, guarded)
    heads = nn.Parameter(torch.zeros(3))
    optimiser = torch.optim.Adam(
        [{"params": [heads], "lr": 3e-3}, {"params": list(balance.parameters()), "lr": 5e-2}]
    )
    for _ in range(steps):
        losses = FLOORS + (heads - 1).square()
        weights, regulariser = balance(losses)
        optimiser.zero_grad()
        ((weights * losses).sum() + regulariser).backward()
        optimiser.step()
    return (FLOORS + (heads.detach() - 1).square()), weights.detach()


@pytest.mark.parametrize("kind", ["mlp", "attention"])
def test_the_plain_form_puts_all_weight_on_the_easiest_teacher_and_abandons_the_others(kind):
    losses, weights = simulate(kind, guarded=False)

    assert weights[2] > 0.95
    assert weights[0] < 0.04
    assert losses[0] > FLOORS[0] + 0.1


@pytest.mark.parametrize("kind", ["mlp", "attention"])
def test_the_guarded_form_abandons_none(kind):
    losses, weights = simulate(kind, guarded=True)

    assert weights.min() >= 0.5 / 3 - 1e-6
    assert float(weights.sum()) == pytest.approx(1, abs=1e-5)
    assert torch.allclose(losses, FLOORS, atol=0.02)


def test_uncertainty_weighs_by_the_inverse_of_the_loss_and_reaches_every_floor():
    losses, weights = simulate("uncertainty", guarded=True)

    assert torch.allclose(weights, 1 / (2 * FLOORS), rtol=0.1)  # .83, 1.43, 5.0
    assert torch.allclose(losses, FLOORS, atol=0.02)


def test_fixed_is_one_part_each():
    weights, regulariser = make_balance("fixed", 3)(torch.tensor([5.0, 1.0, 0.0]))

    assert weights.tolist() == pytest.approx([1 / 3] * 3)
    assert regulariser == 0


def test_teacher_drop_always_keeps_the_worst_and_drops_others_half_of_the_time():
    torch.manual_seed(0)
    balance = make_balance("teacher_drop", 3).train()
    kept = (
        torch.stack([balance(torch.tensor([0.1, 0.9, 0.2])).weights > 0 for _ in range(400)]).float().mean(0)
    )

    assert kept[1] == 1
    assert kept[0] == pytest.approx(0.5, abs=0.1)
    assert kept[2] == pytest.approx(0.5, abs=0.1)


def test_teacher_drop_drops_nobody_when_it_is_judged():
    balance = make_balance("teacher_drop", 3).eval()

    assert balance(torch.tensor([0.1, 0.9, 0.2])).weights.tolist() == pytest.approx([1 / 3] * 3)


def test_guarded_weights_do_not_see_how_large_a_loss_is_but_how_it_moves():
    torch.manual_seed(0)
    small, large = make_balance("mlp", 2), make_balance("mlp", 2)
    large.load_state_dict(small.state_dict())
    for losses in ([1.0, 2.0], [0.9, 1.0]):
        near = small(torch.tensor(losses))
        far = large(torch.tensor(losses) * torch.tensor([1.0, 1000.0]))

    assert torch.allclose(near.weights, far.weights, atol=1e-5)


@pytest.mark.parametrize("kind", ["mlp", "attention"])
def test_what_guarded_weights_learn_does_not_depend_on_how_large_a_loss_is(kind):
    """At the first step every loss is its own running mean: whoever is cheap is not preferred for it."""
    learnt = []
    for losses in ([1.0, 1.0], [1.0, 1000.0]):
        torch.manual_seed(0)
        balance = make_balance(kind, 2)
        weights, regulariser = balance(torch.tensor(losses))
        ((weights * torch.tensor(losses)).sum() + regulariser).backward()
        learnt.append([parameter.grad.clone() for parameter in balance.parameters()])

    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(*learnt, strict=True))


def test_guarded_weights_pass_no_gradient_to_the_student():
    balance = make_balance("mlp", 2)
    losses = torch.tensor([1.0, 3.0], requires_grad=True)
    weights, regulariser = balance(losses)

    (weights * losses).sum().add(regulariser).backward()

    assert torch.allclose(losses.grad, weights)
    assert balance.layers[0].weight.grad is not None


def test_the_running_losses_stand_still_in_validation():
    balance = make_balance("attention", 2).train()
    balance(torch.tensor([1.0, 2.0]))
    before = balance.running.clone()

    balance.eval()(torch.tensor([9.0, 9.0]))

    assert torch.equal(balance.running, before)


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_teacher_and_a_loss_of_zero_are_finite(kind):
    balance = make_balance(kind, 1)
    for loss in (0.0, 1.0, 0.0):
        weights, regulariser = balance(torch.tensor([loss]))
        assert torch.isfinite(weights).all()
        assert torch.isfinite(regulariser)


def test_an_unknown_balance_is_told():
    with pytest.raises(FaultError) as caught:
        make_balance("gut feeling", 3)

    assert caught.value.code is FaultCode.ARGUMENT
