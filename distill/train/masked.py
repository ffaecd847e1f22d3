"""An encoder learns from images without their masks: it paints in what was hidden of them.

Xie et al., SimMIM: A Simple Framework for Masked Image Modeling, CVPR 2022: parts of 32 px are hidden, one
linear layer on the deepest map says their pixels, L1 counts on the hidden ones alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from distill.data.dataset import Donors, epoch_items, training_batch
from distill.recipe import Recipe
from distill.train.ahead import Ahead
from distill.train.checkpoint import (
    Learners,
    Progress,
    contiguous,
    load_checkpoint,
    save_checkpoint,
    update_average,
)
from distill.train.cpu.depthwise import FastDepthwise
from distill.train.cpu.norm import FastNorm
from distill.train.going_on import goes_on, teller
from distill.train.interrupt import interrupt
from distill.train.lesson import AUTOCAST
from distill.train.schedule import ema_decay, place_of, rate_factor, steps_per_epoch
from distill.train.setup import Sides
from distill.train.start import Start, begin_network, note_start
from distill.train.step import not_finite
from engine.faults import FaultCode, FaultError
from engine.files.whole import write_bytes
from engine.jobs.events import RunFolder

CHECKPOINTS = "pretraining"  # not that of a trained student: there is nothing to export here
HIDDEN_SHARE = 0.6
STRIDE = 32  # of the deepest map, and the side of a hidden part


class MaskedPictures(nn.Module):
    """An encoder and the layer that says pixels; images are normalised, float [B, 3, S, S]."""

    def __init__(self, encoder: nn.Module, channels: int) -> None:
        """`channels` of the encoder's last map, which has to be at stride 32."""
        super().__init__()
        self.encoder = encoder
        self.paint = nn.Sequential(nn.Conv2d(channels, 3 * STRIDE**2, 1), nn.PixelShuffle(STRIDE))

    def forward(self, image: Tensor, hidden: Tensor) -> Tensor:
        """The mean absolute error on the hidden parts; `hidden` [B, 1, S, S] is 1 there."""
        # The mean of all pictures, zero after the scaling, stands for what is hidden.
        painted = self.paint(self.encoder(image * (1 - hidden))[-1])
        error: Tensor = ((painted.float() - image).abs() * hidden).sum() / (3 * hidden.sum())
        return error


def hidden_parts(batch: int, size_px: int, generator: torch.Generator) -> Tensor:
    """float32 [B, 1, S, S]: 1 on HIDDEN_SHARE of the 32-px parts of each picture, others in each."""
    side = size_px // STRIDE
    rank = torch.rand(batch, side * side, generator=generator).argsort(dim=1).argsort(dim=1)
    parts = (rank < round(HIDDEN_SHARE * side * side)).float().view(batch, 1, side, side)
    return parts.repeat_interleave(STRIDE, 2).repeat_interleave(STRIDE, 3)


