"""What a finished run says of itself: Dice of every judged image, size, time, what teachers gave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from engine.files import write_json

FIGURES = "figures.json"


@dataclass(frozen=True, slots=True)
class ImageDice:
    """`dice` in 0..1 by the protocol p05_image; images of one `group` may show the same."""

    image: str
    set: str
    group: str
    dice: float


@dataclass(frozen=True, slots=True)
class Figures:
    """`side` is "validation" or "test"; `seconds` of training without caches; `teachers` as Terms.watch."""

    side: str
    tasks: Mapping[str, tuple[ImageDice, ...]]
    parameters: int
    seconds: float
    teachers: Mapping[str, float]

    @property
    def mean(self) -> float:
        """Mean Dice over tasks."""
        return float(np.mean([np.mean([one.dice for one in images]) for images in self.tasks.values()]))


def write_figures(path: Path, figures: Figures) -> None:
    write_json(path, asdict(figures))


def read_figures(path: Path) -> Figures:
    values = json.loads(path.read_text(encoding="utf-8"))
    tasks = {name: tuple(ImageDice(**one) for one in images) for name, images in values.pop("tasks").items()}
    return Figures(tasks=tasks, **values)
