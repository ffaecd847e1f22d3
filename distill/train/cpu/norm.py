"""BatchNorm in training, and the ReLU after it, in half as many passes over memory on a CPU in bf16.

torch takes a third of a step for them there. `kernels/norm.cpp` reads the picture twice for the forward pass
and gives it back normalised and clipped; for the backward pass it reads picture and gradient twice and finds
out by itself what the ReLU let through. Without a C++ compiler everything stays with torch.
`python -m distill bench` shows a step with and without this.
"""

from __future__ import annotations

import ctypes
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from distill.train.cpu.kernels import LANES, address, library, takes_bf16

NO_RELU = 0.0
CEILINGS = {nn.ReLU: math.inf, nn.ReLU6: 6.0}
RELUS = (F.relu, F.relu6, F.hardtanh)


class _Call(NamedTuple):
    """The arguments of F.batch_norm, by its names."""

    input: Tensor
    running_mean: Tensor
    running_var: Tensor
    weight: Tensor
    bias: Tensor
    training: bool = False
    momentum: float = 0.1
    eps: float = 1e-5


class _Rows:
    """A picture as the kernels see it: rows of whole vectors, one or two pixels each."""

    def __init__(self, image: Tensor) -> None:
        self.channels = image.shape[1]
        self.pixels = image.numel() // self.channels
        self.copies = 1 if self.channels % LANES == 0 else 2
        width = self.channels * self.copies
        self.is_whole = not width % LANES and not self.pixels % self.copies and self.pixels > 1
        shape = self.pixels // self.copies, width, torch.get_num_threads()
        self._shape = (ctypes.c_int64 * 3)(*shape)

    def wide(self, values: Tensor) -> Tensor:
        """[C] for every value of a row."""
        return values.repeat(self.copies) if self.copies > 1 else values.contiguous()

    def summed(self, name: str, *values: Tensor | float) -> tuple[Tensor, Tensor]:
        """The two sums of a kernel, float64 [C] each."""
        sums = torch.zeros(2, self.copies, self.channels, dtype=torch.float64)
        self.call(name, *values, sums)
        first, second = sums.sum(1)
        return first, second

    def call(self, name: str, *values: Tensor | float) -> None:
        kernels = library()
        assert kernels is not None  # _fits
        kernels[name](
            self._shape, *(address(v) if isinstance(v, Tensor) else ctypes.c_float(v) for v in values)
        )


class _Norm(torch.autograd.Function):
    """bf16 [B, C, h, w] channels last -> the same; float32 [C] weight and bias; the ceiling of the ReLU."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, weight: Tensor, bias: Tensor, call: _Call, ceiling: float) -> Tensor:
        rows = _Rows(image)
        pivot = image[0, :, 0, 0].float()  # keeps the sums small: the mean may be far from zero
        away, square = rows.summed("norm_sums", image, rows.wide(pivot))
        mean = away / rows.pixels
        variance = (square / rows.pixels - mean**2).clamp_(min=0.0).float()
        mean = mean.float() + pivot
        call.running_mean.lerp_(mean, call.momentum)
        call.running_var.lerp_(variance * (rows.pixels / (rows.pixels - 1)), call.momentum)
        inverse = (variance + call.eps).rsqrt()
        scale = weight * inverse
        shift = bias - mean * scale
        output = torch.empty_like(image)
        rows.call("norm_apply", image, rows.wide(scale), rows.wide(shift), ceiling, output)
        ctx.save_for_backward(image, mean, inverse, scale, shift)
        ctx.ceiling = ceiling
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        image, mean, inverse, scale, shift = ctx.saved_tensors
        rows = _Rows(image)
        gradient = gradients[0].contiguous(memory_format=torch.channels_last)
        given = image, gradient, rows.wide(scale), rows.wide(shift)
        came, product = rows.summed("norm_gradient_sums", *given, rows.wide(mean), ctx.ceiling)
        # d x = scale (g - mean g - (x - mean) / variance x mean of g (x - mean)): Ioffe & Szegedy 2015, 3.
        slope = -scale * inverse**2 * (product / rows.pixels).float()
        offset = -scale * (came / rows.pixels).float() - slope * mean
        by_image = torch.empty_like(image)
        rows.call("norm_gradient", *given, rows.wide(slope), rows.wide(offset), ctx.ceiling, by_image)
        return by_image, product.float() * inverse, came.float(), None, None


class FastNorm(TorchFunctionMode):
    """In `with FastNorm(network):` its BatchNorms that train take the way above, and their ReLUs with them.

    Only where autocast runs bf16 on a CPU; the network and its weights stay as they are.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._ceilings = dict(_ceilings(network))

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in RELUS and getattr(args[0], "is_clipped", False):
            return args[0]
        if func is F.batch_norm:
            call = _Call(*args, **kwargs)
            if _fits(call):
                return self._normalised(call)
        return func(*args, **kwargs)

    def _normalised(self, call: _Call) -> Tensor:
        ceiling = self._ceilings.get(id(call.weight), NO_RELU)
        apply: Callable[..., Tensor] = _Norm.apply
        output = apply(call.input, call.weight, call.bias, call, ceiling)
        if ceiling:
            output.is_clipped = True  # type: ignore[attr-defined]
        return output


def _fits(call: _Call) -> bool:
    """Whether the kernels know this picture, and there are any."""
    image = call.input
    values = call.running_mean, call.running_var, call.weight, call.bias
    return (
        call.training
        and image.dtype is torch.bfloat16
        and image.dim() == 4
        and image.is_contiguous(memory_format=torch.channels_last)
        and takes_bf16(image.device)
        and all(value is not None and value.dtype is torch.float32 for value in values)
        and _Rows(image).is_whole
        and library() is not None
    )


def _ceilings(network: nn.Module) -> Iterator[tuple[int, float]]:
    """Of each BatchNorm that a ReLU follows: what tells its weight apart, and where the ReLU clips."""
    for module in network.modules():
        pairs: list[tuple[nn.Module, nn.Module]] = []
        if isinstance(module, nn.Sequential):
            pairs = list(itertools.pairwise(module))
        elif isinstance(getattr(module, "drop", None), nn.Identity):  # timm's BatchNormAct2d
            pairs = [(module, module.act)]  # type: ignore[list-item]
        for norm, relu in pairs:
            if isinstance(norm, nn.BatchNorm2d) and type(relu) in CEILINGS:
                yield id(norm.weight), CEILINGS[type(relu)]
