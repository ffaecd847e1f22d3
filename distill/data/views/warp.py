"""Maps of a frame in the geometry of a view: what the teachers saw goes where the picture went."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.data.views.augment import Box


def warp_maps(maps: Tensor, matrix: Tensor, size: tuple[int, int] | None = None) -> Tensor:
    """Maps [B, C, h, w] that cover the stored frame, seen through `matrix` [B, 3, 3] (frame to view, 0..1).

    Returns [B, C, *size], zero where the view shows what lies outside of the frame; `size` None: as they are.
    """
    grid = _grid(matrix.to(maps), (len(maps), maps.shape[1], *(size or maps.shape[-2:])))
    return F.grid_sample(maps, grid, mode="bilinear", padding_mode="border", align_corners=False) * _inside(
        grid
    )


def seen(matrix: Tensor, hidden: Sequence[Sequence[Box]], size: tuple[int, int]) -> Tensor:
    """[B, 1, *size] float32, 1 where the view shows a part of the frame that the teachers saw, too."""
    height, width = size
    valid = _inside(_grid(matrix, (len(matrix), 1, height, width)))
    for row, boxes in enumerate(hidden):
        for left, top, right, bottom in boxes:
            # Every cell that the box touches: a cell's feature looks at all of it.
            rows = slice(int(top * height), -int(-bottom * height // 1))
            columns = slice(int(left * width), -int(-right * width // 1))
            valid[row, 0, rows, columns] = 0
    return valid


def _grid(matrix: Tensor, size: tuple[int, int, int, int]) -> Tensor:
    """Where grid_sample looks for each cell, [B, h, w, 2]; its -1..1 has the picture's edges at the ends."""
    to_ends = torch.tensor([[2.0, 0, -1], [0, 2, -1], [0, 0, 1]], dtype=matrix.dtype, device=matrix.device)
    theta = to_ends @ torch.linalg.inv(matrix) @ torch.linalg.inv(to_ends)
    return F.affine_grid(theta[:, :2], list(size), align_corners=False)


def _inside(grid: Tensor) -> Tensor:
    """[B, 1, h, w], 1 where a cell's centre lies in the frame."""
    return (grid.abs().amax(dim=-1, keepdim=True) <= 1).to(grid.dtype).permute(0, 3, 1, 2)
