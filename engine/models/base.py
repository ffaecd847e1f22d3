"""What every student promises."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


class Student(nn.Module):
    """A segmentation network. Shapes: B batch, H and W multiples of the largest stride.

    `forward(x)`: float [B, 3, H, W], normalised as the model folder says -> logits [B, 1, H, W].
    `features(x)`: name of a stride ("s8") -> map [B, C, H / stride, W / stride], for distillation.
    """

    strides: Mapping[str, int]

    def forward(self, image: Tensor) -> Tensor:
        raise NotImplementedError

    def features(self, image: Tensor) -> dict[str, Tensor]:
        raise NotImplementedError

    def encoder_parameters(self) -> list[nn.Parameter]:
        """The pretrained part, which learns at a lower rate."""
        raise NotImplementedError
