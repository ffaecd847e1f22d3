"""How good maps are: per set and pooled, at native mask size, and false alarms on polyp-free images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from distill.data.dataset import Pictures, squash
from distill.metrics.image import dice_iou
from distill.metrics.pixels import at_native_size
from distill.metrics.rows import FALSE_ALARMS, POOLED, Outcome, card_rows
from engine.model_card import Metric
from engine.types import F32, U8

__all__ = ["FALSE_ALARMS", "POOLED", "Normalise", "Report", "evaluate", "probabilities"]


@dataclass(frozen=True, slots=True)
class Normalise:
    """float [B, 3, H, W] in 0..1 -> what the network expects."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __call__(self, image: Tensor) -> Tensor:
        mean = torch.tensor(self.mean).view(1, 3, 1, 1)
        std = torch.tensor(self.std).view(1, 3, 1, 1)
        return (image - mean) / std


@dataclass(frozen=True, slots=True)
class Report:
    """Rows for `model.json`; a set appears only where it has images for the figure."""

    metrics: tuple[Metric, ...]

    def value(self, set_name: str, name: str) -> float:
        """Raises StopIteration when there is no such row."""
        return next(m.value for m in self.metrics if m.set == set_name and m.name == name)


def probabilities(
    model: nn.Module,
    normalise: Normalise,
    pictures: Pictures,
    size_px: int,
    precision: str = "float32",
    batch: int = 8,
) -> Iterator[F32]:
    """The maps of all pictures in order, float32 [size_px, size_px] in 0..1."""
    model.eval()
    for start in range(0, len(pictures), batch):
        inputs = network_input(pictures.images[start : start + batch], size_px)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            logits = model(normalise(inputs))
        yield from logits.float().sigmoid().numpy()[:, 0]


def network_input(images: Sequence[U8], size_px: int) -> Tensor:
    """Squashed full frames, float32 [B, 3, size_px, size_px] RGB in 0..1, channels last in memory."""
    stacked = np.stack([squash(image, size_px) for image in images])
    return torch.from_numpy(stacked).permute(0, 3, 1, 2).float().div_(255.0)


def evaluate(pictures: Pictures, maps: Iterable[F32]) -> Report:
    """Dice, IoU and hits per set and pooled, and the share of polyp-free images with any finding.

    maps: float32 in 0..1, one a picture, in order. A hit is a polyp image whose found mask touches the label.
    """
    outcomes = []
    for mask, probability in zip(pictures.masks, maps, strict=True):
        found = at_native_size(probability, mask) > 0.5
        there = mask > 0
        dice, iou = dice_iou(found, mask)
        outcomes.append(
            Outcome(dice, iou, bool(found.any()), bool((found & there).any()), polyp=bool(there.any()))
        )
    return Report(tuple(card_rows(pictures.records, outcomes)))
