"""What a finished run says of itself: Dice of every judged image, size, time, what teachers gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.metrics.measure import Case
from distill.metrics.table import Row
from engine.files.json_reader import read_json
from engine.files.whole import write_json

DICE = "dice"


@dataclass(frozen=True, slots=True)
class Figures:
    """`images` have "dice" by p05_image, and their task as `case.set`; negatives, without Dice, are left out.

    `side` is "validation" or "test"; `seconds` of training without caches; `teachers` as Terms.watch.
    """

    side: str
    images: tuple[Row, ...]
    parameters: int
    seconds: float
    teachers: Mapping[str, float]

    @property
    def dice(self) -> dict[str, float]:
        """Mean over the images of each task, 0..1."""
        tasks = {row.case.set for row in self.images}
        return {
            task: float(np.mean([row.figures[DICE] for row in self.images if row.case.set == task]))
            for task in sorted(tasks)
        }


def write_figures(path: Path, figures: Figures) -> None:
    write_json(
        path,
        {
            "protocol": "p05_image",
            "side": figures.side,
            "dice": figures.dice,
            "parameters": figures.parameters,
            "seconds": figures.seconds,
            "teachers": dict(figures.teachers),
            "images": [
                {
                    "task": row.case.set,
                    "image": row.case.name,
                    "group": row.case.group,
                    DICE: row.figures[DICE],
                }
                for row in figures.images
            ],
        },
    )


def read_figures(path: Path) -> Figures:
    values = read_json(path)
    images = tuple(
        Row(Case(one["image"], one["task"], one["group"]), {DICE: one[DICE]}) for one in values["images"]
    )
    return Figures(values["side"], images, values["parameters"], values["seconds"], values["teachers"])
