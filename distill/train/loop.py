"""The training loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tqdm import tqdm

from distill.data.index import load_index
from distill.judging.evaluate import evaluate
from distill.recipe import Recipe, scaled_px
from distill.train.ahead import Ahead
from distill.train.checkpoint import Progress, load_checkpoint, save_checkpoint, update_average
from distill.train.going_on import goes_on, teller
from distill.train.guard import judge_epoch, refuse_early
from distill.train.hard_negatives import hard_negatives
from distill.train.memory import Need, dry_step
from distill.train.phases import phase_at
from distill.train.report import sample_positions
from distill.train.schedule import Place, ema_decay, place_of, rate_factor
from distill.train.setup import Course, accelerator_of, decode, make_course
from distill.train.start import note_start
from distill.train.step import Update, update
from distill.train.talk import Talk
from distill.train.validate import maps_of, teachers_watch
from engine.faults import FaultError
from engine.jobs.events import RunFolder
from engine.jobs.folder import CHECKPOINTS, shared_folder
from engine.jobs.interrupt import interrupt
from engine.types import F32


@dataclass(frozen=True, slots=True)
class Outcome:
    """`cancelled`: stopped before the last step, with a checkpoint to go on from."""

    cancelled: bool
    step: int
    steps: int
    best: float


def train(
    recipe: Recipe,
    data_root: Path,
    run: RunFolder,
    resume: bool,
    stop_after: int | None = None,
    cache: Path | None = None,
) -> Outcome:
    """Train into the run folder, or go on where its checkpoint stands.

    `stop_after` steps it stops as if cancelled. `cache` is the folder of the teachers' features. Every
    process of `accelerate launch` calls this; the first one writes checkpoints and pictures. Raises
    FaultError DATA_SET, ARGUMENT, MODEL_MISSING; a loss that is not finite leaves a checkpoint of the state
    before it.
    """
    checkpoints = shared_folder(run.path) / CHECKPOINTS
    going_on = resume and goes_on(run, checkpoints)
    course = _prepared(recipe, data_root, run, cache, going_on)
    machine, steps = course.machine, course.steps
    first_process = machine.accelerator.is_main_process
    tell = teller(run)
    progress = load_checkpoint(checkpoints, course.learners, tell) if going_on else Progress()
    _set_loss_scale(course, progress)
    if not going_on and first_process:
        note_start(run.path, course.start)
    if not going_on:
        sizes = scaled_px(recipe.size_px_of(0), recipe.scales[0])
        refuse_early(
            machine.lesson, course.validation_teaching, course.sides.training, course.sides.validation, sizes
        )
    talk = Talk(run, course, progress.step)

    def save(best: bool = False) -> None:
        if first_process:
            chosen = recipe.selection != "last"
            save_checkpoint(checkpoints, course.learners, progress, best, chosen)
            run.event("checkpoint", step=progress.step, best=best)
        machine.accelerator.wait_for_everyone()

    with interrupt() as asked, Ahead(course.materials, steps) as ahead, talk.bar:
        while progress.step < steps:
            place = place_of(progress.step, course.items, recipe)
            phase = phase_at(progress.step, steps, recipe.distil)
            talk.stage(place, phase.name)
            factor = rate_factor(progress.step, steps, recipe.optimiser)
            materials = ahead.take(progress.step)
            try:
                found = update(machine, materials, phase, progress.step, factor, progress.share_scale)
            except FaultError:
                save()
                raise
            update_average(
                course.average, machine.lesson.student, ema_decay(progress.step, recipe.optimiser.ema_decay)
            )
            progress = _after(progress, found, course)
            talk.step(progress, found)

            if place.last:
                best, progress = _finish_epoch(course, progress, place, found, talk)
                save(best)
            elif progress.step % recipe.checkpoint_every_steps == 0:
                save()
            done_here = progress.step - talk.first
            if _anyone(course, asked() or run.is_cancelled() or done_here == stop_after):
                break
    if progress.step < steps:
        run.event("stop", step=progress.step, of=steps)
    save()
    return Outcome(progress.step < steps, progress.step, steps, progress.best)


def measure_memory(recipe: Recipe, data_root: Path, run: RunFolder, cache: Path | None = None) -> Need:
    """The dry step at the largest input of the recipe. Raises FaultError as `train`."""
    course = _prepared(recipe, data_root, run, cache)
    return dry_step(course.machine.lesson, max(recipe.sizes_px))


def _prepared(
    recipe: Recipe, data_root: Path, run: RunFolder, cache: Path | None, going_on: bool = False
) -> Course:
    accelerator = accelerator_of(recipe)
    index = load_index(data_root)
    with tqdm(unit="image", desc="decode", disable=not accelerator.is_main_process) as bar:

        def tick(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)
            if done % 500 == 0:
                run.event("heartbeat", done=done, total=total, unit="image")

        sides = decode(index, recipe, tick)
    course = make_course(recipe, data_root, index, sides, cache or data_root / "cache", accelerator, going_on)
    found = {}
    if recipe.data.hard_negatives_share:
        course = replace(course, hard=hard_negatives(course, lambda: run.event("heartbeat")))
        found["hard_negatives"] = len(course.hard)
    training, validation = len(sides.training), len(sides.validation)
    run.event("data", images=len(index.records), train=training, validation=validation, **found)
    return course


def _finish_epoch(
    course: Course, progress: Progress, place: Place, found: Update, talk: Talk
) -> tuple[bool, Progress]:
    """Validation, figures, curves and samples of an epoch; whether its weights are the best so far.

    Only the first process validates: the others have the same weights and wait at the checkpoint.
    """
    recipe, machine = course.recipe, course.machine
    steps_here = place.batch + 1 if recipe.scaling == "random" else (place.batch + 1) * len(recipe.scales)
    mean_loss = progress.epoch_loss / steps_here
    lowest = progress.lowest_loss
    best = lowest is None or mean_loss < lowest
    progress = replace(progress, epoch_loss=0.0, lowest_loss=mean_loss if best else lowest)
    size_px = recipe.size_px_of(place.epoch)
    dice = progress.best
    if machine.accelerator.is_main_process:
        shown: dict[int, F32] = {}
        samples = set(sample_positions(len(course.sides.validation)))

        def maps() -> Iterator[F32]:
            said = maps_of(
                machine.lesson, course.average, course.sides.validation, size_px, talk.beat, recipe.region
            )
            for position, probability in enumerate(said):
                if position in samples:
                    shown[position] = probability
                yield probability

        dice = evaluate(course.sides.validation, maps()).value("pooled", "dice")
        watch = {}
        if found.watch and course.validation_teaching is not None:
            watch = teachers_watch(
                machine.lesson, course.validation_teaching, course.sides.validation, size_px, recipe.region
            )
        talk.epoch(place, progress, found, mean_loss, dice, watch)
        talk.samples(place, shown)
        for sentence in judge_epoch(found.watch, watch, recipe.distil):
            talk.run.event("warn", text=sentence)
    dice = _of_first(course, dice)
    better = dice > progress.best
    if better:
        progress = replace(progress, best=dice, best_epoch=place.epoch)
    return best if recipe.selection == "train_loss" else better, progress


def _after(progress: Progress, found: Update, course: Course) -> Progress:
    scaler = course.machine.scaler.state_dict()
    return replace(
        progress,
        step=progress.step + 1,
        epoch_loss=progress.epoch_loss + found.loss,
        share_scale=found.share_scale,
        loss_scale=scaler.get("scale"),
        loss_scale_steps=scaler.get("_growth_tracker", 0),
    )


def _set_loss_scale(course: Course, progress: Progress) -> None:
    scaler = course.machine.scaler
    if scaler.is_enabled() and progress.loss_scale is not None:
        state = scaler.state_dict()
        scaler.load_state_dict(
            state | {"scale": progress.loss_scale, "_growth_tracker": progress.loss_scale_steps}
        )


def _anyone(course: Course, wish: bool) -> bool:
    """Whether a process wants to stop: all must, or the others would wait for it."""
    accelerator = course.machine.accelerator
    if accelerator.num_processes == 1:
        return wish
    asked = torch.tensor(float(wish), device=accelerator.device)
    return bool(accelerator.reduce(asked, "sum") > 0)


def _of_first(course: Course, value: float) -> float:
    accelerator = course.machine.accelerator
    if accelerator.num_processes == 1:
        return value
    told = torch.tensor(value if accelerator.is_main_process else 0.0, dtype=torch.float64)
    return float(accelerator.reduce(told.to(accelerator.device), "sum"))
