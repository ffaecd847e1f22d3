"""Teacher maps of one scale: PCA and PHI-S.

y = (1 / sqrt(mean lambda)) H U^T (x - mu), with U and lambda of the teacher's covariance and H an orthonormal
Hadamard matrix: every channel of y has variance 1, by one scalar scale and rotations, so distances keep their
proportions. Source: PHI-S (Ranzinger 2024, arXiv 2410.01680).
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn

from engine.faults import FaultCode, FaultError

FALLBACK_SEED = 0


class Standardiser(nn.Module):
    """Fixed once made; its state is in buffers, so checkpoints carry it."""

    mean: Tensor
    matrix: Tensor

    def __init__(self, mean: Tensor, covariance: Tensor, channels: int = 0) -> None:
        """mean [C] and covariance [C, C] of the training set; `channels` leading components (0: all).

        Raises FaultError DATA_SET when the statistics are not finite or the features are constant.
        """
        super().__init__()
        covariance = covariance.double()
        if not (torch.isfinite(covariance).all() and torch.isfinite(mean).all() and covariance.trace() > 0):
            raise FaultError(
                FaultCode.DATA_SET,
                expected="teacher features with finite statistics that vary",
                got=f"a total variance of {float(covariance.trace())}",
                remedy="fill the feature cache again",
            )
        spread, axes = torch.linalg.eigh(covariance)  # ascending
        kept = channels or len(spread)
        spread, axes = spread[-kept:], axes[:, -kept:]
        rotation = orthonormal(kept) @ axes.T / spread.clamp_min(0).mean().sqrt()
        self.register_buffer("mean", mean.float())
        self.register_buffer("matrix", rotation.float())

    @property
    def channels(self) -> int:
        """Of what comes out."""
        return self.matrix.shape[0]

    def forward(self, maps: Tensor) -> Tensor:
        """[B, C, h, w] -> float32 [B, C', h, w]."""
        with torch.autocast(maps.device.type, enabled=False):
            centred = maps.float() - self.mean[:, None, None]
            standard: Tensor = torch.einsum("oc,bchw->bohw", self.matrix, centred)
            return standard


def orthonormal(order: int) -> Tensor:
    """A float64 [order, order] rotation: Hadamard where one is known, else a random one, always the same."""
    found = hadamard(order)
    if found is not None:
        exact: Tensor = found.double() / order**0.5
        return exact
    noise = torch.randn(
        order, order, dtype=torch.float64, generator=torch.Generator().manual_seed(FALLBACK_SEED)
    )
    rotation: Tensor = torch.linalg.qr(noise).Q
    return rotation


@cache
def hadamard(order: int) -> Tensor | None:
    """A matrix of +-1 with orthogonal rows, float32, Paley's or Sylvester's; None where these have none.

    Kronecker products of Hadamard matrices are Hadamard: 768 = 12 x 64, 1152 = 12 x 12 x 8, 1408 = 44 x 32.
    """
    if order == 1:
        return torch.ones(1, 1)
    if order == 2:
        return torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    if order % 4:
        return None
    whole = _paley(order)
    if whole is not None:
        return whole
    for factor in (2, *range(4, order // 2 + 1, 4)):
        if order % factor:
            continue
        part = hadamard(factor) if factor == 2 else _paley(factor)
        rest = hadamard(order // factor) if part is not None else None
        if part is not None and rest is not None:
            return torch.kron(part, rest)
    return None


def _paley(order: int) -> Tensor | None:
    """Paley I for order - 1 a prime of 4k + 3, Paley II for order / 2 - 1 a prime of 4k + 1."""
    prime = order - 1
    if _is_prime(prime) and prime % 4 == 3:
        skew = torch.zeros(order, order)
        skew[0, 1:], skew[1:, 0] = 1, -1
        skew[1:, 1:] = _jacobsthal(prime)
        return torch.eye(order) + skew
    prime = order // 2 - 1
    if _is_prime(prime) and prime % 4 == 1:
        conference = torch.zeros(prime + 1, prime + 1)
        conference[0, 1:], conference[1:, 0] = 1, 1
        conference[1:, 1:] = _jacobsthal(prime)
        off, on = torch.tensor([[1.0, 1.0], [1.0, -1.0]]), torch.tensor([[1.0, -1.0], [-1.0, -1.0]])
        return torch.kron(conference, off) + torch.kron(torch.eye(prime + 1), on)
    return None


def _jacobsthal(prime: int) -> Tensor:
    """[prime, prime]: 1 where row - column is a square modulo the prime, -1 where not, 0 on the diagonal."""
    character = torch.full((prime,), -1.0)
    character[torch.arange(1, prime).square() % prime] = 1
    character[0] = 0
    step = torch.arange(prime)
    return character[(step[:, None] - step[None]) % prime]


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % factor for factor in range(2, int(number**0.5) + 1))
