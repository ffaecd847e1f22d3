"""Each task's student as an ordinary run folder with data of its own: `export` learns nothing new."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from distill.agglomerate.heads import of_task
from distill.agglomerate.tasks import Task
from distill.data.index import INDEX_NAME
from distill.data.splits import TEST, TRAIN, VALIDATION
from distill.recipe import Part, Recipe
from distill.runs import run_json
from distill.train.checkpoint import Learners, Progress, save_checkpoint
from distill.train.start import START, Start
from engine.files.whole import write_json, write_json_lines
from engine.jobs.folder import CHECKPOINTS, RUN_JSON, TASKS
from engine.models.base import Student


def write_task_runs(
    recipe: Recipe,
    average: Student,
    tasks: Sequence[Task],
    data_root: Path,
    run: Path,
    step: int,
    start: Start,
) -> None:
    """run/tasks/NAME: index.jsonl of that task with the sides it was trained by, run.json, the weights."""
    root = data_root.resolve()
    changes: dict[str, Part] = {"data": recipe.data.model_copy(update={"split": "listed"})}
    listed = recipe.model_copy(update=changes)
    for rank, task in enumerate(tasks):
        folder = run / TASKS / task.name
        write_json_lines(folder / INDEX_NAME, _lines(task, root))
        write_json(folder / RUN_JSON, run_json(listed, folder) | {START: start.told()})
        alone = of_task(average, rank).cpu()
        learners = Learners(alone, alone, torch.optim.SGD(alone.parameters()))
        save_checkpoint(folder / CHECKPOINTS, learners, Progress(step=step))


def _lines(task: Task, root: Path) -> list[dict[str, object]]:
    """Paths are absolute: the images stay where they are."""
    return [
        {
            "image": str(root / record.image),
            "mask": None if record.mask is None else str(root / record.mask),
            "set": record.set,
            "group": record.group,
            "task": record.task,
            **({} if record.label is None else {"label": record.label}),
            **({} if record.exif is None else {"exif": record.exif}),
            "split": side,
            "sha256": record.sha256,
            "mask_sha256": record.mask_sha256,
            "width": record.width_px,
            "height": record.height_px,
        }
        for side, records in ((TRAIN, task.train), (VALIDATION, task.validation), (TEST, task.test))
        for record in records
    ]
