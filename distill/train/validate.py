"""What a network says of the validation images while it is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import nn

from distill.data.dataset import Batch, Pictures, plain_batch
from distill.teaching.targets import Teaching, on_device
from distill.train.module import TrainingModule
from engine.types import F32, Region, Size
from engine.view.region import placed

BATCH = 8


def maps_of(
    module: TrainingModule,
    network: nn.Module,
    pictures: Pictures,
    size_px: int,
    beat: Callable[[], None],
    region: Region = "frame",
) -> Iterator[F32]:
    """The maps of all pictures in order, float32 [size_px, size_px] in 0..1; of a picture's size where it was
    cut. `beat` is called every batch.
    """
    network.eval()
    device = next(network.parameters()).device
    for start in range(0, len(pictures), BATCH):
        positions = range(start, min(start + BATCH, len(pictures)))
        batch = plain_batch(pictures, positions, size_px, region)
        with torch.inference_mode():
            logits = module.logits(batch.image.to(device), network)
        beat()
        for position, said in zip(positions, logits.sigmoid().cpu().numpy()[:, 0], strict=True):
            image = pictures.images[position]
            yield placed(said, pictures.box_of(position, region), Size(image.shape[1], image.shape[0]))


def first_batches(
    pictures: Pictures, size_px: int, batch: int, count: int, region: Region = "frame"
) -> Iterator[Batch]:
    """`count` batches of plain frames, or of that region of them, spread over the pictures so that every set
    has its chance.
    """
    wanted = min(len(pictures), batch * count)
    spread = [rank * len(pictures) // wanted for rank in range(wanted)]
    for start in range(0, wanted, batch):
        yield plain_batch(pictures, spread[start : start + batch], size_px, region)


@torch.no_grad()
def teachers_watch(
    module: TrainingModule, teaching: Teaching, pictures: Pictures, size_px: int, region: Region = "frame"
) -> dict[str, float]:
    """The distiller's `watch` on two validation batches, mean: gate G3 is judged there."""
    module.eval()
    device = module.mean.device
    found: list[dict[str, float]] = []
    for batch in first_batches(pictures, size_px, BATCH, 2, region):
        targets = on_device(teaching.targets(batch), device)
        found.append(module(batch.image.to(device), batch.mask.to(device), targets).watch)
    return {name: sum(watch[name] for watch in found) / len(found) for name in found[0]}
