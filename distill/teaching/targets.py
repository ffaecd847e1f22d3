"""What the teachers say of a batch, in the geometry of its views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor

from distill.data.dataset import Batch
from distill.data.views.warp import seen, warp_maps
from distill.losses.soft import blend
from distill.recipe import TeacherPart
from distill.teaching.distiller import TargetBatch


class Viewer(Protocol):
    """A teacher that runs in the step, on what the student sees."""

    def masks_of_view(self, image: Tensor) -> Tensor:
        """float32 [B, 3, S, S] RGB 0..1 -> soft masks float32 [B, 1, S, S] in 0..1."""


class Source(Protocol):
    """One teacher over a list of images: a FeatureCache, or a teacher that runs in the step."""

    channels: int
    grid: tuple[int, int]

    def features(self, positions: Sequence[int]) -> Tensor: ...

    def masks(self, positions: Sequence[int]) -> Tensor | None: ...

    def statistics(self) -> tuple[Tensor, Tensor]: ...


def teacher_names(parts: Sequence[TeacherPart]) -> tuple[str, ...]:
    """A name for each: its own, numbered where it comes again with other weights."""
    names: list[str] = []
    for part in parts:
        again = sum(name.partition("#")[0] == part.name for name in names)
        names.append(f"{part.name}#{again + 1}" if again else part.name)
    return tuple(names)


def on_device(targets: Mapping[str, TargetBatch], device: torch.device) -> dict[str, TargetBatch]:
    return {
        name: TargetBatch(features.to(device), None if valid is None else valid.to(device))
        for name, (features, valid) in targets.items()
    }


class Teaching:
    """All teachers over a list of images. `viewers` are those that look at the student's views, hidden parts
    included.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        parts: Sequence[TeacherPart],
        viewers: Mapping[str, Viewer] | None = None,
    ) -> None:
        self.sources = dict(sources)
        self._viewers = dict(viewers or {})
        named = dict(zip(teacher_names(parts), parts, strict=True))
        self.feature_sources = {name: sources[name] for name, part in named.items() if part.features}
        self._shares = {name: part.mask_share for name, part in named.items()}
        self._softens_empty = {name: part.softens_empty for name, part in named.items()}

    def targets(self, batch: Batch) -> dict[str, TargetBatch]:
        """A TargetBatch for each that teaches features: float32 [B, C, h, w] as the views show them."""
        return {name: self._target(source, batch) for name, source in self.feature_sources.items()}

    def softened(self, batch: Batch) -> Tensor:
        """The batch's masks, blended with the teachers' soft masks where the views show what they saw."""
        mask = batch.mask
        shows_polyp = mask.amax((1, 2, 3), keepdim=True) > 0
        for name, viewer in self._viewers.items():
            taught = blend(mask, viewer.masks_of_view(batch.image).to(mask.device), self._shares[name])
            mask = taught if self._softens_empty[name] else torch.where(shows_polyp, taught, mask)
        valid = seen(batch.matrix, batch.hidden, (mask.shape[-2], mask.shape[-1]))
        valid = valid.to(mask.device)
        for name, source in self.sources.items():
            share = self._shares[name]
            soft = source.masks(batch.positions) if share else None
            if soft is not None:
                moved = warp_maps(soft, batch.matrix, (mask.shape[-2], mask.shape[-1]))
                changes = valid > 0 if self._softens_empty[name] else (valid > 0) & shows_polyp
                mask = torch.where(changes, blend(mask, moved.to(mask.device), share), mask)
        return mask

    def _target(self, source: Source, batch: Batch) -> TargetBatch:
        features = warp_maps(source.features(batch.positions), batch.matrix)
        height, width = features.shape[-2:]
        return TargetBatch(features, seen(batch.matrix, batch.hidden, (height, width)))
