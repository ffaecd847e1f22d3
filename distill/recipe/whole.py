"""The student, its optimiser, its stages, and the recipe as a whole."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from distill.recipe.data import AugmentPart, DataPart
from distill.recipe.distil import DistilPart
from distill.recipe.key import REQUIRED, STEP_PX, NotNegative, Part, Positive, Share, key
from engine.types import Region

IMAGENET = "imagenet"  # of student.pretrained


class StudentPart(Part):
    """The network that is trained and what its first weights are."""

    name: str = key(
        REQUIRED,
        "Student",
        "The network that is trained; light is the one that keeps up with video on two processor cores.",
        basic=True,
        table="engine.models:STUDENTS",
    )
    args: dict[str, str | int | float | bool] = key(
        {}, "Its arguments", "What the network is made with, as its encoder; each student knows its own."
    )
    pretrained: str = key(
        "",
        "Pretrained encoder",
        "imagenet takes timm's weights of the encoder, wherever they are at hand; or a file of the data "
        "folder or by its path, or hf-hub:...; empty begins at random, as the paper's students.",
    )
    start: str = key(
        "",
        "Model to go on from",
        "All weights of a model folder of the same student, or of a bundled model by its id: with few images "
        "far better than to begin anew.",
        basic=True,
    )
    mean: tuple[Share, Share, Share] = key(
        REQUIRED,
        "Mean of the input",
        "Taken from red, green and blue in 0..1: what the encoder was trained with.",
    )
    std: tuple[Positive, Positive, Positive] = key(
        REQUIRED, "Deviation of the input", "Divides red, green and blue: what the encoder was trained with."
    )


class Stage(Part):
    """Some epochs at one input size."""

    epochs: int = key(
        REQUIRED,
        "Epochs",
        "How often every image is seen; more help until the validation stands still.",
        unit="epochs",
        ge=1,
        basic=True,
    )
    size_px: int = key(
        REQUIRED,
        "Input size",
        "The side of the student's input: larger finds smaller polyps and takes time with its square.",
        unit="px",
        ge=STEP_PX,
        multiple_of=STEP_PX,
        basic=True,
    )


class OptimiserPart(Part):
    """How the weights are moved."""

    kind: Literal["adamw", "adam"] = key(
        "adamw", "Optimiser", "adamw keeps the weight decay apart from the gradient; adam is the paper's."
    )
    schedule: Literal["cosine", "constant"] = key(
        "cosine", "Schedule", "How the rate goes on after the warm-up: down a half cosine, or as it is."
    )
    rate: Positive = key(
        1e-3,
        "Learning rate",
        "The length of a step after the warm-up: lower when a trained model goes on, or when the loss jumps.",
        basic=True,
    )
    encoder_rate_factor: Positive = key(
        0.5,
        "Factor for the encoder",
        "The encoder learns at the rate times this: less, when it is pretrained and the rest is not.",
        unit="times",
    )
    weight_decay: NotNegative = key(
        0.02, "Weight decay", "Draws all weights towards 0: more against learning a small data set by heart."
    )
    warm_up_steps: int = key(
        100,
        "Warm-up",
        "So many steps the rate rises from near 0, so that random weights do not spoil pretrained ones.",
        unit="steps",
        ge=0,
    )
    final_rate_factor: Share = key(
        0.02, "Last rate", "The cosine ends at the rate times this.", unit="of the rate"
    )
    clip_norm: NotNegative = key(
        1.0,
        "Longest gradient",
        "Longer gradients are shortened to it, 0 never: single bad batches harm less.",
    )
    ema_decay: float = key(
        0.998,
        "Moving average",
        "The exported weights are an average that keeps so much of itself at each step, 0 none: steadier.",
        ge=0,
        lt=1,
    )


class Recipe(Part):
    """All that decides the weights, next to the data and the code."""

    name: str = key(REQUIRED, "Recipe", "What runs, models and tables call it.")
    seed: int = key(
        0,
        "Seed",
        "Of all that is random; runs that differ in it alone tell how much of a difference is chance.",
        ge=0,
    )
    student: StudentPart = key(REQUIRED, "Student", "The network that is trained, and what it begins with.")
    data: DataPart = key(DataPart(), "Data", "What is trained on, and what is held back to judge by.")
    augment: AugmentPart = key(
        AugmentPart(), "Augmentation", "Random views, so that few images go a long way."
    )
    stages: tuple[Stage, ...] = key(
        REQUIRED,
        "Stages",
        "Epochs at one input size, one after another: small first saves time, large last finds small polyps.",
        min_length=1,
    )
    scales: tuple[Positive, ...] = key(
        (1.0,),
        "Scales",
        "Factors of a stage's size, rounded to 32 px, for polyps that are met at any size.",
        unit="times",
        min_length=1,
    )
    scaling: Literal["each", "random"] = key(
        "random", "Scaling", "Every batch at each of the scales, as PraNet, or at one drawn for the step."
    )
    loss: str = key(
        "structure_v2",
        "Loss",
        "How wrong a mask is; structure counts pixels near the border of a polyp more.",
        table="distill.losses:LOSSES",
    )
    auxiliary_weight: NotNegative = key(
        1.0, "Weight of further outputs", "Of each further output of a student that has several, as PraNet."
    )
    batch: int = key(
        16,
        "Batch",
        "Labelled images an update sees, over all processes and all parts of an accumulated one: more are "
        "steadier and take memory.",
        unit="images",
        ge=1,
        basic=True,
    )
    accumulate: int = key(
        1,
        "Accumulation",
        "Parts that a process makes of its share of a batch, one after another: for a batch that does not "
        "fit into memory.",
        unit="parts",
        ge=1,
    )
    precision: Literal["bf16", "fp16", "float32"] = key(
        "bf16",
        "Precision",
        "bf16 and fp16 are quicker where the machine has them; float32 is exact everywhere.",
    )
    threads: int = key(
        2, "Threads", "Of the processor; leave some to what else the machine does.", unit="threads", ge=1
    )
    checkpoint_every_steps: int = key(
        100, "Checkpoint", "A stop or a power cut loses at most so many steps.", unit="steps", ge=1
    )
    selection: Literal["last", "train_loss", "validation"] = key(
        "last",
        "Exported weights",
        "The average after the last step, or that of the epoch with the best loss or validation; choosing by "
        "validation makes its figure look better than it is.",
    )
    optimiser: OptimiserPart = key(OptimiserPart(), "Optimiser", "How the weights are moved.")
    distil: DistilPart = key(
        DistilPart(), "Distillation", "What is learned from teachers, next to the masks."
    )
    region: Region = key(
        "frame",
        "What the network is shown",
        "field: the endoscope's picture without panels and borders, in validation, presets and evaluation, "
        "and in training as often as the augmentation's field says, the rest being whole frames; frame: "
        "whole frames.",
    )
    export_size_px: int = key(
        352,
        "Exported size",
        "The side of the input that the model is exported and judged with: smaller is quicker in live use.",
        unit="px",
        ge=STEP_PX,
        multiple_of=STEP_PX,
    )

    @model_validator(mode="after")
    def _parts_fit(self) -> Recipe:
        if self.batch % self.accumulate:
            raise ValueError(f"batch {self.batch} is not a multiple of accumulate {self.accumulate}")
        if self.distil.teachers and self.distil.stop < self.distil.start:
            raise ValueError("distil.stop lies before distil.start")
        soft = self.distil.soft_teachers
        if self.data.unlabelled_ratio and not soft:
            raise ValueError(
                "data.unlabelled_ratio needs a teacher with soft_weight: nothing else labels them"
            )
        if self.asks_members and not all(teacher.has_disagreement for teacher in soft):
            raise ValueError(
                "distil.soft_weighting 'agreement', and data.unlabelled_ratio with distil.least_agreement, "
                "need teachers of several members or with flips = true"
            )
        if self.data.hard_negatives_share and not (self.data.negatives_share and self.student.start):
            raise ValueError("data.hard_negatives_share needs data.negatives_share and student.start")
        if self.region == "field" and (self.augment.views != "online" or self.augment.field < 0.5):
            raise ValueError("region 'field' needs augment.views 'online' and augment.field of 0.5 or more")
        return self

    @property
    def asks_members(self) -> bool:
        """Whether it matters how far a teacher's members differ."""
        of_views = self.data.unlabelled_ratio > 0 and self.distil.least_agreement > 0
        return of_views or self.distil.soft_weighting == "agreement"

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
