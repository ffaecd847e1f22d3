"""What is to be trained on what."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator

from distill.recipe import Recipe
from distill.train.lesson import Lesson
from distill.train.setup import make_optimiser
from distill.train.step import Machine
from engine.models.base import Student


@dataclass(frozen=True, slots=True)
class Order:
    """`only` one task makes a specialist, "" means all of the index. `cache` holds the teachers' features."""

    recipe: Recipe
    data_root: Path
    cache: Path
    unlabelled: Path | None = None
    only: str = ""
    accept_licence: bool = False


def machine_of(lesson: Lesson, recipe: Recipe, accelerator: Accelerator) -> tuple[Machine, Student]:
    """What updates the lesson, and the average of its student."""
    lesson = lesson.to(accelerator.device)
    average = copy.deepcopy(lesson.student).eval()
    scaler = torch.amp.GradScaler(accelerator.device.type, enabled=recipe.precision == "fp16")
    wrapped = accelerator.prepare_model(lesson)
    optimiser = make_optimiser(lesson, recipe.optimiser)
    return Machine(accelerator, lesson, wrapped, optimiser, scaler, recipe), average
