"""Learning from a teacher's soft mask: terms that are least where the student says what the teacher says.

The losses of drawn masks are not: against a target between 0 and 1 their overlap term pulls towards 0 or 1 (a
ring of 0.25 is best met with 0.11 by `structure_v2`). So a soft mask has a term of its own.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.faults import FaultCode, FaultError

# Soft masks are kept in 8 bits: beyond half a step of it nobody knows how sure the teacher was. Softened by a
# temperature, a whole zero taken for a logit of -14 would teach a sureness that the teacher never had.
SURE = 1 / 510
MOST_BLEND = 0.5  # beyond it the truth would be outvoted


def blend(mask: Tensor, soft: Tensor, share: float) -> Tensor:
    """(1 - share) mask + share soft: a segmentation target, [B, 1, H, W] in 0..1.

    Of runs begun before soft masks had a term of their own (`mask_share`). Raises FaultError ARGUMENT when
    the teacher's share is not in 0..0.5.
    """
    if not 0 <= share <= MOST_BLEND:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a share of the soft mask in 0..{MOST_BLEND}",
            got=str(share),
            remedy="lower mask_share of the teachers",
        )
    return mask + share * (soft - mask)


def kl(logits: Tensor, soft: Tensor, weight: Tensor | None = None, temperature: float = 1.0) -> Tensor:
    """T^2 KL(sigmoid(zt / T) || sigmoid(zs / T)), mean over all pixels; zt are the soft mask's logits.

    logits, soft, weight: [B, 1, H, W]; soft in 0..1. `weight` is how much each pixel counts (None: 1): where
    it is small throughout, so is the loss. T^2 keeps the gradient's size whatever the temperature. Without
    weights and temperature its gradient is that of binary cross entropy.
    Source: Hinton 2015, for two classes.
    """
    teacher = torch.logit(soft.float(), eps=SURE) / temperature
    target = teacher.sigmoid()
    cross = F.binary_cross_entropy_with_logits(logits.float() / temperature, target, reduction="none")
    entropy = F.binary_cross_entropy_with_logits(teacher, target, reduction="none")
    divergence = cross - entropy
    return temperature**2 * (divergence if weight is None else weight * divergence).mean()


def kl_dice(logits: Tensor, soft: Tensor, weight: Tensor | None = None, temperature: float = 1.0) -> Tensor:
    """`kl` plus a Dice of squares, which a soft mask met exactly makes 0; smoothing 1.

    1 - (2 sum p q + 1) / (sum p^2 + sum q^2 + 1) = sum (p - q)^2 / (sum p^2 + sum q^2 + 1): with plain sums
    below the line it would pull towards 0 or 1. An image's counts as much as its mean weight. The temperature
    is for `kl` alone: Dice is of the masks as they are shown. Source: Milletari 2016.
    """
    logits, soft = logits.float(), soft.float()
    weight = torch.ones_like(soft) if weight is None else weight
    probability = logits.sigmoid()
    apart = ((probability - soft).square() * weight).sum((1, 2, 3))
    total = ((probability.square() + soft.square()) * weight).sum((1, 2, 3))
    dice = apart / (total + 1) * weight.mean((1, 2, 3))
    return kl(logits, soft, weight, temperature) + dice.mean()


def confidence(soft: Tensor) -> Tensor:
    """|2 q - 1|: 1 where the teacher is sure, 0 at one half, where it knows nothing."""
    return (2 * soft - 1).abs()
