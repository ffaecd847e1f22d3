"""BatchNorm over all processes, on any device: torch's own SyncBatchNorm needs a GPU."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class SumOfAll(torch.autograd.Function):
    """all_reduce with a gradient: every process's loss depends on what every process gave."""

    @staticmethod
    def forward(context: Any, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total


class SyncNorm(nn.Module):
    """A BatchNorm2d with the statistics of the whole batch; shares its tensors, names included.

    timm's BatchNorm carries its activation along; that is kept.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, norm: _BatchNorm) -> None:
        super().__init__()
        self.weight, self.bias = norm.weight, norm.bias
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            self.register_buffer(name, getattr(norm, name))
        self.eps, self.momentum = norm.eps, float(norm.momentum or 0.0)
        self.after = nn.Sequential(*(getattr(norm, name) for name in ("drop", "act") if hasattr(norm, name)))

    def forward(self, maps: Tensor) -> Tensor:
        if not self.training:
            output = F.batch_norm(
                maps, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
            return self.activated(output)
        values = maps.float()
        moments = torch.stack([values.mean((0, 2, 3)), values.square().mean((0, 2, 3))])
        total = SumOfAll.apply(moments)  # type: ignore[no-untyped-call]
        mean, square = total / dist.get_world_size()
        variance = (square - mean.square()).clamp_min(0)
        self._follow(mean.detach(), variance.detach(), maps.numel() // maps.shape[1])
        scale = self.weight * (variance + self.eps).rsqrt()
        shift = self.bias - mean * scale
        return self.activated((values * scale[:, None, None] + shift[:, None, None]).to(maps.dtype))

    def activated(self, maps: Tensor) -> Tensor:
        done: Tensor = self.after(maps)
        return done

    def _follow(self, mean: Tensor, variance: Tensor, own_places: int) -> None:
        places = own_places * dist.get_world_size()
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (places / max(1, places - 1)), self.momentum)


def synchronise(network: nn.Module) -> None:
    """Replace every BatchNorm of the network in place."""
    for name, child in network.named_children():
        if isinstance(child, _BatchNorm) and child.affine and child.momentum is not None:
            setattr(network, name, SyncNorm(child))
        else:
            synchronise(child)
