"""Learning from a teacher's soft mask."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.faults import FaultCode, FaultError

TEMPERATURE = 2.0
SURE = 1e-6  # soft masks stored in 8 bits hold whole zeros and ones; their logits are +-13.8
MOST_BLEND = 0.5  # beyond it the truth would be outvoted


def blend(mask: Tensor, soft: Tensor, share: float) -> Tensor:
    """(1 - share) mask + share soft: a segmentation target, [B, 1, H, W] in 0..1.

    Raises FaultError ARGUMENT when the teacher's share is not in 0..0.5.
    """
    if not 0 <= share <= MOST_BLEND:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a share of the soft mask in 0..{MOST_BLEND}",
            got=str(share),
            remedy="lower mask_share of the teachers",
        )
    return mask + share * (soft - mask)


def binary_kl(logits: Tensor, soft: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """T^2 KL(sigmoid(zt / T) || sigmoid(zs / T)), mean over the pixels; zt are the soft mask's logits.

    logits, soft: [B, 1, H, W]; soft in 0..1. T^2 keeps the gradient's size whatever the temperature.
    Source: Hinton 2015, for two classes.
    """
    teacher = torch.logit(soft.float(), eps=SURE) / temperature
    target = teacher.sigmoid()
    cross = F.binary_cross_entropy_with_logits(logits.float() / temperature, target, reduction="none")
    entropy = F.binary_cross_entropy_with_logits(teacher, target, reduction="none")
    return temperature**2 * (cross - entropy).mean()


def soft_bce_dice(logits: Tensor, soft: Tensor, weight: Tensor | None = None) -> Tensor:
    """BCE to the soft mask plus soft Dice with smoothing 1, both weighted pixel by pixel.

    logits, soft, weight: [B, 1, H, W]. The weight is |2 soft - 1| by default: a teacher at one half knows
    nothing there. For an ensemble, give its agreement instead.
    """
    logits, soft = logits.float(), soft.float()
    weight = (2 * soft - 1).abs() if weight is None else weight
    bce = F.binary_cross_entropy_with_logits(logits, soft, reduction="none")
    weighted_bce = (weight * bce).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp_min(1.0)
    probability = logits.sigmoid()
    # min(p, q) instead of p q: a soft mask met exactly costs nothing.
    both = (torch.minimum(probability, soft) * weight).sum((1, 2, 3))
    total = ((probability + soft) * weight).sum((1, 2, 3))
    return (weighted_bce + 1 - (2 * both + 1) / (total + 1)).mean()
