"""The student's maps are held against the teachers', band by band, where there is something to be seen."""

import logging
import math

import pytest
import torch

from distill.recipe import DistilPart
from distill.teaching.distiller import FUSED, Distiller, TargetBatch
from distill.teaching.standardise import Standardiser
from engine.faults import FaultCode, FaultError

STRIDES = {"s8": 8, "s16": 16, "s32": 32}
CHANNELS = {"s8": 12, "s16": 20, "s32": 28}
TEACHERS = {"timm:tf_x.in1k": 8, "sam": 4}  # names with points and colons
SIZE_PX = 128


def student_maps(seed=0, batch=2):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(batch, CHANNELS[name], SIZE_PX // stride, SIZE_PX // stride, generator=generator)
        for name, stride in STRIDES.items()
    }


def teacher_maps(seed=1, batch=2, side=16, valid=None):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: TargetBatch(torch.randn(batch, channels, side, side, generator=generator), valid)
        for name, channels in TEACHERS.items()
    }


def make(channels=CHANNELS, strides=STRIDES, **part):
    torch.manual_seed(0)
    standardisers = {name: Standardiser(torch.zeros(c), torch.eye(c)) for name, c in TEACHERS.items()}
    return Distiller(DistilPart(**part), TEACHERS, strides, channels, standardisers)


def with_latents(**sizes):
    return {**CHANNELS, **sizes}, {**STRIDES, **dict.fromkeys(sizes, 16)}


@pytest.mark.parametrize("projector", ["student", "teacher_frozen", "teacher_trainable"])
@pytest.mark.parametrize("split", ["none", "fft_radial", "fft_square_nb", "dct"])
@pytest.mark.parametrize("standardise", ["none", "phi_s"])
def test_every_form_is_finite_and_teaches_the_student(projector, split, standardise, caplog):
    distiller = make(projector=projector, split=split, standardise=standardise)
    maps = {name: value.requires_grad_() for name, value in student_maps().items()}

    terms = distiller(maps, teacher_maps())
    terms.total.backward()

    assert torch.isfinite(terms.total)
    assert all(math.isfinite(value) for value in terms.watch.values())
    assert any(value.grad is not None and value.grad.abs().sum() > 0 for value in maps.values())
    bands = ["low"] if split == "none" else ["low", "high"]
    sources = list(TEACHERS) if projector == "student" else [FUSED]
    assert set(terms.parts) == {f"{source}.{band}" for source in sources for band in bands}
    caplog.clear()  # the trainable projector warns


def test_heads_learn_what_can_be_learnt():
    """A teacher that is a mixture of the student's channels is explained; the student's maps stay still."""
    maps = student_maps(batch=4)
    mix = torch.randn(8, 20, generator=torch.Generator().manual_seed(2)) / 20**0.5
    targets = {"sam": TargetBatch(torch.einsum("oc,bchw->bohw", mix, maps["s16"]))}
    torch.manual_seed(0)
    distiller = Distiller(DistilPart(loss="mse", standardise="none"), {"sam": 8}, STRIDES, CHANNELS)
    optimiser = torch.optim.Adam(distiller.parameters(), lr=1e-1)
    first = distiller(maps, targets).watch["sam.unexplained"]
    for _ in range(60):
        optimiser.zero_grad()
        terms = distiller(maps, targets)
        terms.total.backward()
        optimiser.step()

    assert first > 0.9
    assert terms.watch["sam.unexplained"] < 0.05
    assert terms.watch["sam.target_std_ratio"] == pytest.approx(1)


def test_the_low_band_goes_to_stride_16_and_the_high_band_to_stride_8():
    made = make(split="fft_radial").targets(student_maps(), teacher_maps())

    assert {(each.band, each.level) for each in made} == {("low", "s16"), ("high", "s8")}
    assert {each.value.shape[-1] for each in made if each.level == "s16"} == {8}
    assert {each.value.shape[-1] for each in made if each.level == "s8"} == {16}


