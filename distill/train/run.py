"""`train`: a recipe is made ready, trained in its run folder and judged at the end of every epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from distill.data.decoded import decode
from distill.data.index import load_index
from distill.data.more import with_more
from distill.metrics.evaluate import evaluate
from distill.recipe import Recipe, scaled_px
from distill.train.guard import judge_epoch, refuse_bound, refuse_early
from distill.train.hard_negatives import hard_negatives
from distill.train.logger import RunLogger
from distill.train.loop import EpochEnd, Training, TrainResult, fit
from distill.train.memory import Need, dry_step
from distill.train.report import contact_sheet, sample_positions, teacher_pictures
from distill.train.resume import can_resume
from distill.train.setup import Setup, accelerator_of, set_up
from distill.train.start import note_start
from distill.train.validate import maps_of, teachers_watch
from engine.jobs.events import RunFolder
from engine.jobs.folder import CHECKPOINTS, shared_folder
from engine.jobs.interrupt import interrupt
from engine.types import F32


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
    folder = shared_folder(run.path)
    resuming = resume and can_resume(run, folder / CHECKPOINTS)
    setup = _prepared(recipe, data_root, run, cache, more, resuming)
    if not resuming:
        if setup.trainer.accelerator.is_main_process:
            note_start(run.path, setup.start)
        size_px = scaled_px(recipe.size_px_of(0), recipe.scales[0])
        train, validation = setup.datasets.train, setup.datasets.validation
        refuse_early(setup.trainer.module, setup.validation_teaching, train, validation, size_px)
        refuse_bound(setup.trainer.module, recipe.student, validation, size_px)

    def epoch_ended(end: EpochEnd, logger: RunLogger) -> float:
        return _judge(setup, end, logger)

    training = Training(setup.trainer, folder, setup.items, setup.micro_batches, setup.phase_at, epoch_ended)
    with interrupt() as asked:
        return fit(training, run, resuming, stop_after, asked)


def measure_memory(
    recipe: Recipe, data_root: Path, run: RunFolder, cache: Path | None = None, more: Sequence[Path] = ()
) -> Need:
    """The dry step at the largest input of the recipe. Raises FaultError as `train`."""
    setup = _prepared(recipe, data_root, run, cache, more)
    return dry_step(setup.trainer.module, max(recipe.sizes_px))


def _prepared(
    recipe: Recipe,
    data_root: Path,
    run: RunFolder,
    cache: Path | None,
    more: Sequence[Path],
    resuming: bool = False,
) -> Setup:
    accelerator = accelerator_of(recipe)
    index = with_more(load_index(data_root), more)
    with tqdm(unit="image", desc="decode", disable=not accelerator.is_main_process) as bar:

        def tick(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)
            if done % 500 == 0:
                run.event("heartbeat", done=done, total=total, unit="image")
            if accelerator.num_processes == 1 and run.is_cancelled():  # of several, the others would wait
                raise KeyboardInterrupt  # there is nothing to save yet

        datasets = decode(index, recipe.data, tick)
    setup = set_up(recipe, data_root, datasets, cache or data_root / "cache", accelerator, resuming)
    found = {}
    if recipe.data.hard_negatives_share:
        setup = replace(setup, hard=hard_negatives(setup, lambda: run.event("heartbeat")))
        found["hard_negatives"] = len(setup.hard)
    known = {"train": len(datasets.train), "validation": len(datasets.validation)}
    if datasets.unlabelled is not None:
        found["unlabelled"] = len(datasets.unlabelled)
    run.event("data", images=len(index.all_records), **known, **found)
    return setup


def _judge(setup: Setup, end: EpochEnd, logger: RunLogger) -> float:
    """Validation, figures, curves and samples of an epoch: the pooled Dice of the averaged weights."""
    recipe, trainer, validation = setup.recipe, setup.trainer, setup.datasets.validation
    size_px = recipe.size_px_of(end.place.epoch)
    wanted = set(sample_positions(len(validation)))
    samples: dict[int, F32] = {}

    def maps() -> Iterator[F32]:
        found = maps_of(trainer.module, trainer.average, validation, size_px, logger.beat, recipe.region)
        for position, probability in enumerate(found):
            if position in wanted:
                samples[position] = probability
            yield probability

    dice = evaluate(validation, maps()).value("pooled", "dice")
    teaching, watch = setup.validation_teaching, {}
    if end.found.watch and teaching is not None:
        watch = teachers_watch(trainer.module, teaching, validation, size_px, recipe.region)
    logger.epoch(end.place, end.progress, end.found, end.mean_loss, dice, watch)
    teachers = {} if teaching is None else teacher_pictures(teaching, list(samples))
    logger.samples(end.place, contact_sheet(validation, samples, teachers))
    for sentence in judge_epoch(end.found.watch, watch, recipe.distil):
        logger.run.event("warn", text=sentence)
    return dice
