"""EMCAD (Rahman 2024, arXiv 2405.06880): efficient multi-scale convolutional attention decoding on PVTv2."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.base import Prediction, Student
from engine.models.encoder import DECODER_STRIDES, channels_of, make_encoder
from engine.models.latents import LatentFeed

KERNELS = (1, 3, 5)  # of the multi-scale depthwise convolutions
EXPANSION = 2
SQUEEZE = 16  # of the channel attention


class EMCADStudent(Student):
    """A pyramid vision transformer, and attention of every kind that a convolution can pay for.

    Deepest level: MSCAM. Then a level at a time: EUCB raises, LGAG gates the skip, added, MSCAM again. As in
    the public network all levels share one spatial attention, and the activation is ReLU (the text: ReLU6).
    Logits are those of stride 4, auxiliary those of strides 8, 16, 32; features s4 to s32 the decoder's maps.
    `encoder`: `pvt_v2_b2` (26.8 M parameters in all), `pvt_v2_b0` (3.9 M), or any timm encoder with maps at
    strides 4 to 32.
    """

    def __init__(self, encoder: str = "pvt_v2_b2", latent_feed: str = "none") -> None:
        super().__init__()
        self.encoder = make_encoder(encoder)
        widths = channels_of(self.encoder)
        self.latents = LatentFeed(latent_feed, widths[-1])
        self.spatial = SpatialAttention()
        self.refine = nn.ModuleList(Refinement(width) for width in widths)
        pairs = list(itertools.pairwise(widths))
        self.raises = nn.ModuleList(_raise(deeper, width) for width, deeper in pairs)
        self.gates = nn.ModuleList(AttentionGate(width) for width in widths[:-1])
        self.heads = nn.ModuleList(nn.Conv2d(width, 1, 1) for width in widths)
        names = [f"s{stride}" for stride in DECODER_STRIDES]
        strides, channels = self.latents.sizes(widths[-1], DECODER_STRIDES[-1])
        self.strides = {**strides, **dict(zip(names, DECODER_STRIDES, strict=True))}
        self.channels = {**channels, **dict(zip(names, widths, strict=True))}

    def predict(self, image: Tensor) -> Prediction:
        *skips, deepest = self.encoder(image)
        deepest, features = self.latents(deepest)
        here = self.refine[-1](deepest, self.spatial)
        maps = [here]
        for level in reversed(range(len(skips))):
            raised = self.raises[level](here)
            here = self.refine[level](raised + self.gates[level](raised, skips[level]), self.spatial)
            maps.insert(0, here)
        features |= {f"s{stride}": found for stride, found in zip(DECODER_STRIDES, maps, strict=True)}
        main, *auxiliary = (
            F.interpolate(head(found), scale_factor=stride, mode="bilinear")
            for head, found, stride in zip(self.heads, maps, DECODER_STRIDES, strict=True)
        )
        return Prediction(main, tuple(auxiliary), features)

    def encoder_parameters(self) -> list[nn.Parameter]:
        return list(self.encoder.parameters())


class ChannelAttention(nn.Module):
    """CAB: each channel weighted by what its mean and its maximum say through one shared bottleneck."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        between = max(channels // SQUEEZE, 1)
        self.bottleneck = nn.Sequential(
            nn.Conv2d(channels, between, 1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(between, channels, 1, bias=False),
        )

    def forward(self, tensor: Tensor) -> Tensor:
        mean = self.bottleneck(tensor.mean(dim=(2, 3), keepdim=True))
        highest = self.bottleneck(tensor.amax(dim=(2, 3), keepdim=True))
        weight: Tensor = (mean + highest).sigmoid()
        return tensor * weight


class SpatialAttention(nn.Module):
    """SAB: each place weighted by a 7x7 convolution of the mean and the maximum over the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, tensor: Tensor) -> Tensor:
        summary = torch.cat([tensor.mean(dim=1, keepdim=True), tensor.amax(dim=1, keepdim=True)], dim=1)
        weight: Tensor = self.conv(summary).sigmoid()
        return tensor * weight


class MultiScaleBlock(nn.Module):
    """MSCB: widen, depthwise 1x1 + 3x3 + 5x5 side by side and added, narrow; plus the input.

    The paper's channel shuffle is left out: in front of a dense 1x1 a permutation only renames its weights.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = EXPANSION * channels
        self.widen = nn.Sequential(
            nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU(inplace=True)
        )
        self.scales = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(wide, wide, kernel, padding=kernel // 2, groups=wide, bias=False),
                nn.BatchNorm2d(wide),
                nn.ReLU(inplace=True),
            )
            for kernel in KERNELS
        )
        self.narrow = nn.Sequential(nn.Conv2d(wide, channels, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, tensor: Tensor) -> Tensor:
        wide = self.widen(tensor)
        first, *others = (scale(wide) for scale in self.scales)
        for other in others:
            first = first + other
        narrow: Tensor = tensor + self.narrow(first)
        return narrow


class AttentionGate(nn.Module):
    """LGAG: the skip weighted by grouped 3x3 convolutions of itself and of what comes from below."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        between = channels // 2
        self.of_below = _grouped(channels, between)
        self.of_skip = _grouped(channels, between)
        self.weight = nn.Sequential(nn.Conv2d(between, 1, 1), nn.BatchNorm2d(1), nn.Sigmoid())

    def forward(self, below: Tensor, skip: Tensor) -> Tensor:
        gated: Tensor = skip * self.weight(F.relu(self.of_below(below) + self.of_skip(skip)))
        return gated


class Refinement(nn.Module):
    """MSCAM: which channels, which places (an attention that all levels share), at several scales."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = ChannelAttention(channels)
        self.scales = MultiScaleBlock(channels)

    def forward(self, tensor: Tensor, spatial: nn.Module) -> Tensor:
        refined: Tensor = self.scales(spatial(self.channels(tensor)))
        return refined


def _raise(inputs: int, outputs: int) -> nn.Sequential:
    """EUCB: x2, depthwise 3x3, 1x1."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="nearest"),
        nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(inputs, outputs, 1),
    )


def _grouped(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, groups=outputs), nn.BatchNorm2d(outputs))
