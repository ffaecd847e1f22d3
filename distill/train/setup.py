"""Everything a training needs, made of its recipe: data, networks, teachers, optimiser."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from torch import nn

from distill.data.dataset import Pictures, epoch_items, views_an_image
from distill.data.index import Index
from distill.data.more import training_lists
from distill.data.splits import split_of
from distill.data.unlabelled import Unlabelled
from distill.recipe import OptimiserPart, Recipe
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
from distill.train.checkpoint import Learners
from distill.train.module import TrainingModule
from distill.train.phases import phase_at
from distill.train.schedule import place_of, steps_per_epoch
from distill.train.start import Start, begin_network
from distill.train.step import MicroBatch, Trainer
from distill.train.sync_norm import synchronise
from engine.faults import FaultCode, FaultError


@dataclass(frozen=True, slots=True)
class Datasets:
    """The decoded images, and those that nobody labelled, which are read when they are shown."""

    train: Pictures
    validation: Pictures
    unlabelled: Unlabelled | None = None


@dataclass(frozen=True, slots=True)
class Training:
    """A training that can begin. `validation_teaching` knows the validation side."""

    recipe: Recipe
    datasets: Datasets
    trainer: Trainer
    average: nn.Module
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

    @property
    def learners(self) -> Learners:
        module = self.trainer.module
        return Learners(module.student, self.average, self.trainer.optimiser, module.distiller)

    def micro_batches(self, step: int) -> list[MicroBatch]:
        """This process's share of a step, in the parts of the accumulation; follows from the step alone."""
        recipe, accelerator = self.recipe, self.trainer.accelerator
        place = place_of(step, self.items, recipe)
        order = epoch_items(self.datasets.train, recipe, place.epoch, self.hard)
        chosen = order[place.batch * recipe.batch : (place.batch + 1) * recipe.batch]
        parts = recipe.accumulate * accelerator.num_processes
        wanted = phase_at(step, self.steps, recipe.distil).distil > 0
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


def decode(index: Index, recipe: Recipe, tick: Callable[[int, int], None]) -> Datasets:
    """Both sides of the split, decoded; `tick` hears how many images are done and how many there are.

    Raises FaultError DATA_SET.
    """
    split = split_of(index.records, recipe.data)
    labelled, unlabelled = training_lists(index, split, recipe.data)
    first, total = len(labelled), len(labelled) + len(split.validation)
    validation = [index.records[i] for i in split.validation]
    wanted = recipe.data.unlabelled_ratio > 0
    if wanted and not unlabelled:
        raise FaultError(
            FaultCode.DATA_SET,
            expected="unlabelled images for data.unlabelled_ratio",
            got=f"none among {len(index.all_records)} images",
            remedy="name a folder with some: --more-data DIR, or set that key to 0",
        )
    return Datasets(
        Pictures(index.root, labelled, lambda done: tick(done, total)),
        Pictures(index.root, validation, lambda done: tick(first + done, total)),
        Unlabelled(index.root, unlabelled) if wanted else None,
    )


def make_training(
    recipe: Recipe,
    data_root: Path,
    index: Index,
    datasets: Datasets,
    cache: Path,
    accelerator: Accelerator,
    resuming: bool = False,
) -> Training:
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
    average = copy.deepcopy(student).eval().to(accelerator.device)
    if accelerator.num_processes > 1:
        synchronise(student)
    module = TrainingModule(student, distiller, recipe).to(accelerator.device)
    wrapped = accelerator.prepare_model(module)
    optimiser = make_optimiser(module, recipe.optimiser)
    scaler = torch.amp.GradScaler(accelerator.device.type, enabled=recipe.precision == "fp16")
    trainer = Trainer(accelerator, module, wrapped, optimiser, scaler, recipe)
    views = make_views(datasets.train, datasets.train, recipe, device)
    return Training(
        recipe, datasets, trainer, average, teaching, validation_teaching, views, start, unlabelled=side
    )


def make_optimiser(module: TrainingModule, part: OptimiserPart) -> torch.optim.Optimizer:
    """The encoder at its own rate; the distiller's heads like the decoder."""
    encoder = module.student.encoder_parameters()
    own = {id(parameter) for parameter in encoder}
    decoder = [parameter for parameter in module.student.parameters() if id(parameter) not in own]
    groups = [
        {"params": encoder, "full_rate": part.rate * part.encoder_rate_factor},
        {"params": decoder, "full_rate": part.rate},
    ]
    if module.distiller is not None:
        heads = [parameter for parameter in module.distiller.parameters() if parameter.requires_grad]
        if heads:
            groups.append({"params": heads, "full_rate": part.rate})
    kind = torch.optim.AdamW if part.kind == "adamw" else torch.optim.Adam
    return kind(groups, lr=part.rate, weight_decay=part.weight_decay)
