"""The dry step: what a step keeps in memory, and the largest batch that fits."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from torch import Tensor

from distill.train.module import TrainingModule

PROBED_IMAGES = 2
USED_SHARE = 0.8  # of what is free: gradients of a layer, workspaces and others need the rest
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Need:
    """`fixed_mib`: weights, gradients, optimiser, average. `image_mib`: what an image's forward pass keeps.

    `free_mib` None where the system does not tell; `largest_batch` is then None, too.
    """

    fixed_mib: float
    image_mib: float
    free_mib: float | None
    largest_batch: int | None


def dry_step(module: TrainingModule, size_px: int) -> Need:
    """A forward and backward pass at two images of that size; weights and gradients are left as they were.

    Counts the tensors that autograd keeps, so it says the same on every machine.
    """
    device = module.mean.device
    image = torch.rand(PROBED_IMAGES, 3, size_px, size_px, device=device).to(
        memory_format=torch.channels_last
    )
    mask = (torch.rand(PROBED_IMAGES, 1, size_px, size_px, device=device) > 0.5).float()
    own = {tensor.untyped_storage().data_ptr() for tensor in (*module.parameters(), *module.buffers())}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    buffers = [buffer.clone() for buffer in module.buffers()]
    module.train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = module(image, mask).segmentation
    learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
    torch.autograd.grad(loss, learning, allow_unused=True)
    for buffer, old in zip(module.buffers(), buffers, strict=True):
        buffer.copy_(old)
    weights = sum(parameter.numel() * parameter.element_size() for parameter in module.parameters())
    fixed_mib = 5 * weights / MIB  # itself, gradient, two moments, average
    image_mib = sum(kept.values()) / PROBED_IMAGES / MIB
    free_mib = _free_mib(device)
    largest = None if free_mib is None else int((USED_SHARE * free_mib - fixed_mib) // image_mib)
    return Need(fixed_mib, image_mib, free_mib, None if largest is None else max(0, largest))


def _free_mib(device: torch.device) -> float | None:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] / MIB
    names = getattr(os, "sysconf_names", {})
    if "SC_AVPHYS_PAGES" not in names:
        return None
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / MIB
