"""How far the members of a teacher agree on an image: committee members, or one network on mirrored pictures.

An image that nobody labelled teaches only where they do: what a single network is sure of may be wrong (Xie
2020, noisy student, keeps what one network is sure of; Lakshminarayanan 2017 on why several tell it better).
"""

from __future__ import annotations

import torch
from torch import Tensor

EMPTY_BELOW = 0.1  # the mean of five members stays below it where none of them reaches a half


def disagreement(maps: Tensor) -> Tensor:
    """[N, ...] maps in 0..1 of N members -> [...]: the mean of |p_i - p_j| over all pairs; 0 of one."""
    count = len(maps)
    if count < 2:
        return torch.zeros_like(maps[0])
    # Sorted, the k-th of N is the larger one of k pairs and the smaller one of N - 1 - k.
    times = 2.0 * torch.arange(count, dtype=maps.dtype, device=maps.device) - (count - 1)
    total: Tensor = torch.tensordot(times, maps.sort(dim=0).values, dims=1)
    return total * (2 / (count * (count - 1)))


def pairwise_dice(mean: Tensor, apart: Tensor, valid: Tensor) -> Tensor:
    """[B]: soft Dice of the members' masks, 2 sum min(p_i, p_j) / sum (p_i + p_j), pooled over all pairs.

    mean, apart (`disagreement`), valid: [B, 1, H, W]. min(p, q) is (p + q - |p - q|) / 2, so the mean mask
    and the mean difference are all it takes. 1 where nobody marks anything.
    """
    marked = (2 * mean * valid).sum((1, 2, 3))
    differing = (apart * valid).sum((1, 2, 3))
    return torch.where(marked > 0, 1 - differing / marked.clamp_min(1e-6), 1.0)


def trust(mean: Tensor, apart: Tensor, valid: Tensor, least_dice: float) -> Tensor:
    """How much each pixel of a view counts, [B, 1, H, W] in 0..1, by what the members say of it.

    Nothing of a view where their pairwise Dice is under `least_dice`, unless all are sure that it is empty:
    the mean mask stays below 0.1 everywhere. Otherwise 1 less their disagreement, and 0 where `valid` is.
    """
    agreed = pairwise_dice(mean, apart, valid) >= least_dice
    empty = (mean * valid).amax((1, 2, 3)) < EMPTY_BELOW
    return (agreed | empty).view(-1, 1, 1, 1) * valid * (1 - apart)
