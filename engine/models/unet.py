"""U-Net (Ronneberger 2015, arXiv 1505.04597) with BatchNorm and padded convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.models.arguments import one_of
from engine.models.base import Prediction, Student
from engine.models.latents import LatentFeed
from engine.models.plain import PlainEncoder, Twice, double_conv

UPS = ("bilinear", "transposed")


class UNetStudent(Student):
    """Depth 4, `width` channels at full size, doubled a level.

    `up` "bilinear": no parameters on the way up, the deepest level no wider than the one above it (64..1024
    in name, 17.26 M). "transposed": 2x2 transposed convolutions and the full 16 x `width` (31.04 M).
    Features: s8 and s4 of the decoder, s16 the deepest map. Raises FaultError ARGUMENT for another `up`.
    """

    def __init__(self, width: int = 64, up: str = "bilinear", latent_feed: str = "none") -> None:
        super().__init__()
        one_of("up", up, UPS)
        skips = [width, 2 * width, 4 * width, 8 * width]
        deepest = skips[-1] if up == "bilinear" else 16 * width
        self.encoder = PlainEncoder([*skips, deepest])
        self.latents = LatentFeed(latent_feed, deepest)
        self.ups = nn.ModuleList()
        self.joins = nn.ModuleList()
        below = deepest
        for level in (3, 2, 1, 0):
            raised = below if up == "bilinear" else below // 2
            self.ups.append(Twice() if up == "bilinear" else nn.ConvTranspose2d(below, raised, 2, stride=2))
            joined = raised + skips[level]
            # Bilinear: the next join must again be of two equals, so narrow here instead of in the way up.
            below = skips[max(level - 1, 0)] if up == "bilinear" else skips[level]
            self.joins.append(double_conv(joined, below, between=joined // 2))
        self.head = nn.Conv2d(below, 1, 1)
        strides, channels = self.latents.sizes(deepest, 16)
        self.strides = {**strides, "s4": 4, "s8": 8, "s16": 16}
        of_s8, of_s4 = (skips[2], skips[1]) if up == "bilinear" else (skips[3], skips[2])
        self.channels = {**channels, "s4": of_s4, "s8": of_s8, "s16": deepest}

    def predict(self, image: Tensor) -> Prediction:
        *skips, deepest = self.encoder(image)
        here, features = self.latents(deepest)
        features["s16"] = deepest
        for level, up, join in zip((3, 2, 1, 0), self.ups, self.joins, strict=True):
            here = join(torch.cat([skips[level], up(here)], dim=1))
            if level >= 2:
                features[f"s{2**level}"] = here
        return Prediction(self.head(here), (), features)

    def encoder_parameters(self) -> list[nn.Parameter]:
        return list(self.encoder.parameters())
