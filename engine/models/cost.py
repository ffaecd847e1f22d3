"""What a network costs, told without running time: parameters and multiply-accumulates."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True, slots=True)
class Cost:
    """`macs`: multiply-accumulates of one picture in convolutions and matrix products."""

    parameters: int
    macs: int


def cost_of(network: nn.Module, size_px: int) -> Cost:
    """For one image float [1, 3, size_px, size_px]. Leaves the network in evaluation mode."""
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, 3, size_px, size_px))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Cost(parameters=parameters, macs=counter.get_total_flops() // 2)