def pretrain(
    recipe: Recipe,
    data_root: Path,
    sides: Sides,
    run: RunFolder,
    device: torch.device,
    resume: bool,
    stop_after: int | None = None,
    tick: Callable[[int, int], None] = lambda done, of: None,
) -> Path | None:
    """The recipe's views of its training images, its stages and optimiser, for its student's encoder.

    Gives the file with the encoder's averaged weights, in timm's key names, for `student.pretrained`; None
    when it was cancelled, with a checkpoint to go on from. `tick` hears at every step how many are done and
    how many there are. Raises FaultError ARGUMENT for a student without a timm encoder or precision fp16,
    MODEL_MISSING, MODEL_LOAD; a loss that is not finite leaves the last checkpoint.
    """
    folder = run.path / CHECKPOINTS
    going_on = resume and goes_on(run, folder)
    learners, start = _learners(recipe, data_root, device, going_on)
    if not going_on:
        note_start(run.path, start)
    progress = load_checkpoint(folder, learners, teller(run)) if going_on else Progress()
    pictures = sides.training
    steps = recipe.epochs * steps_per_epoch(len(pictures), recipe)
    donors = Donors(pictures)
    mean, std = (
        torch.tensor(values).view(1, 3, 1, 1) for values in (recipe.student.mean, recipe.student.std)
    )

    def material(step: int) -> Tensor:
        place = place_of(step, len(pictures), recipe)
        order = epoch_items(pictures, recipe, place.epoch)
        items = order[place.batch * recipe.batch : (place.batch + 1) * recipe.batch].tolist()
        views = training_batch(pictures, items, place.size_px, recipe, place.epoch, donors)
        return ((views.image - mean) / std).to(device)

    first = progress.step
    with interrupt() as asked, Ahead(material, steps) as ahead:
        while progress.step < steps:
            step = progress.step
            place = place_of(step, len(pictures), recipe)
            loss = _update(
                learners, ahead.take(step), recipe, step, rate_factor(step, steps, recipe.optimiser)
            )
            update_average(learners.average, learners.model, ema_decay(step, recipe.optimiser.ema_decay))
            progress = replace(progress, step=step + 1, epoch_loss=progress.epoch_loss + loss)
            tick(progress.step, steps)
            if place.last:
                run.event("metric", epoch=place.epoch, loss=round(progress.epoch_loss / (place.batch + 1), 5))
                progress = replace(progress, epoch_loss=0.0)
            if place.last or progress.step % recipe.checkpoint_every_steps == 0:
                save_checkpoint(folder, learners, progress)
                run.event("checkpoint", step=progress.step)
            if asked() or run.is_cancelled() or progress.step - first == stop_after:
                break
    save_checkpoint(folder, learners, progress)
    if progress.step < steps:
        run.event("stop", step=progress.step, of=steps)
        return None
    encoder: Any = learners.average.get_submodule("encoder")
    # Its name has to say whose weights they are: `load_pretrained` looks at it.
    path = run.path / f"{encoder.pretrained_cfg['architecture']}.safetensors"
    write_bytes(path, save(contiguous(encoder.state_dict())))
    run.event("file", path=path.name)
    return path


def _learners(
    recipe: Recipe, data_root: Path, device: torch.device, going_on: bool
) -> tuple[Learners, Start]:
    if recipe.precision == "fp16":
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="precision bf16 or float32: nothing scales the loss here",
            got=recipe.precision,
            remedy="change it with --set precision=bf16",
        )
    student, start = begin_network(recipe, data_root, going_on)
    encoder = getattr(student, "encoder", None)
    info = getattr(encoder, "feature_info", None)
    if encoder is None or info is None or info.reduction()[-1] != STRIDE:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a student with a timm encoder whose last map has stride {STRIDE}",
            got=f"{recipe.student.name} {recipe.student.args}",
            remedy="take another student",
        )
    torch.manual_seed(recipe.seed)
    model: Any = MaskedPictures(encoder, info.channels()[-1])
    model = model.to(device, memory_format=torch.channels_last)
    part = recipe.optimiser
    groups = [
        {"params": model.encoder.parameters(), "full_rate": part.rate * part.encoder_rate_factor},
        {"params": model.paint.parameters(), "full_rate": part.rate},
    ]
    optimiser = torch.optim.AdamW(groups, lr=part.rate, weight_decay=part.weight_decay)
    return Learners(model, copy.deepcopy(model).eval(), optimiser), start


def _update(learners: Learners, image: Tensor, recipe: Recipe, step: int, factor: float) -> float:
    """One step; what is hidden follows from its number. Raises FaultError ARGUMENT for an infinite loss."""
    model, optimiser = learners.model.train(), learners.optimiser
    for group in optimiser.param_groups:
        group["lr"] = group["full_rate"] * factor
    generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
    hidden = hidden_parts(len(image), image.shape[-1], generator).to(image.device)
    autocast = AUTOCAST[recipe.precision]
    with (
        torch.autocast(image.device.type, autocast, enabled=autocast is not None),
        FastDepthwise(),
        FastNorm(model),
    ):
        loss = model(image, hidden)
    if not torch.isfinite(loss):
        raise not_finite(float(loss))
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if recipe.optimiser.clip_norm:
        nn.utils.clip_grad_norm_(model.parameters(), recipe.optimiser.clip_norm)
    optimiser.step()
    return float(loss)
