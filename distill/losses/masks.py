"""Losses on whole masks."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def soft_dice(logits: Tensor, mask: Tensor, smooth: float = 1.0) -> Tensor:
    """1 - soft Dice, mean over the batch.

    logits, mask: [B, 1, H, W]. The smoothing keeps a gradient on empty masks: with eps 1e-6 an empty mask
    costs a constant 1, and negatives would learn from BCE alone. Source: Milletari 2016,
    plain sums below the line.
    """
    probability = logits.float().sigmoid()
    both = (probability * mask).sum((1, 2, 3))
    total = probability.sum((1, 2, 3)) + mask.sum((1, 2, 3))
    return (1 - (2 * both + smooth) / (total + smooth)).mean()


def bce_dice(logits: Tensor, mask: Tensor) -> Tensor:
    """Binary cross entropy plus `soft_dice`."""
    return F.binary_cross_entropy_with_logits(logits.float(), mask) + soft_dice(logits, mask)
