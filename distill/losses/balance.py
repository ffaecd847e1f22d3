"""How much each of several teachers counts: `make_balance(kind, teachers, guarded)`.

The total is sum of weights x losses + regulariser. Learned weights with a plain softmax have a trivial
optimum, all weight on the teacher that is easiest to please; `guarded` keeps them from it.
Sources: arXiv 2504.02351 (mlp, attention), Kendall 2018 (uncertainty), UNIC (teacher_drop); the guards:
docs/published-method.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from engine.faults import FaultCode, FaultError

FLOOR_OF_FAIR_SHARE = 0.5  # guarded weights stay above this / T
ENTROPY_BONUS = 0.05
LOSS_MEMORY = 0.95  # of the running mean that guarded losses are divided by
HIDDEN = 16
DROP_SHARE = 0.5


class Weighting(NamedTuple):
    """weights [T]; `regulariser` is a scalar to be added to the weighted sum."""

    weights: Tensor
    regulariser: Tensor


class Fixed(nn.Module):
    """1 / T each: for standardised teachers."""

    def forward(self, losses: Tensor) -> Weighting:
        return Weighting(torch.full_like(losses, 1 / len(losses)), losses.new_zeros(()))


class Uncertainty(nn.Module):
    """exp(-s) L + s / 2: at its optimum a teacher counts 1 / (2 L), so no one can be abandoned."""

    def __init__(self, teachers: int) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.zeros(teachers))

    def forward(self, losses: Tensor) -> Weighting:
        return Weighting((-self.log_variance).exp(), self.log_variance.sum() / 2)


class TeacherDrop(nn.Module):
    """The teacher that is furthest off always counts, each other one with probability 1/2."""

    def forward(self, losses: Tensor) -> Weighting:
        kept = torch.ones_like(losses)
        if self.training:
            # Drawn on the CPU, whose generator the checkpoint restores.
            kept = (torch.rand(len(losses)) >= DROP_SHARE).to(losses)
            kept[losses.detach().argmax()] = 1
        return Weighting(kept / len(losses), losses.new_zeros(()))


class Learned(nn.Module, ABC):
    """softmax of learned scores.

    Guarded: scores see only detached losses, each divided by its own running mean; no weight falls under half
    of its fair share; even weights earn a bonus; the teachers' gradients do not pass through the weights.
    """

    running: Tensor

    def __init__(self, teachers: int, guarded: bool) -> None:
        super().__init__()
        self.guarded = guarded
        self.register_buffer("running", torch.zeros(teachers))

    @abstractmethod
    def scores(self, losses: Tensor) -> Tensor:
        """[T], before the softmax."""

    def forward(self, losses: Tensor) -> Weighting:
        if not self.guarded:
            return Weighting(self.scores(losses).softmax(0), losses.new_zeros(()))
        seen = self._normalised(losses.detach())
        floor = FLOOR_OF_FAIR_SHARE / len(losses)
        weights = floor + (1 - FLOOR_OF_FAIR_SHARE) * self.scores(seen).softmax(0)
        entropy = -(weights * weights.log()).sum()
        # The first term is 0, with the gradient of sum(weights x seen): weights learn, the total is honest.
        regulariser = ((weights - weights.detach()) * seen).sum() - ENTROPY_BONUS * entropy
        return Weighting(weights.detach(), regulariser)

    def _normalised(self, losses: Tensor) -> Tensor:
        if self.training:
            with torch.no_grad():
                first = self.running == 0
                self.running.lerp_(losses, 1 - LOSS_MEMORY)
                self.running[first] = losses[first]
        mean = torch.where(self.running > 0, self.running, losses)
        return losses / mean.clamp_min(torch.finfo(losses.dtype).tiny)


class Mlp(Learned):
    """Scores from the vector of losses by two layers."""

    def __init__(self, teachers: int, guarded: bool) -> None:
        super().__init__(teachers, guarded)
        self.layers = nn.Sequential(nn.Linear(teachers, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, teachers))

    def scores(self, losses: Tensor) -> Tensor:
        scores: Tensor = self.layers(losses)
        return scores


class Attention(Learned):
    """q . k_i / sqrt(d) with learned q and k."""

    def __init__(self, teachers: int, guarded: bool) -> None:
        super().__init__(teachers, guarded)
        self.query = nn.Parameter(torch.randn(HIDDEN))
        self.keys = nn.Parameter(torch.randn(teachers, HIDDEN))

    def scores(self, losses: Tensor) -> Tensor:
        scores: Tensor = self.keys @ self.query / HIDDEN**0.5
        return scores


LEARNED: Mapping[str, type[Mlp] | type[Attention]] = {"mlp": Mlp, "attention": Attention}
KINDS = ("fixed", "uncertainty", "teacher_drop", *LEARNED)


def make_balance(kind: str, teachers: int, guarded: bool = True) -> nn.Module:
    """A module: losses [T] -> Weighting; `guarded` is for mlp and attention. Raises FaultError ARGUMENT."""
    if kind in LEARNED:
        return LEARNED[kind](teachers, guarded)
    if kind == "uncertainty":
        return Uncertainty(teachers)
    if kind in KINDS:
        return Fixed() if kind == "fixed" else TeacherDrop()
    raise FaultError(
        FaultCode.ARGUMENT,
        expected=f"a balance of teachers: {', '.join(KINDS)}",
        got=repr(kind),
        remedy="correct distil.balance of the recipe",
    )
