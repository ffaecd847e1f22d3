"""What every student promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn


class Prediction(NamedTuple):
    """What a student says of a batch, with what training looks at besides.

    logits [B, 1, H, W]; `auxiliary` are further logits of the same shape that deep supervision trains, empty
    where the student has none; `features` the maps by name, [B, C, H / stride, W / stride].
    """

    logits: Tensor
    auxiliary: tuple[Tensor, ...]
    features: dict[str, Tensor]


class Student(nn.Module, ABC):
    """A segmentation network that needs an image and nothing else, never a teacher.

    Shapes: B batch, H and W multiples of 32; the image is float [B, 3, H, W], normalised as the model folder
    says. `strides` and `channels` tell of each feature map, by name. Every student has "s8", "s16" and
    "deepest", the encoder's last map and the first of the names; with a latent feed also "L1" and "L2"
    (`engine.models.latents`).
    """

    strides: Mapping[str, int]
    channels: Mapping[str, int]

    @abstractmethod
    def predict(self, image: Tensor) -> Prediction:
        """Logits, auxiliary logits and feature maps in one pass: what training uses."""

    @abstractmethod
    def encoder_parameters(self) -> list[nn.Parameter]:
        """The pretrained part, which learns at a lower rate and may be frozen."""

    def forward(self, image: Tensor) -> Tensor:
        """Logits [B, 1, H, W]: what is exported and shown."""
        return self.predict(image).logits
