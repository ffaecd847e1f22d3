"""Recipes: what a training does, as a TOML in `distill/recipes/`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.faults import FaultCode, FaultError

RECIPES = Path(__file__).parent / "recipes"
Positive = Annotated[float, Field(gt=0)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StudentPart(Part):
    name: str
    args: dict[str, str | int | float] = {}
    pretrained: str  # a file of the data folder's weights/, a path, or hf-hub:...
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class DataPart(Part):
    folds: Annotated[int, Field(ge=2)] = 5
    fold: Annotated[int, Field(ge=0)] = 0
    split_seed: int = 0
    # Groups kept out of training whatever the fold: the sequences of clips that are shown as demonstrations.
    validation_groups: tuple[str, ...] = ()


class Stage(Part):
    """Some epochs at one input size; a multiple of 32."""

    epochs: Annotated[int, Field(ge=1)]
    size_px: Annotated[int, Field(ge=32, multiple_of=32)]


class OptimiserPart(Part):
    rate: Positive = 1e-3
    encoder_rate_factor: Positive = 0.5
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    warm_up_steps: Annotated[int, Field(ge=0)] = 100
    final_rate_factor: Annotated[float, Field(ge=0, le=1)] = 0.02
    clip_norm: Positive = 1.0
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.998


class Recipe(Part):
    """All that decides the weights, next to the data and the code."""

    name: str
    seed: int = 0
    student: StudentPart
    data: DataPart
    stages: tuple[Stage, ...]
    loss: str = "structure_v2"
    batch: Annotated[int, Field(ge=1)] = 16
    precision: Literal["bf16", "float32"] = "bf16"
    threads: Annotated[int, Field(ge=1)] = 2
    checkpoint_every_steps: Annotated[int, Field(ge=1)] = 100
    optimiser: OptimiserPart = OptimiserPart()
    export_size_px: Annotated[int, Field(ge=32, multiple_of=32)] = 352

    @property
    def epochs(self) -> int:
        return sum(stage.epochs for stage in self.stages)

    def size_px_of(self, epoch: int) -> int:
        """Input size of an epoch, counted from 0 over all stages."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage.size_px
            epoch -= stage.epochs
        return self.stages[-1].size_px


def load_recipe(name_or_path: str) -> Recipe:
    """A recipe of `distill/recipes/` by name, or any TOML by path. Raises FaultError ARGUMENT."""
    path = Path(name_or_path) if name_or_path.endswith(".toml") else RECIPES / f"{name_or_path}.toml"
    if not path.is_file():
        names = ", ".join(sorted(found.stem for found in RECIPES.glob("*.toml")))
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a recipe ({names}) or a TOML file",
            got=name_or_path,
            remedy="correct it",
        )
    try:
        return parse_recipe(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise FaultError(
            FaultCode.ARGUMENT, expected=f"{path.name} to be TOML", got=str(error), remedy="correct that line"
        ) from error


def parse_recipe(values: dict[str, Any]) -> Recipe:
    """A recipe from plain values. Raises FaultError ARGUMENT that names every wrong key."""
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise FaultError(
            FaultCode.ARGUMENT, expected="a recipe with known keys", got=wrong, remedy="correct the recipe"
        ) from error
