"""The gates open for a distillation that teaches and close for one that cannot."""

import pytest
import torch
from torch import nn

from distill.recipe import DistilPart
from distill.teaching.distiller import Distiller, TargetBatch
from distill.teaching.gates import (
    demand,
    fair_gradient,
    plausible_fit,
    stands_alone,
    steady_targets,
    still_targets,
)
from distill.teaching.gradient_share import LARGEST, gradient_ratio, next_scale
from engine.faults import FaultCode, FaultError
from engine.models.base import Prediction, Student


class Small(Student):
    def __init__(self, width=6):
        super().__init__()
        self.strides, self.channels = {"s8": 8, "s16": 16}, {"s8": 4, "s16": width}
        self.fine = nn.Conv2d(3, 4, 8, stride=8)
        self.deep = nn.Conv2d(4, width, 2, stride=2)
        self.head = nn.Conv2d(width, 1, 1)

    def predict(self, image):
        fine = self.fine(image)
        deep = self.deep(fine)
        logits = nn.functional.interpolate(self.head(deep), scale_factor=16)
        return Prediction(logits, (), {"s8": fine, "s16": deep})

    def encoder_parameters(self):
        return [*self.fine.parameters(), *self.deep.parameters()]


IMAGE = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
TARGETS = {"t": TargetBatch(torch.randn(2, 5, 4, 4, generator=torch.Generator().manual_seed(1)))}


def made(**part):
    torch.manual_seed(0)
    student = Small()
    part = DistilPart(standardise="none", **part)
    return student, Distiller(part, {"t": 5}, student.strides, student.channels)


@pytest.mark.parametrize("projector", ["student", "teacher_frozen"])
def test_g1_passes_where_targets_stand_still(projector):
    student, distiller = made(projector=projector)

    assert still_targets(distiller, student.predict(IMAGE).features, TARGETS).passed


def test_g1_names_what_moves_the_notebooks_targets(caplog):
    student, distiller = made(projector="teacher_trainable")

    verdict = still_targets(distiller, student.predict(IMAGE).features, TARGETS)

    assert not verdict.passed
    assert "fusion.0.weight" in verdict.got
    with pytest.raises(FaultError) as caught:
        demand([verdict])
    assert caught.value.code is FaultCode.ARGUMENT
    assert "G1" in str(caught.value)
    caplog.clear()


def test_g1_closes_for_a_teacher_that_learns():
    student, distiller = made()
    learning = {"t": TargetBatch(TARGETS["t"].features.clone().requires_grad_())}

    assert not still_targets(distiller, student.predict(IMAGE).features, learning).passed


def test_g2_closes_when_a_target_has_lost_half_of_its_spread():
    watch = {"a.target_std_ratio": 0.95, "b.target_std_ratio": 0.51, "b.unexplained": 0.3}

    assert steady_targets(watch).passed
    verdict = steady_targets(watch | {"b.target_std_ratio": 0.49})
    assert not verdict.passed
    assert "b" in verdict.got


@pytest.mark.parametrize(("value", "passed"), [(0.01, False), (0.3, True), (0.99, True), (1.2, False)])
def test_g3_wants_a_target_neither_trivial_nor_unlearnt(value, passed):
    assert plausible_fit({"a.unexplained": 0.5, "b.unexplained": value}).passed is passed


def test_g3_closes_for_what_is_not_a_number():
    assert not plausible_fit({"a.unexplained": float("nan")}).passed


def test_g4_logits_are_the_same_without_the_distiller():
    student, distiller = made()
    before = student.eval()(IMAGE)
    values = {name: value.clone() for name, value in distiller.state_dict().items()}

    assert stands_alone(student, distiller, Small(), IMAGE).passed
    assert torch.equal(student(IMAGE), before)
    assert all(torch.equal(value, values[name]) for name, value in distiller.state_dict().items())


def test_g4_closes_when_student_and_distiller_share_a_layer():
    student, distiller = made()
    student.head = nn.Conv2d(6, 1, 1)
    distiller.heads.append(student.head)

    assert not stands_alone(student, distiller, Small(), IMAGE).passed


def test_g4_closes_when_the_student_is_not_the_plain_one():
    student, distiller = made()

    assert not stands_alone(student, distiller, Small(width=7), IMAGE).passed


def test_g5_measures_the_encoders_gradients_and_the_scale_sets_their_ratio():
    student, distiller = made()
    prediction = student.predict(IMAGE)
    segmentation = prediction.logits.square().mean()
    features = distiller(prediction.features, TARGETS).total
    encoder = student.encoder_parameters()

    ratio = gradient_ratio(features, segmentation, encoder)
    scale = next_scale(ratio, share=0.2)

    assert gradient_ratio(scale * features, segmentation, encoder) == pytest.approx(0.2, rel=1e-4)
    assert fair_gradient(0.2).passed
    assert not fair_gradient(0.002).passed
    assert not fair_gradient(1.5).passed
    assert all(parameter.grad is None for parameter in student.parameters())


def test_by_hand_the_ratio_is_that_of_the_norms():
    weight = nn.Parameter(torch.tensor([3.0, 4.0]))

    ratio = gradient_ratio((weight * torch.tensor([3.0, 4.0])).sum(), weight[0] * 2, [weight])

    assert ratio == pytest.approx(5 / 2)


def test_the_scale_is_clipped_and_moves_slowly():
    assert next_scale(1e-9, 0.2) == LARGEST
    assert next_scale(0.0, 0.2) == LARGEST
    assert next_scale(float("inf"), 0.2) == 0.01
    assert 1.0 < next_scale(0.02, 0.2, before=1.0) < 1.5


def test_a_frozen_encoder_has_no_gradient_at_all():
    weight = nn.Parameter(torch.ones(2), requires_grad=False)

    assert gradient_ratio(torch.zeros(()), torch.zeros((), requires_grad=True), [weight]) == float("inf")
