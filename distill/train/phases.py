"""What learns when: fractions of the steps, from the recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from distill.recipe import DistilPart
from distill.train.cpu.sync_norm import SyncNorm
from engine.models.base import Student


@dataclass(frozen=True, slots=True)
class Phase:
    """`segmentation` and `distil` are weights of the two losses; a frozen encoder does not learn."""

    name: str
    segmentation: float
    distil: float
    frozen: bool


def phase_at(step: int, steps: int, part: DistilPart) -> Phase:
    """The phase of a step, counted from 0.

    While nothing is distilled the segmentation counts 1, then what the recipe says: the notebook's loss is
    rescaled like that. The encoder freezes for a control without teachers, too, so that both differ in the
    teachers alone.
    """
    begin, end = round(part.start * steps), round(part.stop * steps)
    frozen = step >= round(part.freeze_encoder * steps)
    if not part.teachers or not begin <= step < end:
        return Phase("frozen encoder" if frozen else "segmentation", 1.0, 0.0, frozen)
    ramp_steps = round(part.ramp * steps)
    distil = min(1.0, (step - begin + 1) / ramp_steps) if ramp_steps else 1.0
    segmentation = 1.0 + (part.weights[0] - 1.0) * distil
    return Phase("distillation, frozen encoder" if frozen else "distillation", segmentation, distil, frozen)


def ends_teaching(step: int, steps: int, phases: Callable[[int], Phase]) -> bool:
    """Whether it is the last step at which something is distilled into an encoder that learns: gate G5."""

    def teaches(at: int) -> bool:
        return at < steps and phases(at).distil > 0 and not phases(at).frozen

    return teaches(step) and not teaches(step + 1)


def enter(student: Student, frozen: bool, frozen_batchnorm: bool) -> None:
    """Training mode; the encoder as the phase wants it, its statistics standing still if they shall."""
    student.train()
    encoder = student.encoder_parameters()
    for parameter in encoder:
        parameter.requires_grad_(not frozen)
        if frozen:
            parameter.grad = None
    if frozen and frozen_batchnorm:
        own = {id(parameter) for parameter in encoder}
        for norm in batch_norms(student):
            if norm.weight is not None and id(norm.weight) in own:
                norm.eval()


def batch_norms(network: nn.Module) -> list[_BatchNorm | SyncNorm]:
    return [module for module in network.modules() if isinstance(module, (_BatchNorm, SyncNorm))]
