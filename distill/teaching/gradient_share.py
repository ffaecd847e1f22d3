"""How much of the encoder's gradient the feature terms may have, next to the segmentation's."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

SMALLEST, LARGEST = 1e-2, 1e2  # of the scale: a vanishing term is not blown up without end
MEMORY = 0.9  # of the scale's logarithm: single batches are noisy


def gradient_norm(loss: Tensor, parameters: Sequence[nn.Parameter]) -> float:
    """Length of the loss's gradient over these parameters; the graph and every .grad stay as they are."""
    learning = [parameter for parameter in parameters if parameter.requires_grad]
    if not loss.requires_grad or not learning:
        return 0.0
    found = torch.autograd.grad(loss, learning, retain_graph=True, allow_unused=True)
    squares = [gradient.float().square().sum() for gradient in found if gradient is not None]
    return float(torch.stack(squares).sum().sqrt()) if squares else 0.0


def gradient_ratio(distil: Tensor, segmentation: Tensor, encoder: Sequence[nn.Parameter]) -> float:
    """Norm of the feature terms' gradient / norm of the segmentation loss's, over the encoder: gate G5.

    Both losses as they enter the sum, weights included. Infinite where the segmentation has no gradient.
    """
    below = gradient_norm(segmentation, encoder)
    return gradient_norm(distil, encoder) / below if below > 0 else math.inf


def next_scale(ratio: float, share: float, before: float | None = None) -> float:
    """The factor of the feature terms that makes `gradient_ratio` the share, clipped to 0.01..100.

    `ratio` is measured with factor 1. `before` is the last factor, of which most is kept; None at the start.
    """
    wanted = share / ratio if ratio > 0 else LARGEST
    wanted = min(max(wanted, SMALLEST), LARGEST)
    if before is None:
        return wanted
    return math.exp(MEMORY * math.log(before) + (1 - MEMORY) * math.log(wanted))
