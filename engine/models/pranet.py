"""PraNet (Fan 2020, arXiv 2006.11392), with the partial decoder of CPD (Wu 2019, arXiv 1904.08739)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.base import Prediction, Student
from engine.models.encoder import channels_of, make_encoder
from engine.models.latents import LatentFeed
from engine.models.plain import Twice

STRIDES = (8, 16, 32)
RECEPTIVE = 32  # channels after a receptive field block


class PraNetStudent(Student):
    """A rough global map from the three deep levels, then three stages that look where the mask is not yet.

    The encoder is Res2Net50-v1b 26w4s, `res2net50d` in timm. Logits are the last stage's; auxiliary, finest
    first: the second stage, the first, the partial decoder's. Features s8 to s32 are the encoder's maps.
    Latents (`concat`) go straight into the deepest receptive field and the first stage: 31.3 M parameters,
    where Polyp-DiFoM prints 31.4.
    """

    def __init__(self, encoder: str = "res2net50d", latent_feed: str = "none") -> None:
        super().__init__()
        self.encoder = make_encoder(encoder, STRIDES)
        widths = channels_of(self.encoder)
        self.latents = LatentFeed(latent_feed, widths[-1], straight=True)
        seen = [*widths[:-1], self.latents.width]
        self.receptive = nn.ModuleList(ReceptiveField(width, RECEPTIVE) for width in seen)
        self.partial = PartialDecoder(RECEPTIVE)
        self.reverse = nn.ModuleList(
            [
                ReverseStage(seen[0], between=64, depth=2, kernel=3, last_kernel=3),
                ReverseStage(seen[1], between=64, depth=2, kernel=3, last_kernel=3),
                ReverseStage(seen[2], between=256, depth=3, kernel=5, last_kernel=1),
            ]
        )
        names = [f"s{stride}" for stride in STRIDES]
        strides, channels = self.latents.sizes(widths[-1], STRIDES[-1])
        self.strides = {**strides, **dict(zip(names, STRIDES, strict=True))}
        self.channels = {**channels, **dict(zip(names, widths, strict=True))}

    def predict(self, image: Tensor) -> Prediction:
        maps = self.encoder(image)
        deepest, features = self.latents(maps[-1])
        features |= {f"s{stride}": found for stride, found in zip(STRIDES, maps, strict=True)}
        seen = [*maps[:-1], deepest]
        narrow = [block(found) for block, found in zip(self.receptive, seen, strict=True)]
        rough = self.partial(*narrow)
        logits = [_resized(rough, 8)]
        said = _resized(rough, 0.25)
        for level in (2, 1, 0):
            said = self.reverse[level](seen[level], said)
            logits.append(_resized(said, STRIDES[level]))
            if level > 0:
                said = _resized(said, 2)
        main, *auxiliary = reversed(logits)
        return Prediction(main, tuple(auxiliary), features)

    def encoder_parameters(self) -> list[nn.Parameter]:
        return list(self.encoder.parameters())


class ReceptiveField(nn.Module):
    """Four branches with growing kernels and dilations 1, 3, 5, 7, joined; plus a 1x1 of the input."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList([_conv(inputs, outputs, 1)])
        for size in (3, 5, 7):
            self.branches.append(
                nn.Sequential(
                    _conv(inputs, outputs, 1),
                    _conv(outputs, outputs, (1, size)),
                    _conv(outputs, outputs, (size, 1)),
                    _conv(outputs, outputs, 3, dilation=size),
                )
            )
        self.join = _conv(4 * outputs, outputs, 3)
        self.straight = _conv(inputs, outputs, 1)

    def forward(self, deep: Tensor) -> Tensor:
        joined = self.join(torch.cat([branch(deep) for branch in self.branches], dim=1))
        return F.relu(joined + self.straight(deep))


class PartialDecoder(nn.Module):
    """Three maps at strides 8, 16, 32 -> logits [B, 1, H / 8, W / 8]; each level gated by all deeper ones.

    Raised with aligned corners, as the authors of both do; the masks after it are not.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.twice = Twice()
        self.gate_16 = _conv(channels, channels, 3)
        self.gate_8_by_32 = _conv(channels, channels, 3)
        self.gate_8_by_16 = _conv(channels, channels, 3)
        self.raise_32 = _conv(channels, channels, 3)
        self.join_16 = _conv(2 * channels, 2 * channels, 3)
        self.raise_16 = _conv(2 * channels, 2 * channels, 3)
        self.join_8 = _conv(3 * channels, 3 * channels, 3)
        self.last = _conv(3 * channels, 3 * channels, 3)
        self.head = nn.Conv2d(3 * channels, 1, 1)

    def forward(self, at_8: Tensor, at_16: Tensor, at_32: Tensor) -> Tensor:
        raised = self.twice(at_32)
        gated_16 = self.gate_16(raised) * at_16
        gated_8 = self.gate_8_by_32(self.twice(raised)) * self.gate_8_by_16(self.twice(at_16)) * at_8
        joined_16 = self.join_16(torch.cat([gated_16, self.raise_32(raised)], dim=1))
        joined_8 = self.join_8(torch.cat([gated_8, self.raise_16(self.twice(joined_16))], dim=1))
        logits: Tensor = self.head(self.last(joined_8))
        return logits


class ReverseStage(nn.Module):
    """Reverse attention: the level's map where the mask said no, convolved to a correction of the mask."""

    def __init__(self, inputs: int, between: int, depth: int, kernel: int, last_kernel: int) -> None:
        super().__init__()
        self.reduce = _conv(inputs, between, 1)
        self.convs = nn.ModuleList(_conv(between, between, kernel) for _ in range(depth))
        self.last = _conv(between, 1, last_kernel)

    def forward(self, level: Tensor, said: Tensor) -> Tensor:
        """level [B, C, h, w], said: logits [B, 1, h, w] -> better logits."""
        here = self.reduce(level * (1 - said.sigmoid()))
        for conv in self.convs:
            here = F.relu(conv(here))
        better: Tensor = said + self.last(here)
        return better


def _conv(inputs: int, outputs: int, kernel: int | tuple[int, int], dilation: int = 1) -> nn.Sequential:
    """Convolution that keeps the size, and BatchNorm; no activation."""
    rows, columns = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (dilation * (rows // 2), dilation * (columns // 2))
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, (rows, columns), padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(outputs),
    )


def _resized(tensor: Tensor, factor: float) -> Tensor:
    return F.interpolate(tensor, scale_factor=factor, mode="bilinear")
