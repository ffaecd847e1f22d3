"""What is to be trained on what."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator

from distill.recipe import Recipe
from distill.train.module import TrainingModule
from distill.train.setup import make_optimiser
from distill.train.step import Trainer
from engine.models.base import Student


@dataclass(frozen=True, slots=True)
class Config:
    """`only` one task makes a specialist, "" means all of the index. `cache` holds the teachers' features."""

    recipe: Recipe
    data_root: Path
    cache: Path
    unlabelled: Path | None = None
    only: str = ""
    accept_licence: bool = False


def make_trainer(module: TrainingModule, recipe: Recipe, accelerator: Accelerator) -> tuple[Trainer, Student]:
    """What updates the module, and the average of its student."""
    module = module.to(accelerator.device)
    average = copy.deepcopy(module.student).eval()
    scaler = torch.amp.GradScaler(accelerator.device.type, enabled=recipe.precision == "fp16")
    wrapped = accelerator.prepare_model(module)
    optimiser = make_optimiser(module, recipe.optimiser)
    return Trainer(accelerator, module, wrapped, optimiser, scaler, recipe), average
