"""What a network says of the validation images while it is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import nn

from distill.data.dataset import Batch, Pictures, plain_batch
from distill.teaching.targets import Teaching, on_device
from distill.train.lesson import Lesson
from engine.types import F32

BATCH = 8


def maps_of(
    lesson: Lesson, network: nn.Module, pictures: Pictures, size_px: int, beat: Callable[[], None]
) -> Iterator[F32]:
    """The maps of all pictures in order, float32 [size_px, size_px] in 0..1; `beat` is called every batch."""
    network.eval()
    device = next(network.parameters()).device
    for start in range(0, len(pictures), BATCH):
        positions = range(start, min(start + BATCH, len(pictures)))
        batch = plain_batch(pictures, positions, size_px)
        with torch.inference_mode():
            logits = lesson.logits(batch.image.to(device), network)
        beat()
        yield from logits.sigmoid().cpu().numpy()[:, 0]


def first_batches(pictures: Pictures, size_px: int, batch: int, count: int) -> Iterator[Batch]:
    """`count` batches of plain frames, spread over the pictures so that every set has its chance."""
    wanted = min(len(pictures), batch * count)
    spread = [rank * len(pictures) // wanted for rank in range(wanted)]
    for start in range(0, wanted, batch):
        yield plain_batch(pictures, spread[start : start + batch], size_px)


@torch.no_grad()
def teachers_watch(lesson: Lesson, teaching: Teaching, pictures: Pictures, size_px: int) -> dict[str, float]:
    """The distiller's `watch` on two validation batches, mean: gate G3 is judged there."""
    lesson.eval()
    device = lesson.mean.device
    found: list[dict[str, float]] = []
    for batch in first_batches(pictures, size_px, BATCH, 2):
        targets = on_device(teaching.targets(batch), device)
        found.append(lesson(batch.image.to(device), batch.mask.to(device), targets).watch)
    return {name: sum(watch[name] for watch in found) / len(found) for name in found[0]}
