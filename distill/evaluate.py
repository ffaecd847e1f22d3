"""How good a network is: per set and pooled, at native mask size, and its false alarms on polyp-free images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from distill.data.dataset import Pictures, squash
from distill.metrics.image import PROTOCOL, bootstrap_interval, dice_iou
from engine.types import F32, U8

POOLED = "pooled"


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
class Figure:
    """One row of `model.json` metrics; `low` and `high` bound 95 %, by resampling groups."""

    set: str
    protocol: str
    name: str
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Report:
    figures: tuple[Figure, ...]

    def value(self, set_name: str, name: str) -> float:
        return next(f.value for f in self.figures if f.set == set_name and f.name == name)


def probabilities(
    model: nn.Module, normalise: Normalise, pictures: Pictures, size_px: int, precision: str = "float32", batch: int = 8
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


def at_native_size(probability: F32, mask: U8) -> F32:
    """The map at the mask's size, float32 [h, w]."""
    height, width = mask.shape
    return cv2.resize(probability, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)


def evaluate(
    pictures: Pictures,
    maps: Iterable[F32],
    threshold: float = 0.5,
    keep: Callable[[F32], F32] = lambda probability: probability,
) -> Report:
    """Dice and IoU per set and pooled, and the share of polyp-free images with any finding.

    maps: one a picture, in order. `keep` may clean a map at native size (smallest areas) before the threshold.
    """
    dices, ious, alarms = [], [], []
    for mask, probability in zip(pictures.masks, maps, strict=True):
        found = keep(at_native_size(probability, mask)) > threshold
        dice, iou = dice_iou(found, mask)
        dices.append(dice)
        ious.append(iou)
        alarms.append(float(found.any()))
    return Report(tuple(_figures(pictures, np.array(dices), np.array(ious), np.array(alarms), threshold)))


def _figures(
    pictures: Pictures, dices: np.ndarray, ious: np.ndarray, alarms: np.ndarray, threshold: float
) -> Iterator[Figure]:
    protocol = PROTOCOL if threshold == 0.5 else f"p{threshold:g}_image"
    sets = [record.set for record in pictures.records]
    groups = [record.group for record in pictures.records]
    free = np.array([not mask.any() for mask in pictures.masks])
    for set_name in [*sorted(set(sets)), POOLED]:
        inside = np.array([set_name in (own, POOLED) for own in sets])
        for name, values, rows in (
            ("dice", dices, inside),
            ("iou", ious, inside),
            ("dice_polyp_images", dices, inside & ~free),
            ("false_alarm_share_polyp_free", alarms, inside & free),
        ):
            if not rows.any():
                continue
            low, high = bootstrap_interval(values[rows], [groups[i] for i in np.flatnonzero(rows)])
            yield Figure(
                set_name, protocol, name, *(round(float(v), 4) for v in (values[rows].mean(), low, high)), int(rows.sum())
            )
