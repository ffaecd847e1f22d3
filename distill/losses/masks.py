"""Losses on whole masks."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

NOTEBOOK_EPS, NOTEBOOK_CLAMP = 1e-6, 1e-7


def soft_dice(logits: Tensor, mask: Tensor, smooth: float = 1.0) -> Tensor:
    """1 - soft Dice, mean over the batch.

    logits, mask: [B, 1, H, W]. The smoothing keeps a gradient on empty masks: with eps 1e-6 an empty mask
    costs a constant 1, and negatives would learn from BCE alone. Source: Milletari 2016,
    plain sums below the line.
    """
    return _dice_of(logits.float().sigmoid(), mask, smooth)


def bce_dice(logits: Tensor, mask: Tensor) -> Tensor:
    """Binary cross entropy plus `soft_dice`."""
    return F.binary_cross_entropy_with_logits(logits.float(), mask) + soft_dice(logits, mask)


def bce_dice_notebook(logits: Tensor, mask: Tensor) -> Tensor:
    """BCE plus soft Dice as the published notebook computes them: eps 1e-6, probabilities clamped to 1e-7.

    For the preset `notebook` only: on an empty mask the Dice term is a constant near 1 without a gradient.
    """
    probability = logits.float().sigmoid().clamp(NOTEBOOK_CLAMP, 1 - NOTEBOOK_CLAMP)
    return F.binary_cross_entropy(probability, mask) + _dice_of(probability, mask, NOTEBOOK_EPS)


def _dice_of(probability: Tensor, mask: Tensor, smooth: float) -> Tensor:
    both = (probability * mask).sum((1, 2, 3))
    total = probability.sum((1, 2, 3)) + mask.sum((1, 2, 3))
    return (1 - (2 * both + smooth) / (total + smooth)).mean()
