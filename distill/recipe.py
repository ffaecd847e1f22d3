"""Recipes: what a training does, as a TOML in `distill/recipes/`."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from engine.faults import FaultCode, FaultError

RECIPES = Path(__file__).parent / "recipes"
STEP_PX = 32  # input sizes are multiples of it: the deepest map of every student
IMAGENET = "imagenet"  # of student.pretrained
Positive = Annotated[float, Field(gt=0)]
Probability = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StudentPart(Part):
    name: str
    args: dict[str, str | int | float | bool] = {}
    # "imagenet": timm's weights of the encoder, wherever they are at hand; or a file (of the data folder, or
    # by its path), or hf-hub:...; empty: random, as the paper's students.
    pretrained: str = ""
    start: str = ""  # a model folder of the same student, or a bundled model's id: all its weights are taken
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class DataPart(Part):
    folds: Annotated[int, Field(ge=2)] = 5
    fold: Annotated[int, Field(ge=0)] = 0
    split_seed: int = 0
    # Groups kept out of training whatever the fold: the sequences of clips that are shown as demonstrations.
    validation_groups: tuple[str, ...] = ()
    # Further folds kept out of training, and not validated on: another model's share of the data.
    left_out_folds: tuple[Annotated[int, Field(ge=0)], ...] = ()
    train_sets: tuple[str, ...] = ()  # the only sets trained on; empty: all. Validation has every set
    # "listed": as `prepare` found it (train and test folders, name lists).
    split: Literal["grouped", "listed"] = "grouped"
    # Share of polyp-free images in an epoch of the same length, by drawing them more or less often.
    negatives_share: Probability | None = None
    # Of those places, so many are for the polyp-free images that student.start marks (hard negatives).
    hard_negatives_share: Probability = 0.0
    synthetic_images: Annotated[int, Field(ge=0)] = 0  # rendered by assets.scene, added to the training side

    @model_validator(mode="after")
    def _folds_left(self) -> DataPart:
        if self.left_out_folds and self.split != "grouped":
            raise ValueError("left_out_folds needs split 'grouped': lists have no folds")
        if self.fold in self.left_out_folds:
            raise ValueError(f"fold {self.fold} is validated on, so it need not stand in left_out_folds")
        return self


class AugmentPart(Part):
    """Random views. Every number is a probability, unless its name has a unit or it is a range.

    The defaults are those of `light`. Geometry moves picture, mask and cached features alike; light touches
    the student's picture only.
    """

    # "gpu": frames on it as uint8, views made there; only field, geometry, colour, exposure, blur and noise.
    place: Literal["cpu", "gpu"] = "cpu"
    # "four_flips": no chance at all, every image as it is, mirrored, upside down and both, in each epoch.
    views: Literal["online", "four_flips"] = "online"
    flips: bool = True  # in half of the views for each of both directions
    quarter_turn: Probability = 0.5
    affine: Probability = 0.67
    zoom: tuple[Positive, Positive] = (0.6, 1.6)
    turn_deg: Annotated[float, Field(ge=0, le=180)] = 35.0
    stretch: Annotated[float, Field(ge=0, le=1)] = 0.18
    shift: Probability = 0.15  # of the picture's side
    field: Probability = 0.0  # the endoscope's picture alone, without the panels and borders around it
    polyp_free_crop: Probability = 0.0  # of an image with polyps: a part that shows none
    paste: Probability = 0.0  # another image's polyp onto a polyp-free view
    fourier: Probability = 0.0  # low amplitudes of an image of another set
    hue: Probability = 0.35
    colour: Probability = 0.8
    blur: Probability = 0.10
    motion: Probability = 0.08
    motion_px: tuple[Annotated[int, Field(ge=2)], Annotated[int, Field(ge=3)]] = (3, 10)
    soft: Probability = 0.10
    noise: Probability = 0.15
    exposure: Probability = 0.0
    glare: Probability = 0.0
    highlights: Probability = 0.0
    cutout: Probability = 0.0
    panel: Probability = 0.12
    jpeg: Probability = 0.25

    @model_validator(mode="after")
    def _ranges_and_sums(self) -> AugmentPart:
        for name in ("zoom", "motion_px"):
            low, high = getattr(self, name)
            if low >= high and not (name == "zoom" and low == high):
                raise ValueError(f"{name} must go from small to large")
        if self.blur + self.motion + self.soft > 1:
            raise ValueError("blur, motion and soft exclude each other: together at most 1")
        return self


class Stage(Part):
    """Some epochs at one input size; a multiple of 32."""

    epochs: Annotated[int, Field(ge=1)]
    size_px: Annotated[int, Field(ge=STEP_PX, multiple_of=STEP_PX)]


class OptimiserPart(Part):
    kind: Literal["adamw", "adam"] = "adamw"
    schedule: Literal["cosine", "constant"] = "cosine"  # after the warm-up
    rate: Positive = 1e-3
    encoder_rate_factor: Positive = 0.5
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    warm_up_steps: Annotated[int, Field(ge=0)] = 100
    final_rate_factor: Annotated[float, Field(ge=0, le=1)] = 0.02
    clip_norm: Annotated[float, Field(ge=0)] = 1.0  # 0: never
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.998  # 0: no averaging


class TeacherPart(Part):
    """One teacher. `name` is a key of TEACHERS, or "timm:ENCODER", "task:MODEL FOLDER"."""

    name: str
    weights: str = ""  # a file; empty: the hub's
    size_px: Annotated[int, Field(ge=0)] = 0  # of its input; 0: its own
    members: tuple[str, ...] = ()  # of an ensemble: model folders
    mask_share: Annotated[float, Field(ge=0, le=0.5)] = 0.0  # of its soft masks in the segmentation target
    softens_empty: bool = True  # False: a view that shows no polyp keeps its empty mask, which is sure
    flips: bool = False  # of task teachers: the soft masks are the mean over four flips
    # False: soft masks alone, as of members that did not begin alike, whose maps have nothing in common.
    features: bool = True
    # Soft masks of the very view that the student sees, by a teacher that runs in the step; False: of the
    # stored frame. Beyer et al., Knowledge distillation: a good teacher is patient and consistent, CVPR 2022.
    sees_view: bool = False

    @model_validator(mode="after")
    def _teaches_something(self) -> TeacherPart:
        if not self.features and not self.mask_share:
            raise ValueError(f"{self.name} teaches nothing: features is false and mask_share 0")
        if self.sees_view and (self.features or self.flips):
            raise ValueError(f"{self.name} sees views: features and flips must be false")
        if self.sees_view and not self.name.startswith("task:"):
            raise ValueError(f"{self.name} cannot see views: only task:MODEL FOLDER can")
        return self


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

    @property
    def cached_teachers(self) -> tuple[TeacherPart, ...]:
        """Those that look at every frame once, before the training."""
        return () if self.online else tuple(part for part in self.teachers if not part.sees_view)


class Recipe(Part):
    """All that decides the weights, next to the data and the code."""

    name: str
    seed: int = 0
    student: StudentPart
    data: DataPart = DataPart()
    augment: AugmentPart = AugmentPart()
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    # Factors of a stage's size, rounded to 32 px: every batch at each of them, as PraNet, or one a step.
    scales: Annotated[tuple[Positive, ...], Field(min_length=1)] = (1.0,)
    scaling: Literal["each", "random"] = "random"
    loss: str = "structure_v2"
    auxiliary_weight: Annotated[float, Field(ge=0)] = 1.0  # of each further logits of the student
    # Images an update sees, over all processes and all parts of an accumulated one.
    batch: Annotated[int, Field(ge=1)] = 16
    accumulate: Annotated[int, Field(ge=1)] = 1  # parts that a process makes of its share, one after another
    precision: Literal["bf16", "fp16", "float32"] = "bf16"
    threads: Annotated[int, Field(ge=1)] = 2
    checkpoint_every_steps: Annotated[int, Field(ge=1)] = 100
    # Which weights are exported: the average after the last step, or at the end of the best epoch.
    selection: Literal["last", "train_loss", "validation"] = "last"
    optimiser: OptimiserPart = OptimiserPart()
    distil: DistilPart = DistilPart()
    export_size_px: Annotated[int, Field(ge=STEP_PX, multiple_of=STEP_PX)] = 352

    @model_validator(mode="after")
    def _parts_fit(self) -> Recipe:
        if self.batch % self.accumulate:
            raise ValueError(f"batch {self.batch} is not a multiple of accumulate {self.accumulate}")
        if self.distil.teachers and self.distil.stop < self.distil.start:
            raise ValueError("distil.stop lies before distil.start")
        if self.data.hard_negatives_share and not (self.data.negatives_share and self.student.start):
            raise ValueError("data.hard_negatives_share needs data.negatives_share and student.start")
        return self

    @property
    def epochs(self) -> int:
        return sum(stage.epochs for stage in self.stages)

    @property
    def sizes_px(self) -> tuple[int, ...]:
        """All input sizes: every stage at every scale."""
        return tuple(scaled_px(stage.size_px, scale) for stage in self.stages for scale in self.scales)

    def size_px_of(self, epoch: int) -> int:
        """Input size of an epoch, counted from 0 over all stages."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage.size_px
            epoch -= stage.epochs
        return self.stages[-1].size_px


