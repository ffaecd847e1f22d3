"""The student with what teaches it, as one module: what accelerate wraps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from distill.losses import LOSSES, SOFT_LOSSES
from distill.recipe import Recipe
from distill.teaching.distiller import Distiller, TargetBatch
from distill.teaching.targets import SoftTarget, teacher_names
from distill.train.cpu.depthwise import FastDepthwise
from distill.train.cpu.norm import FastNorm
from engine.models.base import Prediction, Student
from engine.table import load_named

AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16, "float32": None}


class Losses(NamedTuple):
    """The losses of one batch, each a scalar.

    `soft` (soft masks) and `features` are None where none were given. `parts` are detached, `watch` is that
    of the Distiller.
    """

    segmentation: Tensor
    soft: Tensor | None
    features: Tensor | None
    parts: dict[str, Tensor]
    watch: dict[str, float]


class TrainingModule(nn.Module):
    """float32 [B, 3, S, S] RGB 0..1 and [B, 1, S, S] masks to losses; float32 whatever the network ran in."""

    mean: Tensor
    std: Tensor

    def __init__(self, student: Student, distiller: Distiller | None, recipe: Recipe) -> None:
        super().__init__()
        self.student = student
        self.distiller = distiller
        self._loss = load_named(LOSSES, recipe.loss, "loss")
        self._distil = recipe.distil
        self._soft_loss = load_named(SOFT_LOSSES, recipe.distil.soft_loss, "loss of soft masks")
        teachers = recipe.distil.teachers
        self._soft_weights = {
            name: part.soft_weight for name, part in zip(teacher_names(teachers), teachers, strict=True)
        }
        self._auxiliary_weight = recipe.auxiliary_weight
        self._autocast = AUTOCAST[recipe.precision]
        self.register_buffer("mean", torch.tensor(recipe.student.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(recipe.student.std).view(1, 3, 1, 1), persistent=False)

    def forward(
        self,
        image: Tensor,
        mask: Tensor,
        targets: Mapping[str, TargetBatch] | None = None,
        soft: Mapping[str, SoftTarget] | None = None,
    ) -> Losses:
        """`mask` is of the first images, as many as it has; `targets` and `soft` are of all."""
        autocast = torch.autocast(image.device.type, self._autocast, enabled=self._autocast is not None)
        with autocast, FastDepthwise(), FastNorm(self.student):
            output = self.student.predict((image - self.mean) / self.std)
        segmentation = self._loss(_first(output.logits, len(mask)), mask)
        parts = {"segmentation": segmentation.detach()}
        for rank, logits in enumerate(output.auxiliary):
            further = self._loss(_first(logits, len(mask)), mask)
            parts[f"auxiliary{rank}"] = further.detach()
            segmentation = segmentation + self._auxiliary_weight * further
        softly = self._softly(output, soft, parts) if soft else None
        if self.distiller is None or targets is None:
            return Losses(segmentation, softly, None, parts, {})
        terms = self.distiller(output.features, targets)
        return Losses(segmentation, softly, terms.total, parts | terms.parts, terms.watch)

    def _softly(self, output: Prediction, soft: Mapping[str, SoftTarget], parts: dict[str, Tensor]) -> Tensor:
        """All soft masks' terms, each with its teacher's weight; auxiliary logits as with drawn masks."""
        part, total = self._distil, output.logits.new_zeros((), dtype=torch.float32)
        for name, target in soft.items():
            all_logits = [
                (1.0, output.logits),
                *((self._auxiliary_weight, each) for each in output.auxiliary),
            ]
            losses = [
                share * self._soft_loss(logits, target.mask, target.weight, part.soft_temperature)
                for share, logits in all_logits
            ]
            parts[f"{name}.soft"] = losses[0].detach()
            total = total + self._soft_weights[name] * torch.stack(losses).sum()
        return total

    def logits(self, image: Tensor, network: nn.Module) -> Tensor:
        """Logits of another network of the same kind, such as the average, at the same precision."""
        with torch.autocast(image.device.type, self._autocast, enabled=self._autocast is not None):
            logits: Tensor = network((image - self.mean) / self.std)
        return logits.float()


def _first(logits: Tensor, count: int) -> Tensor:
    return logits if len(logits) == count else logits[:count]
