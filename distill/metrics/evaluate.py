"""How good maps are: per set and pooled, at native mask size, and false alarms on polyp-free images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from distill.data.dataset import Pictures
from distill.metrics.image import dice_iou
from distill.metrics.pixels import at_native_size
from distill.metrics.rows import ImageResult, card_rows
from engine.model_card import Metric
from engine.types import F32


@dataclass(frozen=True, slots=True)
class Report:
    """Rows for `model.json`; a set appears only where it has images for the figure."""

    metrics: tuple[Metric, ...]

    def value(self, set_name: str, name: str) -> float:
        """Raises StopIteration when there is no such row."""
        return next(m.value for m in self.metrics if m.set == set_name and m.name == name)


def evaluate(pictures: Pictures, maps: Iterable[F32]) -> Report:
    """Dice, IoU and hits per set and pooled, and the share of polyp-free images with any finding.

    maps: float32 in 0..1, one a picture, in order. A hit is a polyp image whose found mask touches the label.
    """
    outcomes = []
    for mask, probability in zip(pictures.masks, maps, strict=True):
        found = at_native_size(probability, mask) > 0.5
        there = mask > 0
        dice, iou = dice_iou(found, mask)
        hit = bool((found & there).any())
        outcomes.append(ImageResult(dice, iou, bool(found.any()), hit, polyp_share=float(there.mean())))
    return Report(tuple(card_rows(pictures.records, outcomes)))
