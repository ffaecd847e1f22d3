"""What a network costs, told without running time: parameters and multiply-accumulates."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """`macs`: multiply-accumulates of one picture, counted as fvcore does so that published figures compare.

    Convolutions, matrix products and attention; and, which adds one or two per cent, 2 a value of BatchNorm,
    5 of LayerNorm, 4 a value that bilinear resizing makes.
    """

    parameters: int
    macs: int


def cost_of(network: nn.Module, size_px: int) -> Cost:
    """For one image float [1, 3, size_px, size_px]. Leaves the network in evaluation mode.

    A network on the "meta" device is counted without computing anything.
    """
    device = next(network.parameters()).device
    # Not inference_mode: it takes resizing apart before the counter sees it.
    with torch.no_grad(), FlopCounterMode(display=False, custom_mapping=_FORMULAS) as counter:
        network.eval()(torch.zeros(1, 3, size_px, size_px, device=device))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Cost(parameters=parameters, macs=counter.get_total_flops() // 2)


# Two operations a multiply-accumulate; the counter hands shapes in the tensors' places.
def _of_batch_norm(values: Shape, *_: Any, **__: Any) -> int:
    return 2 * 2 * prod(values)


def _of_layer_norm(values: Shape, *_: Any, **__: Any) -> int:
    return 2 * 5 * prod(values)


def _of_resizing(*_: Any, out_shape: Shape, **__: Any) -> int:
    return 2 * 4 * prod(out_shape)


def _of_attention(query: Shape, key: Shape, value: Shape, *_: Any, **__: Any) -> int:
    return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call]


_ATEN = torch.ops.aten
_FORMULAS = {
    _ATEN._native_batch_norm_legit_no_training: _of_batch_norm,
    _ATEN.native_batch_norm: _of_batch_norm,
    _ATEN.native_layer_norm: _of_layer_norm,
    _ATEN.upsample_bilinear2d: _of_resizing,
    # torch knows the attention kernels of a GPU; the CPU's own is the same arithmetic.
    _ATEN._scaled_dot_product_flash_attention_for_cpu: _of_attention,
}
