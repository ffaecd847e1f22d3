"""Views made on a GPU: the frames lie there as uint8, so that a step waits for no copy.

Geometry draws from the same distributions as on the CPU and gives the same kind of matrix; light is a
smaller choice of the CPU's (colour, exposure, blur, noise): the rest of it is not worth a kernel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from distill.data.dataset import Batch, Pictures, squash
from distill.data.views.augment import FLIPS, Matrix, large_crop, unit_move, window_of
from distill.data.views.warp import warp_maps
from distill.recipe import AugmentPart, Recipe

BLUR_PX = 9


class GpuViews:
    """All pictures at one size on the device: [N, 3, S, S] and [N, 1, S, S] uint8, 0.8 MB each at 448."""

    def __init__(self, pictures: Pictures, recipe: Recipe, size_px: int, device: torch.device) -> None:
        """`size_px`: the largest input of the recipe."""
        self._recipe = recipe
        self._images = torch.empty(len(pictures), 3, size_px, size_px, dtype=torch.uint8, device=device)
        self._masks = torch.empty(len(pictures), 1, size_px, size_px, dtype=torch.uint8, device=device)
        for row, (image, mask) in enumerate(zip(pictures.images, pictures.masks, strict=True)):
            self._images[row] = torch.from_numpy(squash(image, size_px)).permute(2, 0, 1).to(device)
            self._masks[row, 0] = torch.from_numpy(squash(mask * np.uint8(255), size_px)).to(device)
        self._there = pictures.masks  # on the CPU, at their stored sizes: where a large polyp is
        self._fields: list[Matrix] = []
        if recipe.augment.field:
            self._fields = [
                window_of(pictures.box_of(position, "field"), *image.shape[:2])
                for position, image in enumerate(pictures.images)
            ]

    def batch(self, items: Sequence[int], size_px: int, epoch: int) -> Batch:
        """As `training_batch`; the matrices depend on seed, epoch and item, the light on the whole batch."""
        part, count = self._recipe.augment, len(self._images)
        positions = [int(item) % count for item in items]
        matrix = torch.from_numpy(np.stack([self._matrix(int(item), epoch) for item in items])).float()
        on_device = matrix.to(self._images.device)
        frames = self._images[positions].float() / 255
        masks = self._masks[positions].float() / 255
        if size_px < frames.shape[-1]:
            small = (size_px, size_px)
            frames = F.interpolate(frames, size=small, mode="bilinear", antialias=True)
            masks = F.interpolate(masks, size=small, mode="bilinear", antialias=True)
        image, mask = warp_maps(frames, on_device), (warp_maps(masks, on_device) > 0.5).float()
        if part.views == "online":
            generator = torch.Generator("cpu").manual_seed(
                (self._recipe.seed * 100_003 + epoch) * count + positions[0]
            )
            image = _lit(image, part, generator)
        image = image.to(memory_format=torch.channels_last)
        return Batch(image, mask, matrix, ((),) * len(items), tuple(positions))

    def _matrix(self, item: int, epoch: int) -> Matrix:
        copy = item // len(self._images)
        if self._recipe.augment.views == "four_flips":
            sign_x, sign_y = FLIPS[copy % len(FLIPS)]
            return np.array([[sign_x, 0, (1 - sign_x) / 2], [0, sign_y, (1 - sign_y) / 2], [0, 0, 1.0]])
        rng, part = np.random.default_rng([self._recipe.seed, epoch, item]), self._recipe.augment
        close = large_crop(self._there[item % len(self._images)], rng, part)
        move = unit_move(rng, part, close)
        if close is not None:
            return np.asarray(move @ window_of(close, *self._there[item % len(self._images)].shape))
        if part.field and rng.random() < part.field:
            move = np.asarray(move @ self._fields[item % len(self._images)])
        return move


def _lit(image: Tensor, part: AugmentPart, generator: torch.Generator) -> Tensor:
    """float [B, 3, S, S] in 0..1, each with its own light. The black frame of an endoscope stays black."""
    from kornia.enhance import adjust_hue, adjust_saturation
    from kornia.filters import gaussian_blur2d

    count, device = len(image), image.device

    def uniform(low: float, high: float, channels: int = 1) -> Tensor:
        drawn = torch.rand(count, channels, 1, 1, generator=generator)
        return (low + (high - low) * drawn).to(device)

    def some(share: float, changed: Tensor, kept: Tensor) -> Tensor:
        return torch.where(uniform(0, 1) < share, changed, kept)

    black = image.amax(dim=1, keepdim=True) == 0
    turned = adjust_hue(image, uniform(-0.2, 0.2).flatten())
    image = some(part.hue, adjust_saturation(turned, uniform(0.55, 1.4).flatten()), image)
    level = image.clamp_min(1e-6) ** uniform(-0.35, 0.35).exp()
    level = (level - 0.5) * uniform(0.75, 1.25) + 0.5 + uniform(-0.12, 0.12)
    image = some(part.colour, (level * uniform(0.88, 1.12, 3)).clamp(0, 1), image)
    image = some(part.exposure, (image * uniform(1.3, 2.5)).clamp(0, 1), image)
    sigma = uniform(0.3, 2.0).flatten()[:, None].repeat(1, 2) * image.shape[-1] / 352
    image = some(part.blur, gaussian_blur2d(image, (BLUR_PX, BLUR_PX), sigma), image)
    grain = torch.randn(count, 1, *image.shape[-2:], generator=generator).to(device) * uniform(0.008, 0.04)
    image = some(part.noise, (image + grain).clamp(0, 1), image)
    return image.masked_fill(black, 0)
