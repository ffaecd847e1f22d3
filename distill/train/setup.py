"""Everything a training needs, made of its recipe: data, networks, teachers, optimiser."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs

from distill.data.dataset import epoch_items, views_an_image
from distill.data.decoded import Datasets
from distill.recipe import Recipe
from distill.teaching.targets import Teaching
from distill.train.batches import (
    AFTER_ALL_EPOCHS,
    UnlabelledSide,
    Views,
    make_views,
    plain,
    taught,
    without_masks,
)
from distill.train.module import TrainingModule
from distill.train.phases import Phase, phase_at
from distill.train.schedule import place_of, steps_per_epoch
from distill.train.start import Start, begin_network
from distill.train.step import MicroBatch, Trainer, make_trainer
from engine.faults import FaultCode, FaultError


@dataclass(frozen=True, slots=True)
class Setup:
    """What a recipe asks for, made. `validation_teaching` knows the validation side."""

    recipe: Recipe
    datasets: Datasets
    trainer: Trainer
    teaching: Teaching | None
    validation_teaching: Teaching | None
    views: Views
    start: Start  # what the student's first weights are
    unlabelled: UnlabelledSide | None = None
    hard: tuple[int, ...] = ()  # positions of the hard negatives

    @property
    def items(self) -> int:
        """What an epoch shows."""
        return len(self.datasets.train) * views_an_image(self.recipe)

    @property
    def steps(self) -> int:
        return self.recipe.epochs * steps_per_epoch(self.items, self.recipe)

    def phase_at(self, step: int) -> Phase:
        return phase_at(step, self.steps, self.recipe.distil)

    def micro_batches(self, step: int) -> list[MicroBatch]:
        """This process's share of a step, in the parts of the accumulation; follows from the step alone."""
        recipe, accelerator = self.recipe, self.trainer.accelerator
        place = place_of(step, self.items, recipe)
        order = epoch_items(self.datasets.train, recipe, place.epoch, self.hard)
        chosen = order[place.batch * recipe.batch : (place.batch + 1) * recipe.batch]
        parts = recipe.accumulate * accelerator.num_processes
        wanted = self.phase_at(step).distil > 0
        made = []
        for part in range(accelerator.process_index * recipe.accumulate, parts)[: recipe.accumulate]:
            items = chosen[part::parts].tolist()
            batch = self.views(items, place.size_px, place.epoch)
            if not wanted or self.teaching is None:
                made.append(plain(batch, accelerator.device))
                continue
            side, more = self.unlabelled, None
            if side is not None and (others := side.items(recipe, step, part, parts)):
                more = side.views(others, place.size_px, AFTER_ALL_EPOCHS + step)
            made.append(taught(batch, self.teaching, more, side, accelerator.device))
        return made


def accelerator_of(recipe: Recipe) -> Accelerator:
    """The processes and the device; torch made ready.

    Raises FaultError ARGUMENT when the batch cannot be shared out evenly.
    """
    # A frozen encoder and a distillation that has not begun leave parameters without gradient; the
    # statistics of BatchNorm are synchronised where they are made.
    ddp = DistributedDataParallelKwargs(find_unused_parameters=True, broadcast_buffers=False)
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), kwargs_handlers=[ddp])
    parts = recipe.accumulate * accelerator.num_processes
    if recipe.batch % parts:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a batch for {accelerator.num_processes} processes x {recipe.accumulate} parts",
            got=str(recipe.batch),
            remedy=f"set batch to a multiple of {parts}",
        )
    if accelerator.device.type == "cpu":
        torch.set_num_threads(recipe.threads)
    else:
        torch.use_deterministic_algorithms(True, warn_only=True)
    torch.manual_seed(recipe.seed)
    cv2.setNumThreads(1)
    return accelerator


def set_up(
    recipe: Recipe,
    data_root: Path,
    datasets: Datasets,
    cache: Path,
    accelerator: Accelerator,
    resuming: bool = False,
) -> Setup:
    """Networks, teachers and optimiser.

    Raises FaultError ARGUMENT, DATA_SET, MODEL_MISSING and what teachers raise.
    """
    student, start = begin_network(recipe, data_root, resuming)
    teaching = validation_teaching = distiller = side = None
    device = accelerator.device
    if recipe.distil.teachers:
        # Only here: teachers bring packages that a training without them does without.
        from distill.train.teachers import make_distiller, make_teachings

        teaching, validation_teaching, of_unlabelled = make_teachings(
            recipe, data_root, datasets, cache, accelerator
        )
        if datasets.unlabelled is not None and of_unlabelled is not None:
            views = make_views(datasets.unlabelled, datasets.train, without_masks(recipe), device)
            side = UnlabelledSide(datasets.unlabelled, views, of_unlabelled)
        distiller = make_distiller(recipe.distil, student, teaching)
    trainer = make_trainer(TrainingModule(student, distiller, recipe), recipe, accelerator)
    views = make_views(datasets.train, datasets.train, recipe, device)
    return Setup(recipe, datasets, trainer, teaching, validation_teaching, views, start, unlabelled=side)
