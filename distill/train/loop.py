"""The training loop."""

from __future__ import annotations

import copy
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
from torch import Tensor, nn
from tqdm import tqdm

from distill.data.dataset import Pictures, epoch_order, training_batch
from distill.data.index import Index, load_index
from distill.data.splits import Split, grouped_split
from distill.evaluate import Normalise, evaluate, probabilities
from distill.losses import LOSSES
from distill.recipe import Recipe
from distill.train.checkpoint import Progress, load_checkpoint, save_checkpoint, update_average
from distill.train.schedule import ema_decay, place_of, rate_factor, steps_per_epoch
from engine.faults import FaultCode, FaultError
from engine.jobs import RunFolder
from engine.models import make_student
from engine.models.base import Student
from engine.models.encoder import load_pretrained
from engine.table import load_named

CHECKPOINTS = "checkpoints"
HEARTBEAT_S = 2.0  # a job that says nothing for 15 s counts as interrupted


@dataclass(frozen=True, slots=True)
class Outcome:
    """`cancelled`: stopped before the last step, with a checkpoint to go on from."""

    cancelled: bool
    step: int
    steps: int
    best: float


def train(
    recipe: Recipe, data_root: Path, run: RunFolder, resume: bool, stop_after: int | None = None
) -> Outcome:
    """Train into the run folder, or go on where its checkpoint stands.

    `stop_after` steps it stops as if cancelled. Raises FaultError DATA_SET, ARGUMENT, MODEL_MISSING.
    """
    _prepare_torch(recipe)
    index = load_index(data_root)
    part = recipe.data
    split = grouped_split(index.records, part.folds, part.fold, part.split_seed, part.validation_groups)
    training, validation = _decode(index, split, run)

    model, average, optimiser = _networks(recipe, data_root)
    progress = Progress(step=0, best=-1.0, best_epoch=-1)
    checkpoints = run.path / CHECKPOINTS
    if resume:
        progress = load_checkpoint(checkpoints, model, average, optimiser)
    steps = recipe.epochs * steps_per_epoch(len(training), recipe)
    loss_of = load_named(LOSSES, recipe.loss, "loss")
    normalise = Normalise(recipe.student.mean, recipe.student.std)
    said_s, started_s, first = time.monotonic(), time.monotonic(), progress.step

    with _interrupt() as stop, tqdm(total=steps, initial=first, unit="step", smoothing=0.05) as bar:
        while progress.step < steps:
            place = place_of(progress.step, len(training), recipe)
            if place.batch == 0:
                run.event(
                    "stage",
                    name=f"epoch {place.epoch + 1} at {place.size_px}",
                    i=place.epoch,
                    of=recipe.epochs,
                )
            order = epoch_order(len(training), recipe.seed, place.epoch)
            chosen = order[place.batch * recipe.batch : (place.batch + 1) * recipe.batch].tolist()
            image, mask = training_batch(training, chosen, place.size_px, recipe.seed, place.epoch)
            factor = rate_factor(progress.step, steps, recipe.optimiser)
            loss = _step(model, optimiser, loss_of, normalise(image), mask, factor, recipe)
            update_average(average, model, ema_decay(progress.step, recipe.optimiser.ema_decay))
            progress = Progress(progress.step + 1, progress.best, progress.best_epoch)
            bar.update()
            bar.set_postfix(epoch=f"{place.epoch + 1}/{recipe.epochs}", px=place.size_px, loss=f"{loss:.3f}")

            if place.batch + 1 == steps_per_epoch(len(training), recipe):
                maps = probabilities(average, normalise, validation, place.size_px, recipe.precision)
                dice = evaluate(validation, maps).value("pooled", "dice")
                run.event("metric", step=progress.step, split="validation", name="dice", value=dice)
                bar.write(
                    f"epoch {place.epoch + 1} at {place.size_px}: loss {loss:.3f}, validation Dice {dice:.4f}"
                )
                if dice > progress.best:
                    progress = Progress(progress.step, dice, place.epoch)
                save_checkpoint(checkpoints, model, average, optimiser, progress)
            elif progress.step % recipe.checkpoint_every_steps == 0:
                save_checkpoint(checkpoints, model, average, optimiser, progress)

            now_s = time.monotonic()
            if now_s - said_s >= HEARTBEAT_S:
                said_s = now_s
                eta_s = (now_s - started_s) / (progress.step - first) * (steps - progress.step)
                run.event("progress", done=progress.step, total=steps, unit="step", eta_s=round(eta_s))
                run.event("metric", step=progress.step, split="train", name="loss", value=round(loss, 5))
            if stop() or run.is_cancelled() or progress.step - first == stop_after:
                break
    save_checkpoint(checkpoints, model, average, optimiser, progress)
    return Outcome(progress.step < steps, progress.step, steps, progress.best)


def _prepare_torch(recipe: Recipe) -> None:
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    cv2.setNumThreads(1)


def _decode(index: Index, split: Split, run: RunFolder) -> tuple[Pictures, Pictures]:
    total = len(split.train) + len(split.validation)
    with tqdm(total=total, unit="image", desc="decode") as bar:

        def tick(done: int) -> None:
            bar.update()
            if done % 500 == 0:
                run.event("progress", done=bar.n, total=total, unit="image", eta_s=0)

        records = index.records
        training = Pictures(index.root, [records[i] for i in split.train], tick)
        return training, Pictures(index.root, [records[i] for i in split.validation], tick)


def _networks(recipe: Recipe, data_root: Path) -> tuple[Student, Student, torch.optim.AdamW]:
    model = make_student(recipe.student.name, recipe.student.args)
    source = recipe.student.pretrained
    load_pretrained(model.get_submodule("encoder"), source if ":" in source else str(data_root / source))
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(model).eval()
    part = recipe.optimiser
    encoder = model.encoder_parameters()
    own = {id(parameter) for parameter in encoder}
    decoder = [parameter for parameter in model.parameters() if id(parameter) not in own]
    groups = [
        {"params": encoder, "full_rate": part.rate * part.encoder_rate_factor},
        {"params": decoder, "full_rate": part.rate},
    ]
    return model, average, torch.optim.AdamW(groups, lr=part.rate, weight_decay=part.weight_decay)


def _step(
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    image: Tensor,
    mask: Tensor,
    factor: float,
    recipe: Recipe,
) -> float:
    """One update; the loss is float32 whatever the network ran in. Raises FaultError: not finite."""
    model.train()
    for group in optimiser.param_groups:
        group["lr"] = group["full_rate"] * factor
    with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bf16"):
        logits = model(image)
    loss = loss_of(logits, mask)
    value = float(loss.detach())
    if not math.isfinite(value):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a finite loss",
            got=str(value),
            remedy="lower optimiser.rate or use precision float32, then resume",
        )
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), recipe.optimiser.clip_norm)
    optimiser.step()
    return value


@contextmanager
def _interrupt() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks for an end after this step; a second one ends at once."""
    asked = False

    def ask(number: int, stack: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