def targets_of_a_deepest_map(side, **part):
    """What L1 and L2 of `side` places learn of a teacher with 22 places, by band."""
    torch.manual_seed(0)
    sizes = {"deepest": 1, "L1": 16, "L2": 16}
    given = DistilPart(projector="teacher_frozen", standardise="none", **part)
    distiller = Distiller(given, {"dino": 16}, dict.fromkeys(sizes, 32), sizes)
    maps = {name: torch.zeros(4, channels, side, side) for name, channels in sizes.items()}
    noise = torch.randn(4, 16, 22, 22, generator=torch.Generator().manual_seed(0))
    return {one.band: one.value for one in distiller.targets(maps, {"dino": TargetBatch(noise)})}


def test_split_on_its_own_grid_a_deep_map_gets_the_whole_high_band_and_on_a_finer_one_a_twentieth():
    split_at_22 = targets_of_a_deepest_map(11, split="fft_radial", grid_px=22)
    band_at_22 = targets_of_a_deepest_map(22, split="fft_radial", grid_px=22)
    own = targets_of_a_deepest_map(11, split="fft_radial", grid_px=0)
    whole = targets_of_a_deepest_map(11, split="none", grid_px=0)

    kept = float(split_at_22["high"].var() / band_at_22["high"].var())
    assert kept == pytest.approx(0.05, abs=0.01)  # of white features; 0.16 where low ones are stronger
    assert torch.allclose(own["low"] + own["high"], whole["low"], atol=1e-5)
    assert float(own["high"].var() / whole["low"].var()) > 0.7


def test_maps_that_the_recipe_names_are_used():
    channels, strides = with_latents(L1=6, L2=6)
    distiller = make(channels, strides, split="dct", low_map="L1", high_map="L2")
    maps = student_maps() | {name: torch.randn(2, 6, 8, 8, requires_grad=True) for name in ("L1", "L2")}

    distiller(maps, teacher_maps()).total.backward()

    assert maps["L1"].grad.abs().sum() > 0
    assert maps["L2"].grad.abs().sum() > 0


@pytest.mark.parametrize("part", [{"low_map": "s4"}, {"split": "dct", "high_map": "s2"}])
def test_a_map_that_the_student_does_not_have_is_told(part):
    with pytest.raises(FaultError) as caught:
        make(**part)

    assert caught.value.code is FaultCode.ARGUMENT
    assert "s16" in str(caught.value)


def test_teachers_without_statistics_cannot_be_standardised():
    with pytest.raises(FaultError) as caught:
        Distiller(DistilPart(), TEACHERS, STRIDES, CHANNELS)

    assert "sam" in str(caught.value)


def test_a_fused_target_uses_the_students_latents_where_it_has_them():
    channels, strides = with_latents(L1=16, L2=16)
    distiller = make(channels, strides, projector="teacher_frozen", split="fft_radial", standardise="none")

    made = distiller.targets(
        student_maps() | {"L1": torch.zeros(2, 16, 8, 8), "L2": torch.zeros(2, 16, 8, 8)}, teacher_maps()
    )

    assert [(each.source, each.band, each.level) for each in made] == [
        (FUSED, "low", "L1"),
        (FUSED, "high", "L2"),
    ]
    assert distiller.dead_ends is None
    assert not list(distiller.parameters())


def test_without_latents_in_the_student_the_distiller_has_its_own_on_the_deepest_map(caplog):
    distiller = make(projector="teacher_trainable", split="fft_square_nb", low_map="L1", high_map="L2")
    maps = {name: value.requires_grad_() for name, value in student_maps().items()}

    distiller(maps, teacher_maps()).total.backward()

    assert maps["s32"].grad.abs().sum() > 0
    assert maps["s16"].grad is None
    names = {name.split(".")[0] for name, _ in distiller.named_parameters()}
    assert names == {"dead_ends", "fusion"}
    caplog.clear()


def test_a_trainable_fusion_is_warned_of(caplog):
    with caplog.at_level(logging.WARNING, logger="distill"):
        make(projector="teacher_trainable")

    assert "collapse" in caplog.text
    caplog.clear()


