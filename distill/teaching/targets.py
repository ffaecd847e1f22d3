"""What the teachers say of a batch, in the geometry of its views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from distill.data.dataset import Batch
from distill.data.views.warp import seen, warp_maps
from distill.losses.soft import blend, confidence
from distill.recipe import DistilPart, TeacherPart
from distill.teachers.agreement import trust
from distill.teaching.distiller import TargetBatch
from engine.faults import FaultCode, FaultError


class SoftTarget(NamedTuple):
    """A teacher's soft mask of the views, and how much each pixel of it counts; both [B, 1, H, W] in 0..1."""

    mask: Tensor
    weight: Tensor


T = TypeVar("T", TargetBatch, SoftTarget)


class Viewer(Protocol):
    """A teacher that runs in the step, on what the student sees."""

    def masks_of_view(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """float32 [B, 3, S, S] RGB 0..1 -> soft masks float32 [B, 1, S, S] in 0..1 and their disagreement."""


class Source(Protocol):
    """One teacher over a list of images: a FeatureCache, or a teacher that runs in the step."""

    channels: int
    grid: tuple[int, int]

    def features(self, positions: Sequence[int]) -> Tensor: ...

    def masks(self, positions: Sequence[int]) -> Tensor | None: ...

    def disagreement(self, positions: Sequence[int]) -> Tensor | None: ...

    def statistics(self) -> tuple[Tensor, Tensor]: ...


def teacher_names(parts: Sequence[TeacherPart]) -> tuple[str, ...]:
    """A name for each: its own, numbered where it comes again with other weights."""
    names: list[str] = []
    for part in parts:
        again = sum(name.partition("#")[0] == part.name for name in names)
        names.append(f"{part.name}#{again + 1}" if again else part.name)
    return tuple(names)


def on_device(targets: Mapping[str, T], device: torch.device) -> dict[str, T]:
    return {
        name: type(target)(*(value if value is None else value.to(device) for value in target))  # type: ignore[arg-type]
        for name, target in targets.items()
    }


class Teaching:
    """All teachers of a recipe over a list of images.

    `viewers` are those that look at the student's views, hidden parts included.
    `labelled`: False of a list of images that nobody labelled; what the teachers' members do not agree on
    does not count there.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        distil: DistilPart,
        viewers: Mapping[str, Viewer] | None = None,
        labelled: bool = True,
    ) -> None:
        self.sources = dict(sources)
        self._viewers = dict(viewers or {})
        self._distil = distil
        self._parts = dict(zip(teacher_names(distil.teachers), distil.teachers, strict=True))
        self.feature_sources = {name: sources[name] for name, part in self._parts.items() if part.features}
        self._labelled = labelled

    def targets(self, batch: Batch) -> dict[str, TargetBatch]:
        """A TargetBatch for each that teaches features: float32 [B, C, h, w] as the views show them."""
        return {name: self._target(source, batch) for name, source in self.feature_sources.items()}

    def soft_targets(self, batch: Batch) -> dict[str, SoftTarget]:
        """A SoftTarget for each teacher whose soft masks have a term, where the batch's masks are."""
        named = [name for name, part in self._parts.items() if part.soft_weight]
        return {name: self._soft_target(name, batch) for name in named}

    def softened(self, batch: Batch) -> Tensor:
        """The masks, blended with soft ones where the views show what the teachers saw: `mask_share`."""
        mask = batch.mask
        for name in (*self._viewers, *self.sources):
            part = self._parts[name]
            if part.mask_share:
                soft, _, valid = self._soft_mask(name, batch)
                changes = valid > 0 if part.softens_empty else (valid > 0) & _shows_polyp(batch)
                mask = torch.where(changes, blend(mask, soft, part.mask_share), mask)
        return mask

    def _soft_target(self, name: str, batch: Batch) -> SoftTarget:
        soft, apart, valid = self._soft_mask(name, batch)
        kind = self._distil.soft_weighting
        if not self._labelled:
            apart = torch.zeros_like(soft) if apart is None else apart
            weight = trust(soft, apart, valid, self._distil.least_agreement)
        elif kind == "agreement" and apart is not None:
            weight = valid * (1 - apart)
        else:
            weight = valid
        if kind == "confidence":
            weight = weight * confidence(soft)
        if self._labelled and not self._parts[name].softens_empty:
            shows = _shows_polyp(
                batch
            )  # where it does not, the empty mask is sure, wherever the teacher looked
            soft, weight = torch.where(shows, soft, batch.mask), torch.where(shows, weight, 1.0)
        return SoftTarget(soft, weight)

    def _soft_mask(self, name: str, batch: Batch) -> tuple[Tensor, Tensor | None, Tensor]:
        """Of one teacher, in the views: its soft masks, how far its members differ, and where both hold."""
        device, size = batch.mask.device, (batch.mask.shape[-2], batch.mask.shape[-1])
        if name in self._viewers:
            soft, apart = self._viewers[name].masks_of_view(batch.image)
            return (
                soft.to(device),
                None if apart is None else apart.to(device),
                torch.ones_like(soft).to(device),
            )
        source, positions = self.sources[name], batch.positions
        valid = seen(batch.matrix, batch.hidden, size).to(device)
        masks, apart = source.masks(positions), source.disagreement(positions)
        if masks is None:
            if not self._parts[name].soft_weight:  # a mask_share of such a teacher never did anything
                return torch.zeros_like(batch.mask), None, torch.zeros_like(valid)
            raise FaultError(
                FaultCode.ARGUMENT,
                expected=f"soft masks of the teacher {name}",
                got="a teacher without a task, which has features alone",
                remedy="set its soft_weight to 0, or take a task teacher",
            )
        if apart is not None:
            apart = warp_maps(apart, batch.matrix, size).to(device)
        return warp_maps(masks, batch.matrix, size).to(device), apart, valid

    def _target(self, source: Source, batch: Batch) -> TargetBatch:
        features = warp_maps(source.features(batch.positions), batch.matrix)
        height, width = features.shape[-2:]
        return TargetBatch(features, seen(batch.matrix, batch.hidden, (height, width)))


def _shows_polyp(batch: Batch) -> Tensor:
    """[B, 1, 1, 1]: whether a view has anything drawn in it."""
    return batch.mask.amax((1, 2, 3), keepdim=True) > 0
