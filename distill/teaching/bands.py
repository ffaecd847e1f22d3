"""A feature map as a low and a high band: `split(map, kind)`.

Always float32, over the last two dimensions, orthonormal; low + high is the map. A radius r counts cycles
over the shorter side N of the map; N/6 by default: 3.7 at 22 places, 7.3 at 44. Source: arXiv
2512.09307, which does not say the radius.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from engine.faults import FaultCode, FaultError

RADIUS_FRAC = 1 / 6  # of the shorter side
EDGE_BINS = 1.0  # width of the soft edge: a hard one rings


def split(maps: Tensor, kind: str, radius_frac: float = RADIUS_FRAC) -> tuple[Tensor, Tensor]:
    """The low and the high band of [B, C, h, w], float32, on its device. Raises FaultError ARGUMENT."""
    if kind not in LOW_PASSES:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a band split: {', '.join(LOW_PASSES)}",
            got=repr(kind),
            remedy="correct distil.split of the recipe",
        )
    with torch.autocast(maps.device.type, enabled=False):
        maps = maps.float()
        low = LOW_PASSES[kind](maps, radius_frac)
        return low, maps - low


def _fft_radial(maps: Tensor, radius_frac: float) -> Tensor:
    """Disc with a cosine edge one bin wide; symmetric in frequency, so the result is real."""
    height, width = maps.shape[-2:]
    side = min(height, width)
    rows = torch.fft.fftfreq(height, device=maps.device)[:, None]
    columns = torch.fft.rfftfreq(width, device=maps.device)[None]
    bins_out = torch.hypot(rows, columns) * side - side * radius_frac
    keep = 0.5 + 0.5 * torch.cos(math.pi * (bins_out / EDGE_BINS + 0.5).clamp(0, 1))
    low: Tensor = torch.fft.irfft2(
        torch.fft.rfft2(maps, norm="ortho") * keep, s=(height, width), norm="ortho"
    )
    return low


def _fft_square_nb(maps: Tensor, radius_frac: float) -> Tensor:
    """The published notebook's square: frequencies -r..r-1 with r = N // 6, of which the real part is taken.

    Not symmetric: of the frequencies -r half of the wave is left. The notebook also shifts batch and channels
    with the frequencies and back again, which changes nothing.
    """
    height, width = maps.shape[-2:]
    keep = torch.zeros(height, width, device=maps.device)
    rows, columns = int(height * radius_frac), int(width * radius_frac)
    middle, centre = height // 2, width // 2
    keep[middle - rows : middle + rows, centre - columns : centre + columns] = 1
    spectrum = torch.fft.fft2(maps, norm="ortho") * torch.fft.ifftshift(keep)
    low: Tensor = torch.fft.ifft2(spectrum, norm="ortho").real
    return low


def _dct(maps: Tensor, radius_frac: float) -> Tensor:
    """DCT-II, the triangle u + v < 2 r: coefficient u is u / 2 cycles over the side."""
    height, width = maps.shape[-2:]
    side = min(height, width)
    rows, columns = _dct_matrix(height, maps.device), _dct_matrix(width, maps.device)
    u = torch.arange(height, device=maps.device)[:, None] * (side / height)
    v = torch.arange(width, device=maps.device)[None] * (side / width)
    keep = (u + v < 2 * side * radius_frac).float()
    return rows.T @ (rows @ maps @ columns.T * keep) @ columns


def _dct_matrix(side: int, device: torch.device) -> Tensor:
    """[side, side], orthonormal: coefficients = matrix @ signal."""
    place = torch.arange(side, dtype=torch.float64)
    matrix = torch.cos(math.pi / side * (place + 0.5)[None] * place[:, None]) * math.sqrt(2 / side)
    matrix[0] /= math.sqrt(2)
    return matrix.float().to(device)


LOW_PASSES: Mapping[str, Callable[[Tensor, float], Tensor]] = {
    "fft_radial": _fft_radial,
    "fft_square_nb": _fft_square_nb,
    "dct": _dct,
}
