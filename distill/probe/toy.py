"""A world in which minutes tell whether a teacher reaches a student: docs/experiments/probe.md."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIZE_PX = 64
NOISE_SCALES_PX = (16, 8, 4)  # folds, vessels, grain


class Pictures(NamedTuple):
    """image float32 [N, 3, 64, 64] in 0..1, mask float32 [N, 1, 64, 64] of 0 and 1."""

    image: Tensor
    mask: Tensor


def draw(count: int, generator: torch.Generator) -> Pictures:
    """Reddish folds with one elliptic dome each, a little brighter in the middle and darker at the rim."""
    tissue = torch.tensor([0.65, 0.35, 0.3])[:, None, None].repeat(count, 1, SIZE_PX, SIZE_PX)
    for scale_px in NOISE_SCALES_PX:
        grid = SIZE_PX // scale_px
        coarse = torch.randn(count, 3, grid, grid, generator=generator) * 0.02
        coarse += torch.randn(count, 1, grid, grid, generator=generator) * 0.05
        tissue += F.interpolate(coarse, size=(SIZE_PX, SIZE_PX), mode="bicubic")
    low, high = torch.tensor([0.25, 0.25, 0.1, 0.1, 0.0]), torch.tensor([0.75, 0.75, 0.25, 0.25, 3.14])
    x, y, a, b, turn = (low + (high - low) * torch.rand(count, 5, generator=generator)).T[:, :, None, None]
    place = (torch.arange(SIZE_PX) + 0.5) / SIZE_PX
    right, down = place[None, None] - x, place[None, :, None] - y
    along = (right * turn.cos() + down * turn.sin()) / a
    across = (down * turn.cos() - right * turn.sin()) / b
    radius = torch.hypot(along, across)[:, None]
    dome = (1 - radius.square()).clamp_min(0).sqrt()
    rim = torch.exp(-((radius - 1) / 0.15).square())
    inside = (radius < 1).float()
    image = tissue + 0.1 * dome - 0.04 * rim
    return Pictures(image.clamp(0, 1), inside)


class ToyTeacher(nn.Module):
    """A frozen random network with the habits of a real teacher: [N, 3, 64, 64] -> [N, C, h, w]."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        if kind == "sam":  # three unprompted mask probabilities, each stored three times: rank 3 of 9
            layers = [nn.Conv2d(3, 16, 7, padding=3), nn.Tanh(), nn.Conv2d(16, 3, 7, padding=3, stride=2)]
        elif kind == "dino":  # patches, normalised tokens
            layers = [nn.Conv2d(3, 64, 8, stride=8), nn.GELU(), nn.Conv2d(64, 48, 3, padding=1)]
        else:  # a decoder's map: finer, smoother
            layers = [
                nn.Conv2d(3, 32, 5, stride=2, padding=2),
                nn.ReLU(),
                nn.Conv2d(32, 32, 5, stride=2, padding=2),
            ]
        self.layers = nn.Sequential(*layers).requires_grad_(False).eval()

    @torch.no_grad()
    def forward(self, image: Tensor) -> Tensor:
        maps: Tensor = self.layers((image - 0.45) / 0.15)
        if self.kind == "sam":
            return (4 * maps).sigmoid().repeat(1, 3, 1, 1)
        if self.kind == "dino":
            return F.layer_norm(maps.movedim(1, -1), maps.shape[1:2]).movedim(-1, 1)
        return maps


def make_teachers(seed: int) -> dict[str, ToyTeacher]:
    """Three as in the notebook; the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return {kind: ToyTeacher(kind) for kind in ("sam", "dino", "decoder")}
