"""The probes see a collapse that the loss curve hides."""

import argparse

import pytest
import torch

from distill.probe.probe import (
    BEST,
    FROZEN,
    NOTEBOOK,
    Collapse,
    CollapseSize,
    ToySize,
    Transfer,
    collapse,
    ridge_r2,
    transfer,
)
from distill.probe.toy import draw, make_teachers
from distill.teaching.gates import steady_targets
from distill.verbs.probe import report, run
from engine.faults import FaultCode, FaultError

# Few channels at ten times the rate: the published size needs a minute.
TINY = CollapseSize(teachers=(3, 12, 6), grid_px=8, widths=(4, 64), picture_px=16, batch=8, rate=1e-3)


@pytest.fixture(scope="module")
def notebook():
    return collapse(NOTEBOOK, 120, (0, 120), TINY)


def test_the_notebooks_targets_collapse(notebook, caplog):
    first, last = notebook

    assert (first.loss_share, first.std_ratio) == (1.0, 1.0)
    assert last.loss_share < 0.1
    assert last.std_ratio < 0.5
    assert last.unexplained > 0.9  # and nothing was learnt
    assert not steady_targets({"fused.target_std_ratio": last.std_ratio}).passed
    caplog.clear()


def test_the_best_form_keeps_its_targets_and_its_loss_on_noise():
    (last,) = collapse(BEST, 120, (120,), TINY)

    assert last.std_ratio > 0.9
    assert last.loss_share > 0.9


def test_a_frozen_fusion_keeps_its_targets():
    (last,) = collapse(FROZEN, 60, (60,), TINY)

    assert last.std_ratio > 0.9
    assert last.unexplained > 0.9


def test_all_forms_are_trained_from_one_state_and_their_targets_watched(caplog):
    rows = transfer(0, ToySize(train=8, test=8, width=2, batch=4, alone_steps=1, distil_steps=6, rate=1e-2))
    caplog.clear()
    found = {row.variant: row for row in rows}

    assert found["no distillation"].std_start == 0
    assert found["notebook"].std_end < 0.8 * found["notebook"].std_start
    heads = found["student-side heads, standardised"]
    assert heads.std_end > 0.8 * heads.std_start
    assert set(heads.r2) == {"all", "sam", "dino", "decoder"}


def test_a_linear_read_out_explains_a_mixture_and_nothing_of_noise():
    generator = torch.Generator().manual_seed(0)
    mine, unseen = (torch.randn(16, 6, 8, 8, generator=generator) for _ in range(2))
    mix = torch.randn(4, 6, generator=generator)
    teacher, held_out = (3 + torch.einsum("oc,bchw->bohw", mix, each) for each in (mine, unseen))
    noise, other = (torch.randn(16, 4, 8, 8, generator=generator) for _ in range(2))

    assert ridge_r2(mine, teacher, unseen, held_out) > 0.99
    assert ridge_r2(mine, noise, unseen, other) == pytest.approx(0, abs=0.03)


def test_a_channel_that_is_silent_in_the_held_out_half_does_not_drown_the_others():
    generator = torch.Generator().manual_seed(0)
    mine, unseen = (torch.randn(16, 6, 8, 8, generator=generator) for _ in range(2))
    teacher, held_out = mine[:, :3].clone(), unseen[:, :3].clone()
    teacher[0, 2], teacher[1:, 2], held_out[:, 2] = 1e-3, 0, 0

    assert ridge_r2(mine, teacher, unseen, held_out) > 0.9


def test_the_toy_world_is_drawn_from_its_seed():
    one, same, other = (draw(4, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))

    assert torch.equal(one.image, same.image)
    assert not torch.equal(one.image, other.image)
    assert one.image.min() >= 0
    assert one.image.max() <= 1
    assert set(one.mask.unique().tolist()) == {0.0, 1.0}
    assert (one.mask.mean((1, 2, 3)) > 0.02).all()


def test_toy_teachers_stand_still_and_the_masks_of_sam_have_rank_three():
    image = draw(2, torch.Generator().manual_seed(0)).image
    teachers = make_teachers(0)

    assert torch.equal(teachers["dino"](image), make_teachers(0)["dino"](image))
    assert not any(parameter.requires_grad for each in teachers.values() for parameter in each.parameters())
    rows = teachers["sam"](image).movedim(1, -1).flatten(0, -2)
    assert torch.linalg.matrix_rank(rows, rtol=1e-5) == 3


def test_the_report_holds_both_tables():
    rows = [
        Transfer("no distillation", 0, 0.9, {"all": 0.1, "dino": 0.2}, 0.0, 0.0),
        Transfer("notebook", 0, 0.8, {"all": 0.15, "dino": 0.25}, 0.3, 0.002),
    ]

    text = report({"notebook": [Collapse(0, 1.0, 1.0, 9.5), Collapse(120, 0.08, 0.41, 1.1)]}, rows)

    assert "| `notebook`: loss | 100% | 8% |" in text
    assert "| no distillation | 0.900 | 0.100 | 0.200 | - |" in text
    assert "| notebook | 0.800 | 0.150 | 0.250 | 0.3 → 0.002 |" in text


def test_no_seeds_are_no_probe():
    with pytest.raises(FaultError) as caught:
        run(argparse.Namespace(seeds=0, threads=1, json=None, markdown=None))

    assert caught.value.code is FaultCode.ARGUMENT
