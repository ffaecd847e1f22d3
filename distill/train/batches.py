"""What a step looks at: labelled views with what teachers say of them, and unlabelled ones beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

from distill.data.dataset import Batch, Donors, Pictures, training_batch
from distill.data.unlabelled import Unlabelled, unlabelled_items
from distill.recipe import Recipe
from distill.teaching.distiller import TargetBatch
from distill.teaching.targets import SoftTarget, Teaching, on_device
from distill.train.step import MicroBatch

Views = Callable[[Sequence[int], int, int], Batch]  # items, input size and epoch to what is seen
T = TypeVar("T", TargetBatch, SoftTarget)
AFTER_ALL_EPOCHS = 1 << 20  # views of unlabelled images draw from streams of their own


@dataclass(frozen=True, slots=True)
class UnlabelledSide:
    """Unlabelled images, their views, and what the teachers say of them."""

    pictures: Unlabelled
    views: Views
    teaching: Teaching

    def items(self, recipe: Recipe, step: int, part: int, parts: int) -> list[int]:
        """One of the equal parts of what a step shows of them."""
        found: list[int] = unlabelled_items(len(self.pictures), recipe, step)[part::parts].tolist()
        return found


def make_views(pictures: Pictures, donors: Pictures, recipe: Recipe, device: torch.device) -> Views:
    """Views of the pictures; others come into them from `donors`."""
    if recipe.augment.place == "gpu":
        from distill.data.views.gpu import GpuViews  # kornia is slow to import

        return GpuViews(pictures, recipe, max(recipe.sizes_px), device).batch
    lending = Donors(donors)
    return lambda items, size_px, epoch: training_batch(pictures, items, size_px, recipe, epoch, lending)


def without_masks(recipe: Recipe) -> Recipe:
    """The recipe for views of images that nobody drew masks for: nothing is pasted, nothing cut by a mask."""
    nothing = {"paste": 0.0, "small_paste": 0.0, "polyp_free_crop": 0.0, "large_crop": 0.0}
    return recipe.model_copy(update={"augment": recipe.augment.model_copy(update=nothing)})


def plain(batch: Batch, device: torch.device) -> MicroBatch:
    """Labelled views, of which nobody says more than their masks."""
    return MicroBatch(batch.image.to(device), batch.mask.to(device), None)


def taught(
    batch: Batch, teaching: Teaching, more: Batch | None, side: UnlabelledSide | None, device: torch.device
) -> MicroBatch:
    """Labelled views with what the teachers say of them; behind them `more`, views of unlabelled images."""
    mask = teaching.softened(batch)
    targets, soft, image = teaching.targets(batch), teaching.soft_targets(batch), batch.image
    if more is not None and side is not None:
        targets = _joined(targets, side.teaching.targets(more))
        soft = _joined(soft, side.teaching.soft_targets(more))
        image = torch.cat([image, more.image])
    return MicroBatch(
        image.to(device), mask.to(device), on_device(targets, device), on_device(soft, device) or None
    )


def _joined(first: dict[str, T], second: dict[str, T]) -> dict[str, T]:
    """Each teacher's targets of two batches as one."""
    return {
        # A Teaching says of every target where it counts, so none of the two is None.
        name: type(target)(*(torch.cat(both) for both in zip(target, second[name], strict=True)))  # type: ignore[arg-type]
        for name, target in first.items()
    }
