"""The latent maps L1 and L2 of Polyp-DiFoM (arXiv 2512.09307), and how the decoder gets them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.models.arguments import one_of

# Not in the paper's text: 512 -> 256 -> 256, with 1033 -> 256 for its teachers, make the 0.46 M that its code
# adds to U-Net++ (docs/published-method.md).
LATENT_CHANNELS = 256
CONCAT_RELU = "concat_relu"
FEEDS = ("none", "concat", CONCAT_RELU, "residual")
DEEPEST, FIRST, SECOND = "deepest", "L1", "L2"


class LatentFeed(nn.Module):
    """L1 = 1x1 convolution of the deepest map, L2 = 1x1 convolution of L1, both seen by the decoder.

    `concat`, as the paper says: 1x1([map, L1, L2]), BatchNorm and ReLU take the map's place; `straight`, for
    a decoder that begins with convolutions of its own (PraNet): [map, L1, L2] itself does, `width` channels.
    `concat_relu`: the same with a ReLU behind L1, as the public notebook has it; for imported networks.
    `residual`: the map plus a 1x1 of [L1, L2] that starts at zero, so an untrained feed changes nothing.
    `none`: no latents and no parameters, the map goes through.
    Raises FaultError ARGUMENT for another kind.
    """

    def __init__(self, kind: str, channels: int, straight: bool = False) -> None:
        super().__init__()
        self.kind = one_of("latent_feed", kind, FEEDS)
        self.concats = kind in ("concat", CONCAT_RELU)
        self.straight = straight and self.concats
        self.width = channels + 2 * LATENT_CHANNELS if self.straight else channels
        if kind == "none":
            return
        self.first = nn.Conv2d(channels, LATENT_CHANNELS, 1)
        self.second = nn.Conv2d(LATENT_CHANNELS, LATENT_CHANNELS, 1)
        if self.straight:
            return
        if self.concats:
            self.mix = nn.Sequential(
                nn.Conv2d(channels + 2 * LATENT_CHANNELS, channels, 1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(inplace=True),
            )
        else:
            self.offset = nn.Conv2d(2 * LATENT_CHANNELS, channels, 1)
            nn.init.zeros_(self.offset.weight)
            nn.init.zeros_(self.offset.bias)  # type: ignore[arg-type]

    def forward(self, deepest: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """[B, C, h, w] -> what the decoder gets in its place [B, width, h, w], and the maps by name."""
        if self.kind == "none":
            return deepest, {DEEPEST: deepest}
        first = self.first(deepest)
        if self.kind == CONCAT_RELU:
            first = first.relu()
        second = self.second(first)
        maps = {DEEPEST: deepest, FIRST: first, SECOND: second}
        if self.concats:
            whole = torch.cat([deepest, first, second], dim=1)
            return (whole if self.straight else self.mix(whole)), maps
        return deepest + self.offset(torch.cat([first, second], dim=1)), maps

    def sizes(self, channels: int, stride: int) -> tuple[dict[str, int], dict[str, int]]:
        """Strides and channels of the maps, by name, at a deepest map of that size."""
        names = (DEEPEST,) if self.kind == "none" else (DEEPEST, FIRST, SECOND)
        widths = {name: channels if name == DEEPEST else LATENT_CHANNELS for name in names}
        return dict.fromkeys(names, stride), widths
