"""Where things are: every teacher's map covers the whole frame, corner to corner.

Never a centre crop, no padding kept: a feature at a fraction of the map belongs to the same fraction of the
picture, for every teacher and for the student.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def squash(image: Tensor, size_px: int) -> Tensor:
    """[B, 3, H, W] -> [B, 3, size_px, size_px]: the full frame, aspect not kept, antialiased."""
    if image.shape[-2:] == (size_px, size_px):
        return image
    return F.interpolate(image, (size_px, size_px), mode="bilinear", antialias=True, align_corners=False)


def area_resize(maps: Tensor, height: int, width: int) -> Tensor:
    """[B, C, h, w] -> float32 [B, C, height, width]: mean over the area that each new cell covers.

    Cells that are covered in part count in part, as in cv2.INTER_AREA; adaptive pooling counts them whole,
    which moves what it makes of 64 cells in 22 by up to half a cell. For shrinking; else it repeats cells.
    """
    rows = _overlap(maps.shape[-2], height, maps.device)
    columns = _overlap(maps.shape[-1], width, maps.device)
    return torch.einsum("yh,bchw,xw->bcyx", rows, maps.float(), columns)


def _overlap(cells: int, wanted: int, device: torch.device) -> Tensor:
    """float32 [wanted, cells]: how much of each old cell lies in each new one; rows sum to 1."""
    old = torch.arange(cells, device=device, dtype=torch.float32)
    edge = torch.arange(wanted + 1, device=device, dtype=torch.float32) * (cells / wanted)
    upper = torch.minimum(edge[1:, None], old[None] + 1)
    lower = torch.maximum(edge[:-1, None], old[None])
    return (upper - lower).clamp_(min=0) * (wanted / cells)


def patch_map(tokens: Tensor, prefix: int) -> Tensor:
    """[B, prefix + n * n, C] -> [B, C, n, n]: the first `prefix` tokens (class, registers) stand nowhere."""
    patches = tokens[:, prefix:].transpose(1, 2)
    side = round(patches.shape[2] ** 0.5)
    return patches.reshape(*patches.shape[:2], side, side)
