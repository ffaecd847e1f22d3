"""The structure loss: pixels near an edge count more."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

WINDOW_PX = 31


def edge_weight(mask: Tensor, count_padding: bool = False) -> Tensor:
    """1 + 5 |mean of the mask around - mask|, [B, 1, H, W].

    The mean counts only pixels inside the picture: zero padding (`count_padding`, as in the published code)
    gives the corners of an all-ones mask weight 4.67. Two one-dimensional passes, the window is separable.
    """
    pad = WINDOW_PX // 2
    rows = F.avg_pool2d(mask, (1, WINDOW_PX), stride=1, padding=(0, pad), count_include_pad=count_padding)
    around = F.avg_pool2d(rows, (WINDOW_PX, 1), stride=1, padding=(pad, 0), count_include_pad=count_padding)
    return 1 + 5 * (around - mask).abs()


def structure_v1(logits: Tensor, mask: Tensor, count_padding: bool = False) -> Tensor:
    """Plain BCE plus edge-weighted IoU loss, mean over the batch.

    logits, mask: [B, 1, H, W]. PraNet's code asks for the BCE with the legacy `reduce='none'`, which is
    truthy: it gets the scalar mean, and the edge weights cancel. Written here as what it comes to.
    Source: PraNet (Fan 2020), MyTrain.py.
    """
    logits = logits.float()
    iou = _weighted_iou_loss(logits.sigmoid(), mask, edge_weight(mask, count_padding))
    return F.binary_cross_entropy_with_logits(logits, mask) + iou.mean()


def structure_v2(logits: Tensor, mask: Tensor) -> Tensor:
    """Edge-weighted BCE plus edge-weighted IoU loss, mean over the batch.

    logits, mask: [B, 1, H, W]. Source: PraNet (Fan 2020), with the weights per pixel as PraNet-V2 mends it.
    """
    logits = logits.float()
    weight = edge_weight(mask)
    bce = F.binary_cross_entropy_with_logits(logits, mask, reduction="none")
    weighted_bce = (weight * bce).sum((1, 2, 3)) / weight.sum((1, 2, 3))
    return (weighted_bce + _weighted_iou_loss(logits.sigmoid(), mask, weight)).mean()


def _weighted_iou_loss(probability: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """[B]; the 1 keeps it finite, and 0 for an empty mask that is left empty."""
    both = (probability * mask * weight).sum((1, 2, 3))
    total = ((probability + mask) * weight).sum((1, 2, 3))
    return 1 - (both + 1) / (total - both + 1)
