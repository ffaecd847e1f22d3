"""One update: forward, losses, backward, step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from distill.recipe import Recipe
from distill.teaching.distiller import TargetBatch
from distill.teaching.gradient_share import gradient_ratio, next_scale
from distill.train.lesson import Lesson
from distill.train.phases import Phase, enter
from engine.faults import FaultCode, FaultError

# Two further backward passes measure the share of the feature terms: 2 x 0.6 of a step, so 2 % at one in 50.
SHARE_EVERY_STEPS = 50


class Material(NamedTuple):
    """One part of an update, where the network is. `targets` None: nothing is distilled from it."""

    image: Tensor
    mask: Tensor
    targets: dict[str, TargetBatch] | None


@dataclass(frozen=True, slots=True)
class Machine:
    """What an update works with; `wrapped` is the lesson as accelerate made it."""

    accelerator: Accelerator
    lesson: Lesson
    wrapped: nn.Module
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    recipe: Recipe


class Update(NamedTuple):
    """What an update found, mean over its parts and processes."""

    loss: float
    parts: dict[str, float]
    watch: dict[str, float]
    share_scale: float | None


def update(
    machine: Machine,
    materials: Sequence[Material],
    phase: Phase,
    step: int,
    factor: float,
    scale: float | None,
) -> Update:
    """One step of the optimiser; every process has its own materials, the gradient is the mean of all.

    `factor` scales the rates, `scale` the feature terms (None: not measured yet). Raises FaultError ARGUMENT
    when the loss is not finite; everything is then as it was before.
    """
    lesson, recipe = machine.lesson, machine.recipe
    accelerator = machine.accelerator
    lesson.train()
    enter(lesson.student, phase.frozen, recipe.distil.frozen_batchnorm)
    for group in machine.optimiser.param_groups:
        group["lr"] = group["full_rate"] * factor
    # Whatever is drawn in the step follows from its number, so no state of a generator needs to be kept.
    torch.manual_seed(_seed(recipe.seed, step, accelerator.process_index))
    machine.optimiser.zero_grad(set_to_none=True)
    before = [buffer.clone() for buffer in lesson.buffers()]
    losses, rows, watch = [], [], {}
    for rank, material in enumerate(materials):
        last = rank + 1 == len(materials)
        with nullcontext() if last else accelerator.no_sync(machine.wrapped):
            said = machine.wrapped(material.image, material.mask, material.targets if phase.distil else None)
            total = phase.segmentation * said.segmentation
            if said.features is not None:
                _average_state(machine)
                if (
                    rank == 0
                    and recipe.distil.gradient_share
                    and (scale is None or not step % SHARE_EVERY_STEPS)
                ):
                    scale = _measured_scale(machine, total, said.features, scale)
                total = total + phase.distil * (1.0 if scale is None else scale) * said.features
            loss = _mean(accelerator, total.detach())
            if not math.isfinite(loss):
                for buffer, old in zip(lesson.buffers(), before, strict=True):
                    buffer.copy_(old)
                raise not_finite(loss)
            accelerator.backward(machine.scaler.scale(total / len(materials)))
        losses.append(loss)
        rows.append(said.parts)
        watch = said.watch
    _step(machine)
    table = torch.stack([torch.stack([part.float() for part in row.values()]) for row in rows]).mean(0)
    if accelerator.num_processes > 1:
        table = accelerator.reduce(table, "mean")
    parts = dict(zip(rows[0], table.tolist(), strict=True))
    return Update(sum(losses) / len(losses), parts, watch, scale)


def not_finite(loss: float) -> FaultError:
    return FaultError(
        FaultCode.ARGUMENT,
        expected="a finite loss",
        got=str(loss),
        remedy="lower optimiser.rate or use precision float32; the state before that step is saved",
    )


def _step(machine: Machine) -> None:
    machine.scaler.unscale_(machine.optimiser)
    clip_norm = machine.recipe.optimiser.clip_norm
    if clip_norm:
        # Apart, so that the heads' gradient does not shrink the student's.
        nn.utils.clip_grad_norm_(machine.lesson.student.parameters(), clip_norm)
        if machine.lesson.distiller is not None:
            nn.utils.clip_grad_norm_(machine.lesson.distiller.parameters(), clip_norm)
    machine.scaler.step(machine.optimiser)
    machine.scaler.update()


def _measured_scale(
    machine: Machine, segmentation: Tensor, features: Tensor, before: float | None
) -> float | None:
    encoder = machine.lesson.student.encoder_parameters()
    ratio = gradient_ratio(features, segmentation, encoder)
    if machine.accelerator.num_processes > 1:
        ratio = _mean(machine.accelerator, features.new_tensor(ratio))
    if not math.isfinite(ratio) or ratio == 0:  # a frozen encoder has no gradient to share
        return before
    return next_scale(ratio, machine.recipe.distil.gradient_share, before)


def _average_state(machine: Machine) -> None:
    """The distiller's running figures, the mean of all processes: each saw its own part of the batch."""
    distiller = machine.lesson.distiller
    if machine.accelerator.num_processes == 1 or distiller is None:
        return
    for buffer in (distiller.band_power, distiller.first_std, *distiller.balance.buffers()):
        if buffer.is_floating_point():
            buffer.copy_(machine.accelerator.reduce(buffer.clone(), "mean"))


def _mean(accelerator: Accelerator, value: Tensor) -> float:
    if accelerator.num_processes > 1:
        value = accelerator.reduce(value.clone(), "mean")
    return float(value)


def _seed(seed: int, step: int, process: int) -> int:
    return (seed * 1_000_003 + step) * 4099 + process