def test_a_frozen_fusion_keeps_lengths():
    distiller = make(projector="teacher_frozen", standardise="none")
    maps = torch.randn(1, 12, 3, 3)

    assert torch.allclose(distiller.fusion(maps).norm(dim=1), maps.norm(dim=1), rtol=1e-4)


def test_places_without_content_neither_cost_nor_teach():
    valid = torch.zeros(2, 1, 16, 16)
    valid[..., :8] = 1
    distiller = make(loss="mse")
    clean = teacher_maps(valid=valid)
    spoilt = {
        name: TargetBatch(torch.where(valid > 0, batch.features, 1e3), valid) for name, batch in clean.items()
    }
    maps = {name: value.requires_grad_() for name, value in student_maps().items()}

    total = distiller(maps, spoilt).total
    total.backward()

    assert float(total.detach()) == pytest.approx(
        float(make(loss="mse")(maps, clean).total.detach()), rel=1e-5
    )
    assert maps["s16"].grad[..., 4:].abs().sum() == 0
    assert maps["s16"].grad[..., :3].abs().sum() > 0


def test_each_band_is_scaled_to_its_own_spread():
    """A smooth teacher has a hundredth of its variance in the high band: both targets have a spread of 1."""
    generator = torch.Generator().manual_seed(0)
    swell = torch.cos(2 * torch.pi * torch.arange(16) / 16) * torch.randn(8, 8, 1, 1, generator=generator)
    ripple = 0.1 * torch.randn(8, 8, 16, 16, generator=generator)
    targets = {"sam": TargetBatch(swell + ripple)}
    identity = {"sam": Standardiser(torch.zeros(8), torch.eye(8))}
    distiller = Distiller(DistilPart(split="fft_radial"), {"sam": 8}, STRIDES, CHANNELS, identity)
    maps = student_maps(batch=8)

    distiller(maps, targets)
    scaled = distiller.targets(maps, targets)

    assert distiller.band_power[0, 0] > 20 * distiller.band_power[0, 1]
    assert [float(each.value.square().mean()) for each in scaled] == pytest.approx([1, 1], rel=1e-3)


def test_validation_measures_nothing_and_moves_nothing():
    distiller = make(split="dct")
    distiller(student_maps(), teacher_maps())
    before = {name: value.clone() for name, value in distiller.state_dict().items()}

    distiller.eval()(student_maps(5), teacher_maps(6))

    assert all(torch.equal(before[name], value) for name, value in distiller.state_dict().items())


def test_a_restored_distiller_goes_on_as_the_first():
    first, second = make(split="dct", balance="mlp"), make(split="dct", balance="mlp")
    first(student_maps(), teacher_maps())

    second.load_state_dict(first.state_dict())

    mine, its = (each(student_maps(3), teacher_maps(4)) for each in (first, second))
    assert torch.equal(mine.total, its.total)
    assert mine.watch == its.watch


def test_a_constant_answer_explains_nothing():
    """All heads zero: 1 - R2 is 1 for targets with mean 0."""
    distiller = make(standardise="none")
    for parameter in distiller.parameters():
        torch.nn.init.zeros_(parameter)
    generator = torch.Generator().manual_seed(0)
    targets = {
        name: TargetBatch(torch.randn(64, c, 8, 8, generator=generator)) for name, c in TEACHERS.items()
    }

    watch = distiller(student_maps(batch=64), targets).watch

    assert watch["sam.unexplained"] == pytest.approx(1, abs=0.01)


def test_weights_of_the_recipe_scale_the_bands():
    one = make(split="dct", weights=(0.6, 1.0, 0.0), balance="fixed")(student_maps(), teacher_maps())

    low = [value for name, value in one.parts.items() if name.endswith(".low")]
    assert float(one.total.detach()) == pytest.approx(float(torch.stack(low).mean()), rel=1e-5)


def test_half_precision_maps_give_single_precision_losses():
    maps = {name: value.bfloat16() for name, value in student_maps().items()}

    with torch.autocast("cpu", torch.bfloat16):
        terms = make(split="fft_radial")(maps, teacher_maps())

    assert terms.total.dtype == torch.float32
