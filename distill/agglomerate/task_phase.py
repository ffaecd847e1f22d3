"""The second part: all tasks at once, every batch with images of each."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator

from distill.agglomerate.config import Config
from distill.agglomerate.figures import DICE
from distill.agglomerate.heads import OneTask, TaskModule, mask_of_task
from distill.agglomerate.sampler import places
from distill.agglomerate.tasks import Task
from distill.data.dataset import Donors, Pictures, epoch_items, training_batch
from distill.metrics.image import dice_iou
from distill.metrics.measure import Case
from distill.metrics.pixels import at_native_size
from distill.metrics.table import Row
from distill.recipe import Recipe
from distill.train.logger import RunLogger
from distill.train.loop import EpochEnd, Training
from distill.train.phases import Phase
from distill.train.schedule import place_of
from distill.train.step import MicroBatch, Trainer, make_trainer
from distill.train.validate import maps_of
from engine.faults import FaultCode, FaultError
from engine.jobs.events import RunFolder
from engine.models.base import Student

TASKS = "tasks"
PHASE = Phase(TASKS, segmentation=1.0, distil=0.0, frozen=False)


class TaskDataset:
    """The training images of one task, and the views they are seen in: the same whoever else is taught."""

    def __init__(self, task: Task, root: Path, recipe: Recipe) -> None:
        self._pictures = Pictures(root, task.train)
        self._donors = Donors(self._pictures)
        # Tasks are not to see the same sequence of turns and lights.
        seed = recipe.seed * 1_000_003 + zlib.crc32(task.name.encode())
        self._recipe = recipe.model_copy(update={"seed": seed})

    def views(self, draws: Sequence[int], size_px: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """(image [b, 3, S, S], mask [b, 1, S, S]) of the draws, numbered over the whole training.

        The task has epochs of its own: a small one begins again while a large one is not through.
        """
        a_epoch = len(epoch_items(self._pictures, self._recipe, 0))
        by_epoch: dict[int, list[int]] = defaultdict(list)
        for draw in draws:
            by_epoch[draw // a_epoch].append(draw % a_epoch)
        for epoch, ranks in by_epoch.items():
            chosen = epoch_items(self._pictures, self._recipe, epoch)[ranks].tolist()
            batch = training_batch(self._pictures, chosen, size_px, self._recipe, epoch, self._donors)
            yield batch.image, batch.mask


def task_phase(
    config: Config,
    recipe: Recipe,
    tasks: Sequence[Task],
    student: Student,
    accelerator: Accelerator,
    run: RunFolder,
    items: int,
) -> Training:
    """The part for a student that is wide already; `items` is what an epoch shows, over all tasks."""
    root = config.data_root
    datasets = [TaskDataset(task, root, recipe) for task in tasks]
    validation = [Pictures(root, task.validation) for task in tasks]
    trainer = make_trainer(TaskModule(student, recipe), recipe, accelerator)
    batches_an_epoch = max(1, items // recipe.batch)

    def micro_batches(step: int) -> list[MicroBatch]:
        place = place_of(step, items, recipe)
        dealt = list(places(place.epoch * batches_an_epoch + place.batch, recipe.batch, len(tasks)))
        return [
            _micro_batch(dealt[part :: recipe.accumulate], datasets, place.size_px, accelerator.device)
            for part in range(recipe.accumulate)
        ]

    def epoch_ended(end: EpochEnd, logger: RunLogger) -> None:
        size_px = recipe.size_px_of(end.place.epoch)
        dice = {
            task.name: float(np.mean(dices(trainer, rank, pictures, size_px)))
            for rank, (task, pictures) in enumerate(zip(tasks, validation, strict=True))
            if len(pictures)
        }
        run.event("epoch", epoch=end.place.epoch, losses=end.found.parts, dice=dice, **logger.part)

    return Training(trainer, run.path, items, micro_batches, lambda step: PHASE, epoch_ended, TASKS)


def judged(trainer: Trainer, tasks: Sequence[Task], root: Path) -> tuple[Row, ...]:
    """Dice (`p05_image`) of every judged image that shows something, by the averaged student.

    At the size of its export. Raises FaultError DATA_SET when a task has no such image.
    """
    found = []
    for rank, task in enumerate(tasks):
        pictures = Pictures(root, task.judged_records)
        if not any(mask.any() for mask in pictures.masks):
            raise FaultError(
                FaultCode.DATA_SET,
                expected=f"{task.judged} images of {task.name} with something in their masks",
                got=f"none in {len(pictures)}",
                remedy="change data.fold or data.folds, or check the masks",
            )
        each = dices(trainer, rank, pictures, trainer.recipe.export_size_px)
        found += [
            Row(Case(f"{task.name}/{record.image}", task.name, record.group), {DICE: dice})
            for record, mask, dice in zip(pictures.records, pictures.masks, each, strict=True)
            if mask.any()
        ]
    return tuple(found)


def dices(trainer: Trainer, rank: int, pictures: Pictures, size_px: int) -> list[float]:
    """Of every picture in order, by the averaged student's head of that task."""
    maps = maps_of(trainer.module, OneTask(trainer.average, rank), pictures, size_px, lambda: None)
    return [
        dice_iou(at_native_size(probability, mask) > 0.5, mask)[0]
        for probability, mask in zip(maps, pictures.masks, strict=True)
    ]


def _micro_batch(
    dealt: Sequence[tuple[int, int]], datasets: Sequence[TaskDataset], size_px: int, device: torch.device
) -> MicroBatch:
    images, masks = [], []
    for rank, dataset in enumerate(datasets):
        draws = [draw for task, draw in dealt if task == rank]
        for image, mask in dataset.views(draws, size_px):
            images.append(image)
            masks.append(mask_of_task(mask, rank, len(datasets)))
    return MicroBatch(torch.cat(images).to(device), torch.cat(masks).to(device), None)
