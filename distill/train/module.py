"""The student with what teaches it, as one module: what accelerate wraps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from distill.losses import LOSSES
from distill.recipe import Recipe
from distill.teaching.distiller import Distiller, TargetBatch
from distill.train.cpu.depthwise import FastDepthwise
from distill.train.cpu.norm import FastNorm
from engine.models.base import Student
from engine.table import load_named

AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16, "float32": None}


class Losses(NamedTuple):
    """The losses of one batch, each a scalar.

    `features` is None where nothing was distilled. `parts` are detached, `watch` is that of the Distiller.
    """

    segmentation: Tensor
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
        self._auxiliary_weight = recipe.auxiliary_weight
        self._autocast = AUTOCAST[recipe.precision]
        self.register_buffer("mean", torch.tensor(recipe.student.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(recipe.student.std).view(1, 3, 1, 1), persistent=False)

    def forward(
        self, image: Tensor, mask: Tensor, targets: Mapping[str, TargetBatch] | None = None
    ) -> Losses:
        autocast = torch.autocast(image.device.type, self._autocast, enabled=self._autocast is not None)
        with autocast, FastDepthwise(), FastNorm(self.student):
            output = self.student.predict((image - self.mean) / self.std)
        segmentation = self._loss(output.logits, mask)
        parts = {"segmentation": segmentation.detach()}
        for rank, logits in enumerate(output.auxiliary):
            further = self._loss(logits, mask)
            parts[f"auxiliary{rank}"] = further.detach()
            segmentation = segmentation + self._auxiliary_weight * further
        if self.distiller is None or targets is None:
            return Losses(segmentation, None, parts, {})
        terms = self.distiller(output.features, targets)
        return Losses(segmentation, terms.total, parts | terms.parts, terms.watch)

    def logits(self, image: Tensor, network: nn.Module) -> Tensor:
        """Logits of another network of the same kind, such as the average, at the same precision."""
        with torch.autocast(image.device.type, self._autocast, enabled=self._autocast is not None):
            logits: Tensor = network((image - self.mean) / self.std)
        return logits.float()
