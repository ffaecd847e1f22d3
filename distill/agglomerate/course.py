"""One part of the training: steps, checkpoints, signs of life."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tqdm import tqdm

from distill.recipe import Recipe
from distill.train.ahead import Ahead
from distill.train.checkpoint import (
    Learners,
    Progress,
    load_checkpoint,
    save_checkpoint,
    update_average,
)
from distill.train.phases import Phase
from distill.train.schedule import Place, ema_decay, place_of, rate_factor, steps_per_epoch
from distill.train.step import Machine, Material, Update, update
from distill.train.talk import HEARTBEAT_S
from engine.faults import FaultError
from engine.files.json_reader import read_json
from engine.files.whole import write_json
from engine.jobs.events import RunFolder
from engine.jobs.folder import CHECKPOINTS, CLOCK, has_states
from engine.models.base import Student


@dataclass(slots=True)
class Sitting:
    """One sitting of a run. `steps_left` None: until the end, or until the run is cancelled."""

    run: RunFolder
    steps_left: int | None = None

    def is_over(self) -> bool:
        return self.run.is_cancelled() or self.steps_left == 0


@dataclass(frozen=True, slots=True)
class Course:
    """`items` is what an epoch shows; `materials` gives a step's, `epoch_ended` judges."""

    name: str
    folder: Path
    phase: Phase
    items: int
    machine: Machine
    average: Student
    materials: Callable[[int], list[Material]]
    epoch_ended: Callable[[Place, Update], None] = field(default=lambda place, found: None)

    @property
    def recipe(self) -> Recipe:
        return self.machine.recipe

    @property
    def steps(self) -> int:
        return self.recipe.epochs * steps_per_epoch(self.items, self.recipe)

    @property
    def learners(self) -> Learners:
        lesson = self.machine.lesson
        return Learners(lesson.student, self.average, self.machine.optimiser, lesson.distiller)


def has_begun(folder: Path) -> bool:
    return has_states(folder / CHECKPOINTS)


def follow(course: Course, sitting: Sitting) -> Progress:
    """Train to the end of the part or of the sitting, from the checkpoint where there is one.

    Raises FaultError ARGUMENT when the loss is not finite; the state before that step is saved.
    """
    recipe, steps, run = course.recipe, course.steps, sitting.run
    checkpoints = course.folder / CHECKPOINTS
    progress = load_checkpoint(checkpoints, course.learners) if has_begun(course.folder) else Progress()
    begun_s = said_s = time.monotonic()
    before_s = seconds_of(course.folder)

    def save() -> None:
        save_checkpoint(checkpoints, course.learners, progress)
        write_json(course.folder / CLOCK, before_s + time.monotonic() - begun_s)
        run.event("checkpoint", step=progress.step, part=course.name)

    bar = tqdm(total=steps, initial=progress.step, unit="step", desc=course.name, smoothing=0.05)
    with bar, Ahead(course.materials, steps) as ahead:
        while progress.step < steps and not sitting.is_over():
            place = place_of(progress.step, course.items, recipe)
            if progress.step % steps_per_epoch(course.items, recipe) == 0:
                run.event(
                    "stage", name=f"{course.name}, epoch {place.epoch + 1}", i=place.epoch, of=recipe.epochs
                )
            factor = rate_factor(progress.step, steps, recipe.optimiser)
            materials = ahead.take(progress.step)
            try:
                found = update(course.machine, materials, course.phase, progress.step, factor, None)
            except FaultError:
                save()
                raise
            decay = ema_decay(progress.step, recipe.optimiser.ema_decay)
            update_average(course.average, course.machine.lesson.student, decay)
            progress = replace(progress, step=progress.step + 1)
            if sitting.steps_left is not None:
                sitting.steps_left -= 1
            bar.update()
            bar.set_postfix(epoch=f"{place.epoch + 1}/{recipe.epochs}", loss=f"{found.loss:.3f}")
            if place.last:
                course.epoch_ended(place, found)
            if progress.step < steps and (place.last or progress.step % recipe.checkpoint_every_steps == 0):
                save()
            now_s = time.monotonic()
            if now_s - said_s >= HEARTBEAT_S:
                said_s = now_s
                run.event("heartbeat", part=course.name, done=progress.step, total=steps, unit="step")
    save()
    return progress


def seconds_of(folder: Path) -> float:
    """How long a part has been trained."""
    path = folder / CLOCK
    return float(read_json(path)) if path.is_file() else 0.0