def scaled_px(size_px: int, scale: float) -> int:
    """The multiple of 32 nearest to size x scale, at least 32."""
    return max(STEP_PX, round(size_px * scale / STEP_PX) * STEP_PX)


def load_recipe(name_or_path: str, changes: Sequence[str] = ()) -> Recipe:
    """A recipe of `distill/recipes/` by name, or any TOML by path, with `key=value` changes.

    Raises FaultError ARGUMENT.
    """
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
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise FaultError(
            FaultCode.ARGUMENT, expected=f"{path.name} to be TOML", got=str(error), remedy="correct that line"
        ) from error
    for change in changes:
        _apply(values, change)
    return parse_recipe(values)


def parse_recipe(values: dict[str, Any]) -> Recipe:
    """A recipe from plain values. Raises FaultError ARGUMENT: wrong keys, what was expected, what came."""
    try:
        # By way of JSON: only there a list is a tuple and yet "4" is no number.
        return Recipe.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        wrong = error.errors()
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="; ".join(_expected(one) for one in wrong),
            got="; ".join(_got(one) for one in wrong),
            remedy="correct the recipe",
            said=f"{'; '.join(f'{_expected(one)}, not {_got(one)}' for one in wrong)}. Correct the recipe.",
        ) from error


def _expected(error: ErrorDetails) -> str:
    key = ".".join(map(str, error["loc"])) or "the recipe"
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(error["loc"][-1]), _keys_beside(error["loc"]), n=1)
        return f"{key}: no key of this name" + (f" (perhaps {near[0]})" if near else "")
    return f"{key}: {error['msg'].removeprefix('Value error, ').replace('Input should be ', '')}"


