"""What stands between a student's map and a teacher's; none of it is exported.

On the student's side a head a teacher (`make_head`): the target stays where it is, so no trivial optimum
exists. On the teachers' side one fusion of all: frozen, or trainable as in the published notebook, where
target and student then meet at a constant (docs/published-method.md, finding 1).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

LATENT_CHANNELS = 256  # of the notebook's L1 and L2


def make_head(channels: int, teacher_channels: int) -> nn.Module:
    """Student's map -> teacher's channels, 1x1."""
    return nn.Conv2d(channels, teacher_channels, kernel_size=1)


class FrozenFusion(nn.Module):
    """Concatenated teachers [B, sum of C, h, w] -> [B, channels, h, w] by orthonormal rows."""

    weight: Tensor

    def __init__(self, teacher_channels: int, channels: int) -> None:
        super().__init__()
        weight = nn.init.orthogonal_(nn.Conv2d(teacher_channels, channels, 1, bias=False).weight.detach())
        self.register_buffer("weight", weight)

    def forward(self, maps: Tensor) -> Tensor:
        return F.conv2d(maps, self.weight)


class TrainableFusion(nn.Sequential):
    """The notebook's: 1x1 and ReLU, in the same optimiser as the student. It collapses."""

    def __init__(self, teacher_channels: int, channels: int) -> None:
        super().__init__(nn.Conv2d(teacher_channels, channels, 1), nn.ReLU())


class DeadEnds(nn.Module):
    """L1 = 1x1 on the deepest map, L2 = 1x1 on L1, for a student whose decoder takes neither.

    Named as in the notebook; they learn beside the student and are thrown away.
    """

    def __init__(self, channels: int, latent_channels: int = LATENT_CHANNELS) -> None:
        super().__init__()
        self.linear1 = nn.Conv2d(channels, latent_channels, 1)
        self.linear2 = nn.Conv2d(latent_channels, latent_channels, 1)

    def forward(self, deepest: Tensor) -> tuple[Tensor, Tensor]:
        first: Tensor = self.linear1(deepest)
        return first, self.linear2(first)
