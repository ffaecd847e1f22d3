"""Teachers, and what a student learns from them next to the masks."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from distill.recipe.key import REQUIRED, NotNegative, Part, Positive, Share, key


class TeacherPart(Part):
    """One teacher."""

    name: str = key(
        REQUIRED,
        "Teacher",
        "A name of the table; timm takes the name of an encoder after a colon (timm:ENCODER), task a model "
        "folder (task:FOLDER).",
        basic=True,
        table="distill.teachers:TEACHERS",
    )
    weights: str = key(
        "",
        "Weights",
        "A file of weights in place of the hub's, or hf-hub:OWNER/NAME@REVISION; empty takes the hub's.",
    )
    size_px: int = key(
        0,
        "Input size",
        "The side of the teacher's picture, where another than its own (0) is wanted: smaller is quicker.",
        unit="px",
        ge=0,
    )
    members: tuple[str, ...] = key(
        (), "Members", "The model folders of an ensemble, or of a task teacher that answers out of fold."
    )
    soft_weight: NotNegative = key(
        0.0,
        "Weight of its soft masks",
        "How much the term counts that is least where the student says what this teacher's soft mask says; "
        "it stands beside the drawn masks' loss.",
    )
    mask_share: float = key(
        0.0,
        "Share in the drawn masks",
        "Of runs from before soft_weight: so much of the drawn masks is this teacher's soft mask, though "
        "their loss is not least there; take soft_weight.",
        unit="of the target",
        ge=0,
        le=0.5,
    )
    softens_empty: bool = key(
        True,
        "Softens empty masks",
        "Off where a view that shows no polyp shall keep its empty mask, which is sure.",
    )
    flips: bool = key(
        False,
        "Mean over flips",
        "A task teacher's soft masks become the mean over four flips: steadier, and four times the work; how "
        "far the four differ tells what it is sure of.",
    )
    features: bool = key(
        True,
        "Features",
        "Off where the soft masks alone shall teach, as of members that did not begin alike, whose maps "
        "have nothing in common.",
    )
    sees_view: bool = key(
        False,
        "Sees the view",
        "The task teacher runs in the step and looks at the very view that the student sees, in place of the "
        "stored frame (Beyer et al., CVPR 2022): better masks, slower steps.",
    )

    @model_validator(mode="after")
    def _teaches_something(self) -> TeacherPart:
        if not (self.features or self.soft_weight or self.mask_share):
            raise ValueError(f"{self.name} teaches nothing: features is false and soft_weight 0")
        if self.soft_weight and self.mask_share:
            raise ValueError(f"{self.name}: soft_weight takes the place of mask_share, which must be 0")
        if self.sees_view and self.features:
            raise ValueError(f"{self.name} sees views: features must be false")
        if self.sees_view and not self.name.startswith("task:"):
            raise ValueError(f"{self.name} cannot see views: only task:MODEL FOLDER can")
        return self

    @property
    def has_disagreement(self) -> bool:
        """Whether its soft masks come with how far its members, or its four flips, differ."""
        return bool(self.soft_weight) and (self.flips or len(self.members) > 1)


class DistilPart(Part):
    """What is learned from teachers, next to the masks; no teachers: the control."""

    teachers: tuple[TeacherPart, ...] = key(
        (),
        "Teachers",
        "Frozen networks that the student is held against; without any the run is the control that every "
        "distilled figure stands beside.",
    )
    projector: Literal["student", "teacher_frozen", "teacher_trainable"] = key(
        "student",
        "Projector",
        "On whose side the 1x1 convolution between the channels stands; teacher_trainable collapses and is "
        "there to show it, as the published notebook.",
    )
    standardise: Literal["none", "phi_s"] = key(
        "phi_s",
        "Standardisation",
        "phi_s gives every channel of a teacher variance 1 (Ranzinger 2024), so that several teachers count "
        "alike.",
    )
    pca_channels: int = key(
        0,
        "Principal components",
        "So many channels of a teacher are kept, 0 all of them: fewer are quicker and drop its noise.",
        unit="channels",
        ge=0,
    )
    split: Literal["none", "fft_radial", "fft_square_nb", "dct"] = key(
        "none",
        "Band split",
        "Cuts a teacher's map into low and high frequencies for two maps of the student; worth it when the "
        "teacher's map is at least as fine as the student's.",
    )
    grid_px: int = key(
        0,
        "Target grid",
        "The side of the grid that all targets are brought to; 0 takes that of the student's map.",
        unit="px",
        ge=0,
    )
    low_map: str = key(
        "",
        "Map for the low band",
        "The student's map by its name, for everything without a split; empty: s16.",
    )
    high_map: str = key("", "Map for the high band", "The student's map by its name; empty: s8.")
    loss: str = key(
        "cosine_l1",
        "Feature loss",
        "How far the student's map is from the teacher's.",
        table="distill.losses:FEATURE_LOSSES",
    )
    soft_loss: str = key(
        "kl_dice",
        "Loss of soft masks",
        "How far the student's mask is from a teacher's soft one.",
        table="distill.losses:SOFT_LOSSES",
    )
    soft_temperature: Positive = key(
        1.0,
        "Temperature of soft masks",
        "Both masks' logits are divided by it in the term of the soft masks: above 1 more is learned of "
        "where the teacher is nearly sure.",
    )
    soft_weighting: Literal["even", "confidence", "agreement"] = key(
        "even",
        "Pixels that count more",
        "Of a soft mask: even all alike, confidence those far from one half, agreement those that the "
        "teacher's members or flips agree on.",
    )
    least_agreement: Share = key(
        0.8,
        "Least agreement",
        "A view of an unlabelled image teaches nothing where the mean pairwise Dice of the teacher's members "
        "or flips is lower, unless all are sure that it is empty; 0 takes every view.",
        unit="Dice",
    )
    balance: Literal["fixed", "uncertainty", "mlp", "attention", "teacher_drop"] = key(
        "fixed",
        "Balance of the teachers",
        "fixed counts several teachers alike; the others learn or draw how much each counts.",
    )
    guarded: bool = key(
        True,
        "Guarded balance",
        "Keeps mlp and attention from giving all weight to the teacher that is easiest to please.",
    )
    gradient_share: Share = key(
        0.2,
        "Gradient share",
        "How much of the segmentation's gradient in the encoder the feature terms may have; 0 takes the "
        "fixed weights as they are.",
        unit="of the segmentation's",
    )
    weights: tuple[NotNegative, NotNegative, NotNegative] = key(
        (1.0, 1.0, 1.0),
        "Weights of the losses",
        "Of segmentation, low band and high band while something is distilled; a segmentation of 0 leaves "
        "the soft masks alone, which is pure function matching.",
    )
    start: Share = key(
        0.0, "Begin", "Where the distillation begins: later lets masks come first.", unit="of the steps"
    )
    ramp: Share = key(
        0.05, "Ramp", "How long it takes to full weight, so that nothing jumps.", unit="of the steps"
    )
    stop: Share = key(
        0.9, "End", "Where the distillation ends: the last steps belong to the masks.", unit="of the steps"
    )
    freeze_encoder: Share = key(
        1.0,
        "Encoder freezes",
        "From where on the encoder learns no more, 1 never: the paper's last phase.",
        unit="of the steps",
    )
    frozen_batchnorm: bool = key(
        True, "Frozen statistics", "The BatchNorm statistics of a frozen encoder stand still, too."
    )
    online: bool = key(
        False,
        "Teachers in the step",
        "Teachers run in each step in place of once into the cache: no disk is needed, and every step is "
        "slower.",
    )

    @property
    def soft_teachers(self) -> tuple[TeacherPart, ...]:
        """Those whose soft masks have a term of their own."""
        return tuple(part for part in self.teachers if part.soft_weight)

    @property
    def cached_teachers(self) -> tuple[TeacherPart, ...]:
        """Those that look at every frame once, before the training."""
        return () if self.online else tuple(part for part in self.teachers if not part.sees_view)
