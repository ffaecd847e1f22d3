"""The real-time student: a small pretrained encoder and a 64-channel top-down decoder."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.base import Prediction, Student
from engine.models.encoder import DECODER_STRIDES, channels_of, make_encoder
from engine.models.latents import LatentFeed


class LightStudent(Student):
    """1x1 laterals at strides 4 to 32, bilinear x2 and add, a separable 3x3 a level, head at stride 4.

    Nothing in it is slow in int8: ReLU only, no attention, no concatenation (`latent_feed` "concat" has one).
    With tf_efficientnet_lite0 at 352x352: 3.0 M parameters, 1.0 GMAC; docs/students.md has the others.
    Features s4 to s32 are the decoder's maps.
    """

    def __init__(
        self, encoder: str = "tf_efficientnet_lite0", channels: int = 64, latent_feed: str = "none"
    ) -> None:
        super().__init__()
        self.encoder = make_encoder(encoder)
        widths = channels_of(self.encoder)
        self.latents = LatentFeed(latent_feed, widths[-1])
        self.laterals = nn.ModuleList(_lateral(width, channels) for width in widths)
        self.smooth = nn.ModuleList(_separable(channels) for _ in widths)
        self.head = nn.Conv2d(channels, 1, kernel_size=1)
        names = [f"s{stride}" for stride in DECODER_STRIDES]
        strides, latent_channels = self.latents.sizes(widths[-1], DECODER_STRIDES[-1])
        self.strides = {**strides, **dict(zip(names, DECODER_STRIDES, strict=True))}
        self.channels = {**latent_channels, **dict.fromkeys(names, channels)}

    def predict(self, image: Tensor) -> Prediction:
        features = self._maps(image)
        finest = features[f"s{DECODER_STRIDES[0]}"]
        logits = F.interpolate(self.head(finest), scale_factor=DECODER_STRIDES[0], mode="bilinear")
        return Prediction(logits, (), features)

    def _maps(self, image: Tensor) -> dict[str, Tensor]:
        """The encoder's deepest map, then the decoder's maps, coarse ones first."""
        maps = self.encoder(image)
        found: dict[str, Tensor]
        deepest, found = self.latents(maps[-1])
        seen = [*maps[:-1], deepest]
        above: Tensor | None = None
        for level in reversed(range(len(seen))):
            here = self.laterals[level](seen[level])
            if above is not None:
                here = here + F.interpolate(above, scale_factor=2, mode="bilinear")
            above = self.smooth[level](here)
            found[f"s{DECODER_STRIDES[level]}"] = above
        return found

    def encoder_parameters(self) -> list[nn.Parameter]:
        return list(self.encoder.parameters())


def _lateral(width: int, channels: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(width, channels, 1, bias=False), nn.BatchNorm2d(channels))


def _separable(channels: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )
