"""One head a task: the rows of a student's last 1x1 convolution."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from distill.recipe import Recipe
from distill.train.module import TrainingModule
from engine.faults import FaultCode, FaultError
from engine.models.base import Student

UNLABELLED = -1.0  # the mask of a task that nobody drew for this image
PROBE_PX = 64


def widen(student: Student, tasks: int) -> None:
    """Give the student a fresh head with a row a task, in place: its logits become [B, tasks, H, W].

    Raises FaultError ARGUMENT for a student whose logits are more than one 1x1 convolution of its last map.
    """
    head = getattr(student, "head", None)
    if not isinstance(head, nn.Conv2d) or head.kernel_size != (1, 1):
        raise _unsuited(student, "another kind of head")
    student.head = nn.Conv2d(head.in_channels, tasks, kernel_size=1).to(head.weight)
    was_training = student.training
    with torch.no_grad():
        output = student.eval().predict(head.weight.new_zeros(1, 3, PROBE_PX, PROBE_PX))
    student.train(was_training)
    if output.auxiliary or output.logits.shape[1] != tasks:
        raise _unsuited(student, "logits that are refined after the head")


def of_task(student: Student, rank: int) -> Student:
    """A copy for one task: the ordinary student with that row as its head."""
    alone = copy.deepcopy(student)
    head = nn.Conv2d(student.head.in_channels, 1, kernel_size=1)  # type: ignore[union-attr, arg-type]
    head = head.to(next(student.parameters()))
    with torch.no_grad():
        head.weight.copy_(student.head.weight[rank : rank + 1])  # type: ignore[union-attr, index]
        head.bias.copy_(student.head.bias[rank : rank + 1])  # type: ignore[union-attr, index]
    alone.head = head
    return alone.train(student.training)


class OneTask(nn.Module):
    """The shared student heard for one task: logits [B, 1, H, W]. A view of it, where `of_task` is a copy."""

    def __init__(self, student: Student, rank: int) -> None:
        super().__init__()
        self.student = student
        self.rank = rank

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.student(image)
        return logits[:, self.rank : self.rank + 1]


def mask_of_task(mask: Tensor, rank: int, tasks: int) -> Tensor:
    """Masks [B, 1, H, W] of one task as [B, tasks, H, W], UNLABELLED in all others."""
    wide = torch.full((len(mask), tasks, *mask.shape[2:]), UNLABELLED)
    wide[:, rank : rank + 1] = mask
    return wide


def labelled(logits: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Both [B, tasks, H, W], every image labelled for one task -> that task's alone, [B, 1, H, W]."""
    which = mask[:, :, 0, 0] != UNLABELLED
    return logits[which].unsqueeze(1), mask[which].unsqueeze(1)


class TaskModule(TrainingModule):
    """A module for several tasks: an image's loss goes through the head of its own task and no other."""

    def __init__(self, student: Student, recipe: Recipe) -> None:
        super().__init__(student, None, recipe)
        whole = self._loss
        self._loss = lambda logits, mask: whole(*labelled(logits, mask))


def _unsuited(student: Student, got: str) -> FaultError:
    return FaultError(
        FaultCode.ARGUMENT,
        expected="a student whose last layer is one 1x1 convolution: light, unet or unetpp",
        got=f"{type(student).__name__}, with {got}",
        remedy="correct student.name of the recipe",
    )
