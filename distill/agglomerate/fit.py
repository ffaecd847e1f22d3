"""One part of the training: steps, checkpoints, signs of life."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tqdm import tqdm

from distill.recipe import Recipe
from distill.train.checkpoint import (
    Learners,
    Progress,
    load_checkpoint,
    save_checkpoint,
    update_average,
)
from distill.train.logger import HEARTBEAT_S
from distill.train.phases import Phase
from distill.train.prefetch import Prefetch
from distill.train.schedule import Place, ema_decay, place_of, rate_factor, steps_per_epoch
from distill.train.step import MicroBatch, StepResult, Trainer, train_step
from engine.faults import FaultError
from engine.files.json_reader import read_json
from engine.files.whole import write_json
from engine.jobs.events import RunFolder
from engine.jobs.folder import CHECKPOINTS, CLOCK, has_states
from engine.models.base import Student


@dataclass(slots=True)
class Session:
    """One session of a run. `steps_left` None: until the end, or until the run is cancelled."""

    run: RunFolder
    steps_left: int | None = None

    def is_over(self) -> bool:
        return self.run.is_cancelled() or self.steps_left == 0


@dataclass(frozen=True, slots=True)
class Training:
    """`items` is what an epoch shows; `micro_batches` gives a step's, `epoch_ended` judges."""

    name: str
    folder: Path
    phase: Phase
    items: int
    trainer: Trainer
    average: Student
    micro_batches: Callable[[int], list[MicroBatch]]
    epoch_ended: Callable[[Place, StepResult], None] = field(default=lambda place, found: None)

    @property
    def recipe(self) -> Recipe:
        return self.trainer.recipe

    @property
    def steps(self) -> int:
        return self.recipe.epochs * steps_per_epoch(self.items, self.recipe)

    @property
    def learners(self) -> Learners:
        module = self.trainer.module
        return Learners(module.student, self.average, self.trainer.optimiser, module.distiller)


def has_begun(folder: Path) -> bool:
    return has_states(folder / CHECKPOINTS)


def follow(training: Training, session: Session) -> Progress:
    """Train to the end of the part or of the session, from the checkpoint where there is one.

    Raises FaultError ARGUMENT when the loss is not finite; the state before that step is saved.
    """
    recipe, steps, run = training.recipe, training.steps, session.run
    checkpoints = training.folder / CHECKPOINTS
    progress = load_checkpoint(checkpoints, training.learners) if has_begun(training.folder) else Progress()
    begun_s = said_s = time.monotonic()
    before_s = seconds_of(training.folder)

    def save() -> None:
        save_checkpoint(checkpoints, training.learners, progress)
        write_json(training.folder / CLOCK, before_s + time.monotonic() - begun_s)
        run.event("checkpoint", step=progress.step, part=training.name)

    bar = tqdm(total=steps, initial=progress.step, unit="step", desc=training.name, smoothing=0.05)
    with bar, Prefetch(training.micro_batches, steps) as prefetched:
        while progress.step < steps and not session.is_over():
            place = place_of(progress.step, training.items, recipe)
            if progress.step % steps_per_epoch(training.items, recipe) == 0:
                run.event(
                    "stage", name=f"{training.name}, epoch {place.epoch + 1}", i=place.epoch, of=recipe.epochs
                )
            factor = rate_factor(progress.step, steps, recipe.optimiser)
            micro_batches = prefetched.take(progress.step)
            try:
                found = train_step(
                    training.trainer, micro_batches, training.phase, progress.step, factor, None
                )
            except FaultError:
                save()
                raise
            decay = ema_decay(progress.step, recipe.optimiser.ema_decay)
            update_average(training.average, training.trainer.module.student, decay)
            progress = replace(progress, step=progress.step + 1)
            if session.steps_left is not None:
                session.steps_left -= 1
            bar.update()
            bar.set_postfix(epoch=f"{place.epoch + 1}/{recipe.epochs}", loss=f"{found.loss:.3f}")
            if place.last:
                training.epoch_ended(place, found)
            if progress.step < steps and (place.last or progress.step % recipe.checkpoint_every_steps == 0):
                save()
            now_s = time.monotonic()
            if now_s - said_s >= HEARTBEAT_S:
                said_s = now_s
                run.event("heartbeat", part=training.name, done=progress.step, total=steps, unit="step")
    save()
    return progress


def seconds_of(folder: Path) -> float:
    """How long a part has been trained."""
    path = folder / CLOCK
    return float(read_json(path)) if path.is_file() else 0.0
