"""The training loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tqdm import tqdm

from distill.data.index import load_index
from distill.data.more import with_more
from distill.judging.evaluate import evaluate
from distill.recipe import Recipe, scaled_px
from distill.train.checkpoint import Progress, load_checkpoint, save_checkpoint, update_average
from distill.train.guard import judge_epoch, refuse_early
from distill.train.hard_negatives import hard_negatives
from distill.train.logger import RunLogger
from distill.train.memory import Need, dry_step
from distill.train.phases import phase_at
from distill.train.prefetch import Prefetch
from distill.train.report import sample_positions
from distill.train.resume import can_resume, warner
from distill.train.schedule import Place, ema_decay, place_of, rate_factor
from distill.train.setup import Training, accelerator_of, decode, make_training
from distill.train.start import note_start
from distill.train.step import StepResult, train_step
from distill.train.validate import maps_of, teachers_watch
from engine.faults import FaultError
from engine.jobs.events import RunFolder
from engine.jobs.folder import CHECKPOINTS, shared_folder
from engine.jobs.interrupt import interrupt
from engine.types import F32


@dataclass(frozen=True, slots=True)
class TrainResult:
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
    more: Sequence[Path] = (),
) -> TrainResult:
    """Train into the run folder, or go on where its checkpoint stands.

    `stop_after` steps it stops as if cancelled. `cache` is the folder of the teachers' features, `more` are
    further data folders (`distill.data.more`). Every process of `accelerate launch` calls this; the first one
    writes checkpoints and pictures. Raises FaultError DATA_SET, ARGUMENT, MODEL_MISSING; a loss that is not
    finite leaves a checkpoint of the state before it.
    """
    checkpoints = shared_folder(run.path) / CHECKPOINTS
    resuming = resume and can_resume(run, checkpoints)
    training = _prepared(recipe, data_root, run, cache, more, resuming)
    trainer, steps = training.trainer, training.steps
    first_process = trainer.accelerator.is_main_process
    tell = warner(run)
    progress = load_checkpoint(checkpoints, training.learners, tell) if resuming else Progress()
    _set_loss_scale(training, progress)
    if not resuming and first_process:
        note_start(run.path, training.start)
    if not resuming:
        sizes = scaled_px(recipe.size_px_of(0), recipe.scales[0])
        refuse_early(
            trainer.module,
            training.validation_teaching,
            training.datasets.train,
            training.datasets.validation,
            sizes,
        )
    logger = RunLogger(run, training, progress.step)

    def save(best: bool = False) -> None:
        if first_process:
            chosen = recipe.selection != "last"
            save_checkpoint(checkpoints, training.learners, progress, best, chosen)
            run.event("checkpoint", step=progress.step, best=best)
        trainer.accelerator.wait_for_everyone()

    with interrupt() as asked, Prefetch(training.micro_batches, steps) as prefetched, logger.bar:
        while progress.step < steps:
            place = place_of(progress.step, training.items, recipe)
            phase = phase_at(progress.step, steps, recipe.distil)
            logger.stage(place, phase.name)
            factor = rate_factor(progress.step, steps, recipe.optimiser)
            micro_batches = prefetched.take(progress.step)
            try:
                found = train_step(trainer, micro_batches, phase, progress.step, factor, progress.share_scale)
            except FaultError:
                save()
                raise
            update_average(
                training.average, trainer.module.student, ema_decay(progress.step, recipe.optimiser.ema_decay)
            )
            progress = _after(progress, found, training)
            logger.step(progress, found)

            if place.last:
                best, progress = _finish_epoch(training, progress, place, found, logger)
                save(best)
            elif progress.step % recipe.checkpoint_every_steps == 0:
                save()
            done_here = progress.step - logger.first
            if _anyone(training, asked() or run.is_cancelled() or done_here == stop_after):
                break
    if progress.step < steps:
        run.event("stop", step=progress.step, of=steps)
    save()
    return TrainResult(progress.step < steps, progress.step, steps, progress.best)


def measure_memory(
    recipe: Recipe, data_root: Path, run: RunFolder, cache: Path | None = None, more: Sequence[Path] = ()
) -> Need:
    """The dry step at the largest input of the recipe. Raises FaultError as `train`."""
    training = _prepared(recipe, data_root, run, cache, more)
    return dry_step(training.trainer.module, max(recipe.sizes_px))


def _prepared(
    recipe: Recipe,
    data_root: Path,
    run: RunFolder,
    cache: Path | None,
    more: Sequence[Path],
    resuming: bool = False,
) -> Training:
    accelerator = accelerator_of(recipe)
    index = with_more(load_index(data_root), more)
    with tqdm(unit="image", desc="decode", disable=not accelerator.is_main_process) as bar:

        def tick(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)
            if done % 500 == 0:
                run.event("heartbeat", done=done, total=total, unit="image")

        datasets = decode(index, recipe, tick)
    training = make_training(
        recipe, data_root, index, datasets, cache or data_root / "cache", accelerator, resuming
    )
    found = {}
    if recipe.data.hard_negatives_share:
        training = replace(training, hard=hard_negatives(training, lambda: run.event("heartbeat")))
        found["hard_negatives"] = len(training.hard)
    known = {"train": len(datasets.train), "validation": len(datasets.validation)}
    if datasets.unlabelled is not None:
        found["unlabelled"] = len(datasets.unlabelled)
    run.event("data", images=len(index.all_records), **known, **found)
    return training


def _finish_epoch(
    training: Training, progress: Progress, place: Place, found: StepResult, logger: RunLogger
) -> tuple[bool, Progress]:
    """Validation, figures, curves and samples of an epoch; whether its weights are the best so far.

    Only the first process validates: the others have the same weights and wait at the checkpoint.
    """
    recipe, trainer = training.recipe, training.trainer
    steps_here = place.batch + 1 if recipe.scaling == "random" else (place.batch + 1) * len(recipe.scales)
    mean_loss = progress.epoch_loss / steps_here
    lowest = progress.lowest_loss
    best = lowest is None or mean_loss < lowest
    progress = replace(progress, epoch_loss=0.0, lowest_loss=mean_loss if best else lowest)
    size_px = recipe.size_px_of(place.epoch)
    dice = progress.best
    if trainer.accelerator.is_main_process:
        shown: dict[int, F32] = {}
        samples = set(sample_positions(len(training.datasets.validation)))

        def maps() -> Iterator[F32]:
            found_maps = maps_of(
                trainer.module,
                training.average,
                training.datasets.validation,
                size_px,
                logger.beat,
                recipe.region,
            )
            for position, probability in enumerate(found_maps):
                if position in samples:
                    shown[position] = probability
                yield probability

        dice = evaluate(training.datasets.validation, maps()).value("pooled", "dice")
        watch = {}
        if found.watch and training.validation_teaching is not None:
            watch = teachers_watch(
                trainer.module,
                training.validation_teaching,
                training.datasets.validation,
                size_px,
                recipe.region,
            )
        logger.epoch(place, progress, found, mean_loss, dice, watch)
        logger.samples(place, shown)
        for sentence in judge_epoch(found.watch, watch, recipe.distil):
            logger.run.event("warn", text=sentence)
    dice = _of_first(training, dice)
    better = dice > progress.best
    if better:
        progress = replace(progress, best=dice, best_epoch=place.epoch)
    return best if recipe.selection == "train_loss" else better, progress


def _after(progress: Progress, found: StepResult, training: Training) -> Progress:
    scaler = training.trainer.scaler.state_dict()
    return replace(
        progress,
        step=progress.step + 1,
        epoch_loss=progress.epoch_loss + found.loss,
        share_scale=found.share_scale,
        loss_scale=scaler.get("scale"),
        loss_scale_steps=scaler.get("_growth_tracker", 0),
    )


def _set_loss_scale(training: Training, progress: Progress) -> None:
    scaler = training.trainer.scaler
    if scaler.is_enabled() and progress.loss_scale is not None:
        state = scaler.state_dict()
        scaler.load_state_dict(
            state | {"scale": progress.loss_scale, "_growth_tracker": progress.loss_scale_steps}
        )


def _anyone(training: Training, wish: bool) -> bool:
    """Whether a process wants to stop: all must, or the others would wait for it."""
    accelerator = training.trainer.accelerator
    if accelerator.num_processes == 1:
        return wish
    asked = torch.tensor(float(wish), device=accelerator.device)
    return bool(accelerator.reduce(asked, "sum") > 0)


def _of_first(training: Training, value: float) -> float:
    accelerator = training.trainer.accelerator
    if accelerator.num_processes == 1:
        return value
    told = torch.tensor(value if accelerator.is_main_process else 0.0, dtype=torch.float64)
    return float(accelerator.reduce(told.to(accelerator.device), "sum"))
