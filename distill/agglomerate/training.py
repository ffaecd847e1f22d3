"""The training: teachers first, then all tasks at once, then the figures and a run folder a task."""

from __future__ import annotations

import numpy as np
import torch
from accelerate import Accelerator

from distill.agglomerate.course import Sitting, follow, has_begun, seconds_of
from distill.agglomerate.figures import Figures, write_figures
from distill.agglomerate.heads import widen
from distill.agglomerate.learning import judged, lessons
from distill.agglomerate.order import Order
from distill.agglomerate.parts import parts_of
from distill.agglomerate.task_runs import write_task_runs
from distill.agglomerate.tasks import Task, tasks_of
from distill.agglomerate.teaching import TEACHERS, fill_caches, lectures
from distill.data.index import load_index
from distill.recipe import Recipe
from distill.teaching.gates import plausible_fit
from distill.train.loop import Outcome
from distill.train.setup import accelerator_of
from distill.train.start import begin_network
from engine.faults import FaultCode, FaultError
from engine.files.json_reader import read_json
from engine.files.whole import write_json
from engine.jobs.folder import FIGURES, WATCH
from engine.models.base import Student


def agglomerate(order: Order, sitting: Sitting) -> Outcome:
    """Train into the sitting's run folder, from wherever it stands, and judge it.

    Raises FaultError ARGUMENT, DATA_SET, MODEL_MISSING and what teachers raise.
    """
    recipe, run = order.recipe, sitting.run.path
    accelerator = _one_process(recipe)
    teachers, second = parts_of(recipe)
    index = load_index(order.data_root)
    everything = tasks_of(index, recipe.data)
    tasks = tasks_of(index, recipe.data, order.only)
    student, start = begin_network(recipe, order.data_root)
    if teachers is not None and not has_begun(run):
        outcome = _teach(order, teachers, everything, student, accelerator, sitting)
        if outcome.cancelled:
            return outcome
    torch.manual_seed(recipe.seed)
    widen(student, len(tasks))
    # A specialist has its own share of an epoch: as many views of its task as it gets among the others.
    items = sum(len(task.train) for task in everything) * len(tasks) // len(everything)
    course = lessons(order, second, tasks, student, accelerator, sitting, items)
    progress = follow(course, sitting)
    if progress.step < course.steps:
        return Outcome(True, progress.step, course.steps, -1.0)
    watch = run / TEACHERS / WATCH
    figures = Figures(
        side=tasks[0].judged,
        images=judged(course, tasks, order.data_root),
        parameters=sum(parameter.numel() for parameter in course.average.parameters()),
        seconds=seconds_of(run / TEACHERS) + seconds_of(run),
        teachers=read_json(watch) if watch.is_file() else {},
    )
    write_task_runs(recipe, course.average, tasks, order.data_root, run, progress.step, start)
    write_figures(run / FIGURES, figures)
    return Outcome(False, progress.step, course.steps, float(np.mean(list(figures.dice.values()))))


def _teach(
    order: Order,
    recipe: Recipe,
    tasks: tuple[Task, ...],
    student: Student,
    accelerator: Accelerator,
    sitting: Sitting,
) -> Outcome:
    """The first part; the student leaves it with the averaged weights."""
    run = sitting.run
    if not fill_caches(order, tasks, run):
        return Outcome(True, 0, 0, -1.0)
    torch.manual_seed(order.recipe.seed)  # whether teachers were built just now, or not
    part = lectures(order, recipe, tasks, student, accelerator, sitting)
    progress = follow(part.course, sitting)
    if progress.step < part.course.steps:
        return Outcome(True, progress.step, part.course.steps, -1.0)
    explained = part.explained()
    verdict = plausible_fit(explained)
    if not verdict.passed:
        run.event("warn", text=f"Gate {verdict.gate}: {verdict.got} instead of {verdict.expected}.")
    write_json(run.path / TEACHERS / WATCH, explained)
    student.load_state_dict(part.course.average.state_dict())
    return Outcome(False, progress.step, part.course.steps, -1.0)


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
