"""One step: forward, losses, backward, step."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from distill.recipe import OptimiserPart, Recipe
from distill.teaching.distiller import TargetBatch
from distill.teaching.gradient_share import gradient_ratio, next_scale
from distill.teaching.targets import SoftTarget
from distill.train.checkpoint import Learners
from distill.train.cpu.sync_norm import synchronise
from distill.train.module import TrainingModule
from distill.train.phases import Phase, enter
from engine.faults import FaultCode, FaultError
from engine.models.base import Student

# Two further backward passes measure the share of the feature terms: 2 x 0.6 of a step, so 2 % at one in 50.
SHARE_EVERY_STEPS = 50


class MicroBatch(NamedTuple):
    """A part of the batch of one step, where the network is. `targets` None: nothing is distilled from it.

    image [B, 3, S, S]; mask [L, 1, S, S] of the first L images, the others are unlabelled. `soft`: what
    teachers say of the masks of all of them.
    """

    image: Tensor
    mask: Tensor
    targets: dict[str, TargetBatch] | None
    soft: dict[str, SoftTarget] | None = None


@dataclass(frozen=True, slots=True)
class Trainer:
    """What a step works with; `wrapped` is the module by accelerate, `average` that of its student."""

    recipe: Recipe
    accelerator: Accelerator
    module: TrainingModule
    wrapped: nn.Module
    average: Student
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler

    @property
    def learners(self) -> Learners:
        return Learners(self.module.student, self.average, self.optimiser, self.module.distiller)


class StepResult(NamedTuple):
    """What a step found, mean over its micro-batches and processes."""

    loss: float
    parts: dict[str, float]
    watch: dict[str, float]
    share_scale: float | None
    gradient_ratio: float | None = None  # of the features' term to the masks', in the encoder: gate G5


def make_trainer(module: TrainingModule, recipe: Recipe, accelerator: Accelerator) -> Trainer:
    """The module on its device, with the optimiser and an average that stands where its student does."""
    average = copy.deepcopy(module.student).eval().to(accelerator.device)
    if accelerator.num_processes > 1:
        synchronise(module.student)
    module = module.to(accelerator.device)
    wrapped = accelerator.prepare_model(module)
    optimiser = make_optimiser(module, recipe.optimiser)
    scaler = torch.amp.GradScaler(accelerator.device.type, enabled=recipe.precision == "fp16")
    return Trainer(recipe, accelerator, module, wrapped, average, optimiser, scaler)


def make_optimiser(module: TrainingModule, part: OptimiserPart) -> torch.optim.Optimizer:
    """The encoder at its own rate; the distiller's heads like the decoder."""
    encoder = module.student.encoder_parameters()
    own = {id(parameter) for parameter in encoder}
    decoder = [parameter for parameter in module.student.parameters() if id(parameter) not in own]
    groups = [
        {"params": encoder, "full_rate": part.rate * part.encoder_rate_factor},
        {"params": decoder, "full_rate": part.rate},
    ]
    if module.distiller is not None:
        heads = [parameter for parameter in module.distiller.parameters() if parameter.requires_grad]
        if heads:
            groups.append({"params": heads, "full_rate": part.rate})
    kind = torch.optim.AdamW if part.kind == "adamw" else torch.optim.Adam
    return kind(groups, lr=part.rate, weight_decay=part.weight_decay)


