"""Depthwise convolutions whose backward pass is not slow on a CPU in bf16.

oneDNN has no fast bf16 kernel there for the gradient of the weights, and at stride 2 none for that of the
input. `kernels/depthwise.cpp` has both; without a C++ compiler the two are taken in float32.
`python -m distill bench` shows a step with and without this.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from distill.train.cpu.kernels import LANES, address, library, takes_bf16

SIDES = (3, 5)


class _Depthwise(torch.autograd.Function):
    """Forward in bf16; the gradients above."""

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
        wanted = ctx.needs_input_grad[:2]
        compiled = _compiled(image, weight, *ctx.geometry)
        if compiled:
            by_image, by_weight = _by_kernel(gradients[0], image, weight, ctx.geometry, wanted)
        else:
            by_image, by_weight = _by_torch(gradients[0], image, weight, ctx.geometry, wanted)
        return by_image, by_weight, None, None, None


def _by_torch(
    gradient: Tensor,
    image: Tensor,
    weight: Tensor,
    geometry: tuple[list[int], ...],
    wanted: tuple[bool, bool],
) -> tuple[Tensor | None, Tensor | None]:
    stride, padding, dilation = geometry
    for_image, for_weight = wanted
    strided = max(stride) > 1

    def backward(gradient: Tensor, image: Tensor, weight: Tensor, wanted: list[bool]) -> list[Tensor]:
        found: list[Tensor] = torch.ops.aten.convolution_backward(
            gradient, image, weight, None, stride, padding, dilation, False, [0, 0], image.shape[1], wanted
        )
        return found

    by_image = by_weight = None
    if for_image and not strided:
        by_image = backward(gradient, image, weight, [True, False, False])[0]
    if for_weight or (for_image and strided):
        kinds = [for_image and strided, for_weight, False]
        exact = backward(gradient.float(), image.float(), weight.float(), kinds)
        if kinds[0]:
            by_image = exact[0].to(image.dtype)
        by_weight = exact[1].to(weight.dtype) if for_weight else None
    return by_image, by_weight


def _compiled(
    image: Tensor, weight: Tensor, stride: list[int], padding: list[int], dilation: list[int]
) -> bool:
    """Whether the kernel knows this convolution, and there is one."""
    side = weight.shape[-1]
    return (
        weight.shape[-2] == side in SIDES
        and not image.shape[1] % LANES
        and stride[0] == stride[1] <= 2
        and padding[0] == padding[1]
        and max(dilation) == 1
        and library() is not None
    )


def _by_kernel(
    gradient: Tensor,
    image: Tensor,
    weight: Tensor,
    geometry: tuple[list[int], ...],
    wanted: tuple[bool, bool],
) -> tuple[Tensor | None, Tensor | None]:
    (stride, _), (padding, _), _ = geometry
    (images, channels, *in_size), side = image.shape, weight.shape[-1]
    image = image.contiguous(memory_format=torch.channels_last)
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    taps = weight.float().reshape(channels, side * side).t().contiguous()
    by_image = torch.empty_like(image) if wanted[0] else None
    by_weight = torch.zeros(side * side, channels) if wanted[1] else None
    values = (images, channels, *in_size, *gradient.shape[-2:], stride, padding, torch.get_num_threads())
    shape = (ctypes.c_int * len(values))(*values)
    kernels = library()
    assert kernels is not None  # _compiled
    kernels.depthwise_gradients(
        shape, side, *(address(t) for t in (image, gradient, taps, by_weight, by_image))
    )
    if by_weight is not None:
        by_weight = by_weight.t().reshape(weight.shape).to(weight.dtype)
    return by_image, by_weight


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
        and not isinstance(padding, str)
        and takes_bf16(image.device)
    )


def _pair(value: int | tuple[int, int]) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)
