"""What U-Net and U-Net++ share: two 3x3 convolutions a level, and the encoder made of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

PLAIN_STRIDES = (1, 2, 4, 8, 16)  # depth 4


def double_conv(inputs: int, outputs: int, between: int = 0, bias: bool = False) -> nn.Sequential:
    """3x3, BatchNorm, ReLU, twice; `between` channels in the middle, 0 means as many as come out."""
    between = between or outputs
    return nn.Sequential(
        nn.Conv2d(inputs, between, 3, padding=1, bias=bias),
        nn.BatchNorm2d(between),
        nn.ReLU(inplace=True),
        nn.Conv2d(between, outputs, 3, padding=1, bias=bias),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Twice(nn.Module):
    """Bilinear x2 with aligned corners, as the published figures of U-Net, U-Net++ and PraNet were made."""

    def forward(self, tensor: Tensor) -> Tensor:
        return F.interpolate(tensor, scale_factor=2, mode="bilinear", align_corners=True)


class PlainEncoder(nn.Module):
    """image [B, 3, H, W] -> five maps [B, widths[i], H / 2^i, W / 2^i]."""

    def __init__(self, widths: Sequence[int], bias: bool = False) -> None:
        super().__init__()
        inputs = (3, *widths[:-1])
        self.levels = nn.ModuleList(
            double_conv(before, after, bias=bias) for before, after in zip(inputs, widths, strict=True)
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        maps = [self.levels[0](image)]
        for level in list(self.levels)[1:]:
            maps.append(level(F.max_pool2d(maps[-1], 2)))
        return maps
