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


class TeacherPart(Part):
    """One teacher. `name` is a key of TEACHERS, or "timm:ENCODER", "task:MODEL FOLDER"."""

    name: str
    weights: str = ""  # a file; empty: the hub's
    size_px: Annotated[int, Field(ge=0)] = 0  # of its input; 0: its own
    members: tuple[str, ...] = ()  # of an ensemble: model folders
    mask_share: Annotated[float, Field(ge=0, le=0.5)] = 0.0  # of its soft masks in the segmentation target


class DistilPart(Part):
    """What is learned from teachers, next to the masks; no teachers: the control."""

    teachers: tuple[TeacherPart, ...] = ()
    projector: Literal["student", "teacher_frozen", "teacher_trainable"] = "student"
    standardise: Literal["none", "phi_s"] = "phi_s"
    pca_channels: Annotated[int, Field(ge=0)] = 0  # 0: all of them
    split: Literal["none", "fft_radial", "fft_square_nb", "dct"] = "none"
    grid_px: Annotated[int, Field(ge=0)] = 0  # common grid of the targets; 0: that of the student's map
    low_map: str = ""  # the student's map for the low band, or for everything; empty: stride 16
    high_map: str = ""  # for the high band; empty: stride 8
    loss: str = "cosine_l1"  # a key of FEATURE_LOSSES
    balance: Literal["fixed", "uncertainty", "mlp", "attention", "teacher_drop"] = "fixed"
    guarded: bool = True  # the guards of mlp and attention
    # The share of the encoder's gradient that the feature terms may have of the segmentation's; 0: `weights`.
    gradient_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0)  # segmentation, low, high
    start: Annotated[float, Field(ge=0, le=1)] = 0.0  # fraction of the steps where it begins
    ramp: Annotated[float, Field(ge=0, le=1)] = 0.05
    stop: Annotated[float, Field(ge=0, le=1)] = 0.9
    freeze_encoder: Annotated[float, Field(ge=0, le=1)] = 1.0  # from there on; 1: never
    frozen_batchnorm: bool = True  # statistics stand still in a frozen encoder
    online: bool = False  # teachers run in the step, instead of once into the cache


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
    distil: DistilPart = DistilPart()
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