def train_step(
    trainer: Trainer,
    micro_batches: Sequence[MicroBatch],
    phase: Phase,
    step: int,
    factor: float,
    scale: float | None,
    gate: bool = False,
) -> StepResult:
    """One step of the optimiser; every process has its own micro-batches, the gradient is the mean of all.

    `factor` scales the rates, `scale` the feature terms (None: not measured yet); `gate`: the gradient ratio
    is looked at. Raises FaultError ARGUMENT when the loss is not finite; everything is then as it was before.
    """
    module, recipe = trainer.module, trainer.recipe
    accelerator = trainer.accelerator
    module.train()
    enter(module.student, phase.frozen, recipe.distil.frozen_batchnorm)
    for group in trainer.optimiser.param_groups:
        group["lr"] = group["full_rate"] * factor
    # Whatever is drawn in the step follows from its number, so no state of a generator needs to be kept.
    torch.manual_seed(_seed(recipe.seed, step, accelerator.process_index))
    trainer.optimiser.zero_grad(set_to_none=True)
    before = [buffer.clone() for buffer in module.buffers()]
    totals, rows, watch, ratio = [], [], {}, None
    for rank, micro_batch in enumerate(micro_batches):
        last = rank + 1 == len(micro_batches)
        with nullcontext() if last else accelerator.no_sync(trainer.wrapped):
            image, mask, targets, soft = micro_batch
            losses = trainer.wrapped(image, mask, *((targets, soft) if phase.distil else ()))
            total = phase.segmentation * losses.segmentation
            if losses.soft is not None:
                total = total + phase.distil * losses.soft
            if losses.features is not None:
                _average_state(trainer)
                if (
                    rank == 0
                    and recipe.distil.gradient_share
                    and (scale is None or not step % SHARE_EVERY_STEPS)
                ):
                    scale = _measured_scale(trainer, total, losses.features, scale)
                term = phase.distil * (1.0 if scale is None else scale) * losses.features
                if gate and rank == 0:
                    ratio = _measured_ratio(trainer, total, term)
                total = total + term
            loss = _mean(accelerator, total.detach())
            if not math.isfinite(loss):
                for buffer, old in zip(module.buffers(), before, strict=True):
                    buffer.copy_(old)
                raise not_finite(loss)
            accelerator.backward(trainer.scaler.scale(total / len(micro_batches)))
        totals.append(loss)
        rows.append(losses.parts)
        watch = losses.watch
    _step(trainer)
    table = torch.stack([torch.stack([part.float() for part in row.values()]) for row in rows]).mean(0)
    if accelerator.num_processes > 1:
        table = accelerator.reduce(table, "mean")
    parts = dict(zip(rows[0], table.tolist(), strict=True))
    return StepResult(sum(totals) / len(totals), parts, watch, scale, ratio)


def not_finite(loss: float) -> FaultError:
    return FaultError(
        FaultCode.ARGUMENT,
        expected="a finite loss",
        got=str(loss),
        remedy="lower optimiser.rate or use precision float32; the state before that step is saved",
    )


def _step(trainer: Trainer) -> None:
    trainer.scaler.unscale_(trainer.optimiser)
    clip_norm = trainer.recipe.optimiser.clip_norm
    if clip_norm:
        # Apart, so that the heads' gradient does not shrink the student's.
        nn.utils.clip_grad_norm_(trainer.module.student.parameters(), clip_norm)
        if trainer.module.distiller is not None:
            nn.utils.clip_grad_norm_(trainer.module.distiller.parameters(), clip_norm)
    trainer.scaler.step(trainer.optimiser)
    trainer.scaler.update()


def _measured_scale(
    trainer: Trainer, segmentation: Tensor, features: Tensor, before: float | None
) -> float | None:
    ratio = _measured_ratio(trainer, segmentation, features)
    if not math.isfinite(ratio) or ratio == 0:  # a frozen encoder has no gradient to share
        return before
    return next_scale(ratio, trainer.recipe.distil.gradient_share, before)


def _measured_ratio(trainer: Trainer, segmentation: Tensor, features: Tensor) -> float:
    ratio = gradient_ratio(features, segmentation, trainer.module.student.encoder_parameters())
    if trainer.accelerator.num_processes > 1:
        ratio = _mean(trainer.accelerator, features.new_tensor(ratio))
    return ratio


def _average_state(trainer: Trainer) -> None:
    """The distiller's running figures, the mean of all processes: each saw its own part of the batch."""
    distiller = trainer.module.distiller
    if trainer.accelerator.num_processes == 1 or distiller is None:
        return
    for buffer in (distiller.band_power, distiller.first_std, *distiller.balance.buffers()):
        if buffer.is_floating_point():
            buffer.copy_(trainer.accelerator.reduce(buffer.clone(), "mean"))


def _mean(accelerator: Accelerator, value: Tensor) -> float:
    if accelerator.num_processes > 1:
        value = accelerator.reduce(value.clone(), "mean")
    return float(value)


def _seed(seed: int, step: int, process: int) -> int:
    return (seed * 1_000_003 + step) * 4099 + process
