"""Depthwise convolutions whose backward pass is not slow on a CPU in bf16.

oneDNN has no fast bf16 kernel there for the gradient of the weights, and at stride 2 none for that of the
input: float32 is several times faster. `python -m distill bench` shows a step with and without this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


class _Depthwise(torch.autograd.Function):
    """Forward in bf16; the gradients above in float32."""

    @staticmethod
    def forward(
        ctx: Any, image: Tensor, weight: Tensor, stride: list[int], padding: list[int], dilation: list[int]
    ) -> Tensor:
        ctx.save_for_backward(image, weight)
        ctx.geometry = stride, padding, dilation
        return F.conv2d(image, weight, None, stride, padding, dilation, image.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        image, weight = ctx.saved_tensors
        (gradient,) = gradients
        for_image, for_weight = ctx.needs_input_grad[:2]
        stride, padding, dilation = ctx.geometry
        strided = max(stride) > 1

        def backward(gradient: Tensor, image: Tensor, weight: Tensor, wanted: list[bool]) -> list[Tensor]:
            found: list[Tensor] = torch.ops.aten.convolution_backward(
                gradient,
                image,
                weight,
                None,
                stride,
                padding,
                dilation,
                False,
                [0, 0],
                image.shape[1],
                wanted,
            )
            return found

        by_image = by_weight = None
        if for_image and not strided:
            by_image = backward(gradient, image, weight, [True, False, False])[0]
        if for_weight or (for_image and strided):
            wanted = [for_image and strided, for_weight, False]
            exact = backward(gradient.float(), image.float(), weight.float(), wanted)
            if wanted[0]:
                by_image = exact[0].to(image.dtype)
            by_weight = exact[1].to(weight.dtype) if for_weight else None
        return by_image, by_weight, None, None, None


class FastDepthwise(TorchFunctionMode):
    """In `with FastDepthwise():` the depthwise convolutions of any network take the way above.

    Only those that autocast would run in bf16 on a CPU; the network and its weights stay as they are.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.conv2d and not kwargs and len(args) == 7 and _slow(*args):
            image, weight, _, stride, padding, dilation, _ = args
            geometry = _pair(stride), _pair(padding), _pair(dilation)
            apply: Callable[..., Tensor] = _Depthwise.apply
            return apply(image.to(torch.bfloat16), weight.to(torch.bfloat16), *geometry)
        return func(*args, **kwargs)


def _slow(
    image: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> bool:
    return (
        bias is None
        and groups == image.shape[1] == weight.shape[0] > 1
        and image.device.type == "cpu"
        and not isinstance(padding, str)
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") is torch.bfloat16
    )


def _pair(value: int | tuple[int, int]) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)