def _got(error: ErrorDetails) -> str:
    if error["type"] == "missing":
        return "nothing"
    text = json.dumps(error["input"], default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _keys_beside(loc: tuple[int | str, ...]) -> list[str]:
    """The keys that the recipe knows where this one was given."""
    part: Any = Recipe
    for step in loc[:-1]:
        if isinstance(step, int):
            continue
        found = part.model_fields.get(step)
        part = found.annotation if found else Recipe
        while getattr(part, "__args__", None):  # tuple[Stage, ...] -> Stage
            part = part.__args__[0]
    return list(getattr(part, "model_fields", {}))


def _apply(values: dict[str, Any], change: str) -> None:
    """One `--set`: "optimiser.rate=0.001", "stages.0.epochs=2", "distil.teachers=[]", "distil.loss=mse"."""
    key, sign, text = change.partition("=")
    if not sign or not key:
        raise FaultError(
            FaultCode.ARGUMENT, expected="KEY=VALUE", got=change, remedy="write it as optimiser.rate=0.001"
        )
    try:
        value: Any = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a word needs no quotation marks
    place: Any = values
    *path, last = [int(step) if step.isdigit() else step for step in key.strip().split(".")]
    try:
        for step in path:
            place = place[step] if isinstance(step, int) else place.setdefault(step, {})
        place[last] = value
    except (IndexError, KeyError, TypeError, AttributeError) as error:
        raise FaultError(
            FaultCode.ARGUMENT, expected="a key of the recipe", got=key, remedy="correct it"
        ) from error
