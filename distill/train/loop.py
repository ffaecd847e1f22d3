"""The training loop: steps, epochs, checkpoints and signs of life, of whatever is trained."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch

from distill.recipe import Recipe
from distill.train.checkpoint import Progress, load_checkpoint, save_checkpoint, update_average
from distill.train.logger import RunLogger
from distill.train.phases import Phase, ends_teaching
from distill.train.prefetch import Prefetch
from distill.train.resume import warner
from distill.train.schedule import Place, ema_decay, place_of, rate_factor, steps_per_epoch
from distill.train.step import MicroBatch, StepResult, Trainer, train_step
from engine.faults import FaultError
from engine.files.json_reader import read_json
from engine.files.whole import write_json
from engine.jobs.events import RunFolder
from engine.jobs.folder import CHECKPOINTS, CLOCK, has_states


class EpochEnd(NamedTuple):
    """`found` is the last step's; `mean_loss` over the steps of the epoch."""

    place: Place
    progress: Progress
    found: StepResult
    mean_loss: float


@dataclass(frozen=True, slots=True)
class Training:
    """What the loop is given. `folder` holds the checkpoints; `items` is what an epoch shows.

    `micro_batches` gives this process's share of a step, `phase_at` what learns in it. `epoch_ended` judges
    an epoch: the Dice by which the best one is chosen, None where there is none. `part` names it in the
    events where a run trains several things.
    """

    trainer: Trainer
    folder: Path
    items: int
    micro_batches: Callable[[int], list[MicroBatch]]
    phase_at: Callable[[int], Phase]
    epoch_ended: Callable[[EpochEnd, RunLogger], float | None]
    part: str | None = None

    @property
    def recipe(self) -> Recipe:
        return self.trainer.recipe

    @property
    def steps(self) -> int:
        return self.recipe.epochs * steps_per_epoch(self.items, self.recipe)

    @property
    def has_begun(self) -> bool:
        return has_states(self.folder / CHECKPOINTS)


class TrainResult(NamedTuple):
    """`cancelled`: stopped before the last step, with a checkpoint to go on from; `done_here` steps were made
    by this process."""

    cancelled: bool
    step: int
    steps: int
    best: float
    done_here: int = 0


def fit(
    training: Training,
    run: RunFolder,
    resuming: bool,
    stop_after: int | None = None,
    asked: Callable[[], bool] = lambda: False,
) -> TrainResult:
    """Train to the end, from the newest checkpoint where it is `resuming`.

    It stops after `stop_after` steps, when `asked` says so and when the run is cancelled. Every process of
    `accelerate launch` calls this; the first one writes. Raises FaultError ARGUMENT when a loss is not
    finite: a checkpoint of the state before that step is left.
    """
    recipe, trainer, steps = training.recipe, training.trainer, training.steps
    checkpoints = training.folder / CHECKPOINTS
    progress = load_checkpoint(checkpoints, trainer.learners, warner(run)) if resuming else Progress()
    _set_loss_scale(trainer, progress)
    first, begun_s, before_s = progress.step, time.monotonic(), seconds_of(training.folder)
    logger = RunLogger(run, trainer, steps, first, training.part)

    def save(best: bool = False) -> None:
        if trainer.accelerator.is_main_process:
            save_checkpoint(checkpoints, trainer.learners, progress, best, recipe.selection != "last")
            write_json(training.folder / CLOCK, before_s + time.monotonic() - begun_s)
            run.event("checkpoint", step=progress.step, best=best, **logger.part)
        trainer.accelerator.wait_for_everyone()

    def is_over() -> bool:
        return _anyone(trainer, asked() or run.is_cancelled() or progress.step - first == stop_after)

    with Prefetch(training.micro_batches, steps) as prefetched, logger.bar:
        while progress.step < steps and not is_over():
            place = place_of(progress.step, training.items, recipe)
            phase = training.phase_at(progress.step)
            logger.stage(place, phase.name)
            factor = rate_factor(progress.step, steps, recipe.optimiser)
            micro_batches = prefetched.take(progress.step)
            try:
                gate = ends_teaching(progress.step, steps, training.phase_at)
                found = train_step(
                    trainer, micro_batches, phase, progress.step, factor, progress.share_scale, gate
                )
            except FaultError:
                save()
                raise
            decay = ema_decay(progress.step, recipe.optimiser.ema_decay)
            update_average(trainer.average, trainer.module.student, decay)
            progress = _after_step(progress, found, trainer)
            logger.step(progress, found)
            if place.last:
                best, progress = _after_epoch(training, progress, place, found, logger)
                save(best)
            elif progress.step % recipe.checkpoint_every_steps == 0:
                save()
    if progress.step < steps:
        run.event("stop", step=progress.step, of=steps)
    save()
    return TrainResult(progress.step < steps, progress.step, steps, progress.best, progress.step - first)


def seconds_of(folder: Path) -> float:
    """How long the training of that folder has taken so far, over all the times it was gone on with."""
    path = folder / CLOCK
    return float(read_json(path)) if path.is_file() else 0.0


def _after_step(progress: Progress, found: StepResult, trainer: Trainer) -> Progress:
    scaler = trainer.scaler.state_dict()
    return replace(
        progress,
        step=progress.step + 1,
        epoch_loss=progress.epoch_loss + found.loss,
        share_scale=found.share_scale,
        loss_scale=scaler.get("scale"),
        loss_scale_steps=scaler.get("_growth_tracker", 0),
    )


def _after_epoch(
    training: Training, progress: Progress, place: Place, found: StepResult, logger: RunLogger
) -> tuple[bool, Progress]:
    """Whether the weights of now are the best so far.

    Only the first process judges: the others have the same weights and wait at the checkpoint.
    """
    recipe, accelerator = training.recipe, training.trainer.accelerator
    steps_here = place.batch + 1 if recipe.scaling == "random" else (place.batch + 1) * len(recipe.scales)
    mean_loss = progress.epoch_loss / steps_here
    lowest = progress.lowest_loss
    best = lowest is None or mean_loss < lowest
    progress = replace(progress, epoch_loss=0.0, lowest_loss=mean_loss if best else lowest)
    dice = None
    if accelerator.is_main_process:
        dice = training.epoch_ended(EpochEnd(place, progress, found, mean_loss), logger)
    dice = _of_first(training.trainer, progress.best if dice is None else dice)
    better = dice > progress.best
    if better:
        progress = replace(progress, best=dice, best_epoch=place.epoch)
    return best if recipe.selection == "train_loss" else better, progress


def _set_loss_scale(trainer: Trainer, progress: Progress) -> None:
    scaler = trainer.scaler
    if scaler.is_enabled() and progress.loss_scale is not None:
        state = {"scale": progress.loss_scale, "_growth_tracker": progress.loss_scale_steps}
        scaler.load_state_dict(scaler.state_dict() | state)


def _anyone(trainer: Trainer, wish: bool) -> bool:
    """Whether a process wants to stop: all must, or the others would wait for it."""
    accelerator = trainer.accelerator
    if accelerator.num_processes == 1:
        return wish
    wishes = torch.tensor(float(wish), device=accelerator.device)
    return bool(accelerator.reduce(wishes, "sum") > 0)


def _of_first(trainer: Trainer, value: float) -> float:
    accelerator = trainer.accelerator
    if accelerator.num_processes == 1:
        return value
    told = torch.tensor(value if accelerator.is_main_process else 0.0, dtype=torch.float64)
    return float(accelerator.reduce(told.to(accelerator.device), "sum"))
