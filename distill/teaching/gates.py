"""Gates G1 to G5: what tells a distillation that teaches from one that only looks like it.

The loss curve and Dice hide a collapse (docs/experiments/probe.md); these do not. Each gives a Verdict;
`demand` makes an error of a bad one. Every training with teachers runs all five: G1 and G4 before its first
step, G2 and G3 after every epoch, G5 at its last step that teaches an encoder (docs/published-method.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from distill.teaching.distiller import Distiller, TargetBatch
from engine.faults import FaultCode, FaultError
from engine.models.base import Student

LEAST_STD_RATIO = 0.5
UNEXPLAINED = (0.02, 1.0)  # below: too good to be a target with content; above: worse than a constant
GRADIENT_RATIO = (0.02, 1.0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate found; `expected` and `got` are parts of a sentence."""

    gate: str
    passed: bool
    expected: str
    got: str

    @property
    def sentence(self) -> str:
        """To warn with."""
        return f"Gate {self.gate}: {self.got} instead of {self.expected}."


def demand(
    verdicts: Iterable[Verdict], remedy: str = "use distil.projector = student, or fewer teachers"
) -> None:
    """Raises FaultError ARGUMENT for the first gate that was not passed."""
    for verdict in verdicts:
        if not verdict.passed:
            raise FaultError(
                FaultCode.ARGUMENT,
                expected=f"{verdict.expected} (gate {verdict.gate})",
                got=verdict.got,
                remedy=remedy,
            )


def still_targets(
    distiller: Distiller, features: Mapping[str, Tensor], targets: Mapping[str, TargetBatch]
) -> Verdict:
    """G1: nothing that learns stands upstream of a target. `features` are the student's maps of one batch."""
    named = {name: each for name, each in distiller.named_parameters() if each.requires_grad}
    with torch.enable_grad():
        made = distiller.targets(features, targets)
    moving = [each.value.sum() for each in made if each.value.requires_grad]
    upstream: list[str] = []
    if moving and named:
        found = torch.autograd.grad(torch.stack(moving).sum(), list(named.values()), allow_unused=True)
        upstream = [name for name, gradient in zip(named, found, strict=True) if gradient is not None]
    got = ", ".join(upstream) or ("a teacher that learns" if moving else "nothing")
    return Verdict("G1", not moving, "nothing that learns upstream of a target", got)


def steady_targets(watch: Mapping[str, float]) -> Verdict:
    """G2: no target's spread is under half of what it was at the first step. `watch` is that of Terms."""
    name, ratio = min(_of(watch, "target_std_ratio").items(), key=lambda item: item[1])
    return Verdict(
        "G2",
        ratio >= LEAST_STD_RATIO,
        f"targets that keep {LEAST_STD_RATIO:.0%} of their first spread",
        f"{ratio:.1%} of {name}",
    )


def plausible_fit(watch: Mapping[str, float]) -> Verdict:
    """G3: 1 - R2 of every teacher above 0.02 and below 1, on validation images."""
    low, high = UNEXPLAINED
    found = _of(watch, "unexplained")
    bad = {name: value for name, value in found.items() if not low < value < high}
    name, value = next(iter((bad or found).items()))
    return Verdict("G3", not bad, f"an unexplained share of {low} to {high}", f"{value:.3f} of {name}")


def stands_alone(student: Student, distiller: Distiller, plain: Student, image: Tensor) -> Verdict:
    """G4: the logits do not change by a bit when the distiller is destroyed; the student is the plain one.

    `plain` is a fresh student of the same recipe, to compare what would be exported. While it is asked the
    distiller's values are NaN; afterwards they are what they were.
    """
    own, wanted = _shapes(student), _shapes(plain)
    was_training = student.training
    student.eval()
    with torch.no_grad():
        before = student(image)
        values = [it for it in (*distiller.parameters(), *distiller.buffers()) if it.is_floating_point()]
        kept = [tensor.clone() for tensor in values]
        for tensor in values:
            tensor.fill_(torch.nan)
        after = student(image)
        for tensor, value in zip(values, kept, strict=True):
            tensor.copy_(value)
    student.train(was_training)
    same = torch.equal(before, after)
    got = "another network" if own != wanted else "the same logits" if same else "other logits"
    return Verdict(
        "G4", same and own == wanted, "the plain student with the same logits without teachers", got
    )


def fair_gradient(ratio: float) -> Verdict:
    """G5: `gradient_ratio` at the last step that teaches an encoder that learns (`phases.ends_teaching`)."""
    low, high = GRADIENT_RATIO
    return Verdict(
        "G5",
        low <= ratio <= high,
        f"an encoder gradient of the feature terms of {low} to {high} times the segmentation's",
        f"{ratio:.4f}",
    )


def _of(watch: Mapping[str, float], what: str) -> dict[str, float]:
    ending = f".{what}"
    return {name.removesuffix(ending): value for name, value in watch.items() if name.endswith(ending)}


def _shapes(network: nn.Module) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in network.state_dict().items()}
