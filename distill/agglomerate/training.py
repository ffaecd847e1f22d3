"""The training: teachers first, then all tasks at once, then the figures and a run folder a task."""

from __future__ import annotations

import numpy as np
import torch
from accelerate import Accelerator

from distill.agglomerate.config import Config
from distill.agglomerate.figures import Figures, write_figures
from distill.agglomerate.fit import Session, follow, has_begun, seconds_of
from distill.agglomerate.heads import widen
from distill.agglomerate.phases import phase_recipes
from distill.agglomerate.task_phase import judged, task_phase
from distill.agglomerate.task_runs import write_task_runs
from distill.agglomerate.tasks import Task, tasks_of
from distill.agglomerate.teacher_phase import TEACHERS, fill_caches, teacher_phase
from distill.data.index import load_index
from distill.recipe import Recipe
from distill.teaching.gates import plausible_fit
from distill.train.loop import TrainResult
from distill.train.setup import accelerator_of
from distill.train.start import begin_network
from engine.faults import FaultCode, FaultError
from engine.files.json_reader import read_json
from engine.files.whole import write_json
from engine.jobs.folder import FIGURES, WATCH
from engine.models.base import Student


def agglomerate(config: Config, session: Session) -> TrainResult:
    """Train into the session's run folder, from wherever it stands, and judge it.

    Raises FaultError ARGUMENT, DATA_SET, MODEL_MISSING and what teachers raise.
    """
    recipe, run = config.recipe, session.run.path
    accelerator = _one_process(recipe)
    teachers, second = phase_recipes(recipe)
    index = load_index(config.data_root)
    everything = tasks_of(index, recipe.data)
    tasks = tasks_of(index, recipe.data, config.only)
    student, start = begin_network(recipe, config.data_root)
    if teachers is not None and not has_begun(run):
        result = _teach(config, teachers, everything, student, accelerator, session)
        if result.cancelled:
            return result
    torch.manual_seed(recipe.seed)
    widen(student, len(tasks))
    # A specialist has its own share of an epoch: as many views of its task as it gets among the others.
    items = sum(len(task.train) for task in everything) * len(tasks) // len(everything)
    training = task_phase(config, second, tasks, student, accelerator, session, items)
    progress = follow(training, session)
    if progress.step < training.steps:
        return TrainResult(True, progress.step, training.steps, -1.0)
    watch = run / TEACHERS / WATCH
    figures = Figures(
        side=tasks[0].judged,
        images=judged(training, tasks, config.data_root),
        parameters=sum(parameter.numel() for parameter in training.average.parameters()),
        seconds=seconds_of(run / TEACHERS) + seconds_of(run),
        teachers=read_json(watch) if watch.is_file() else {},
    )
    write_task_runs(recipe, training.average, tasks, config.data_root, run, progress.step, start)
    write_figures(run / FIGURES, figures)
    return TrainResult(False, progress.step, training.steps, float(np.mean(list(figures.dice.values()))))


def _teach(
    config: Config,
    recipe: Recipe,
    tasks: tuple[Task, ...],
    student: Student,
    accelerator: Accelerator,
    session: Session,
) -> TrainResult:
    """The first part; the student leaves it with the averaged weights."""
    run = session.run
    if not fill_caches(config, tasks, run):
        return TrainResult(True, 0, 0, -1.0)
    torch.manual_seed(config.recipe.seed)  # whether teachers were built just now, or not
    part = teacher_phase(config, recipe, tasks, student, accelerator, session)
    progress = follow(part.training, session)
    if progress.step < part.training.steps:
        return TrainResult(True, progress.step, part.training.steps, -1.0)
    explained = part.explained()
    verdict = plausible_fit(explained)
    if not verdict.passed:
        run.event("warn", text=f"Gate {verdict.gate}: {verdict.got} instead of {verdict.expected}.")
    write_json(run.path / TEACHERS / WATCH, explained)
    student.load_state_dict(part.training.average.state_dict())
    return TrainResult(False, progress.step, part.training.steps, -1.0)


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
