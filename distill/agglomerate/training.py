"""The training: teachers first, then all tasks at once, then the figures and a run folder a task."""

from __future__ import annotations

import numpy as np
import torch
from accelerate import Accelerator

from distill.agglomerate.config import Config
from distill.agglomerate.figures import Figures, write_figures
from distill.agglomerate.heads import widen
from distill.agglomerate.phases import phase_recipes
from distill.agglomerate.task_phase import judged, task_phase
from distill.agglomerate.task_runs import write_task_runs
from distill.agglomerate.tasks import Task, tasks_of
from distill.agglomerate.teacher_phase import TEACHERS, fill_caches, teacher_phase
from distill.data.index import load_index
from distill.recipe import Recipe
from distill.teaching.gates import plausible_fit
from distill.train.loop import TrainResult, fit, seconds_of
from distill.train.setup import accelerator_of
from distill.train.start import begin_network
from engine.faults import FaultCode, FaultError
from engine.files.json_reader import read_json
from engine.files.whole import write_json
from engine.jobs.events import RunFolder
from engine.jobs.folder import CHECKPOINTS, FIGURES, WATCH, has_states
from engine.models.base import Student


def agglomerate(config: Config, run: RunFolder, stop_after: int | None = None) -> TrainResult:
    """Train into the run folder, from wherever it stands, and judge it.

    `stop_after` so many steps of both phases together it stops as if cancelled. Raises FaultError
    ARGUMENT, DATA_SET, MODEL_MISSING and what teachers raise.
    """
    recipe, folder = config.recipe, run.path
    accelerator = _one_process(recipe)
    teachers, second = phase_recipes(recipe)
    index = load_index(config.data_root)
    everything = tasks_of(index, recipe.data)
    tasks = tasks_of(index, recipe.data, config.only)
    student, start = begin_network(recipe, config.data_root)
    if teachers is not None and not has_states(folder / CHECKPOINTS):
        taught = _teach(config, teachers, everything, student, accelerator, run, stop_after)
        if taught.cancelled:
            return taught
        stop_after = None if stop_after is None else stop_after - taught.done_here
    torch.manual_seed(recipe.seed)
    widen(student, len(tasks))
    # A specialist has its own share of an epoch: as many views of its task as it gets among the others.
    items = sum(len(task.train) for task in everything) * len(tasks) // len(everything)
    training = task_phase(config, second, tasks, student, accelerator, run, items)
    result = fit(training, run, training.has_begun, stop_after)
    if result.cancelled:
        return result
    watch, average = folder / TEACHERS / WATCH, training.trainer.average
    figures = Figures(
        side=tasks[0].judged,
        images=judged(training.trainer, tasks, config.data_root),
        parameters=sum(parameter.numel() for parameter in average.parameters()),
        seconds=seconds_of(folder / TEACHERS) + seconds_of(folder),
        teachers=read_json(watch) if watch.is_file() else {},
    )
    write_task_runs(recipe, average, tasks, config.data_root, folder, result.step, start)
    write_figures(folder / FIGURES, figures)
    return result._replace(best=float(np.mean(list(figures.dice.values()))))


def _teach(
    config: Config,
    recipe: Recipe,
    tasks: tuple[Task, ...],
    student: Student,
    accelerator: Accelerator,
    run: RunFolder,
    stop_after: int | None,
) -> TrainResult:
    """The first phase; the student leaves it with the averaged weights."""
    if not fill_caches(config, tasks, run):
        return TrainResult(True, 0, 0, -1.0)
    torch.manual_seed(config.recipe.seed)  # whether teachers were built just now, or not
    phase = teacher_phase(config, recipe, tasks, student, accelerator, run)
    result = fit(phase.training, run, phase.training.has_begun, stop_after)
    if result.cancelled:
        return result
    explained = phase.explained()
    verdict = plausible_fit(explained)
    if not verdict.passed:
        run.event("warn", text=verdict.sentence)
    write_json(run.path / TEACHERS / WATCH, explained)
    student.load_state_dict(phase.training.trainer.average.state_dict())
    return result


def _one_process(recipe: Recipe) -> Accelerator:
    accelerator = accelerator_of(recipe)
    if accelerator.num_processes > 1:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="one process",
            got=f"{accelerator.num_processes}",
            remedy="start agglomerate without accelerate launch; `train` knows many",
        )
    return accelerator
