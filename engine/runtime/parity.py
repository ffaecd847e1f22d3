"""Whether two runtimes see the same: how far their probabilities and masks are apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.runtime.base import Runtime
from engine.types import U8


@dataclass(frozen=True, slots=True)
class Difference:
    """`max_dp`: largest difference of a probability, 0..1. `mask_dice`: mean Dice of the masks."""

    max_dp: float
    mask_dice: float
    images: int


def compare_runtimes(
    reference: Runtime, other: Runtime, images: Iterable[U8], threshold: float
) -> Difference:
    """Run both over pictures (uint8 [h, w, 3] RGB of the input's size); no pictures: no difference."""
    return compare_maps(((reference.infer(image), other.infer(image)) for image in images), threshold)


def compare_maps(pairs: Iterable[tuple[U8, U8]], threshold: float) -> Difference:
    """The same of pairs of probability maps (uint8 [h, w], 255 = 1)."""
    steps = [(largest_step(a, b), dice(a, b, threshold)) for a, b in pairs]
    if not steps:
        return Difference(0.0, 1.0, 0)
    return Difference(max(step for step, _ in steps), float(np.mean([same for _, same in steps])), len(steps))


def largest_step(a: U8, b: U8) -> float:
    """Largest difference of a probability between two maps, 0..1."""
    return int(np.abs(a.astype(np.int16) - b.astype(np.int16)).max(initial=0)) / 255.0


def dice(a: U8, b: U8, threshold: float) -> float:
    """Dice of the two maps' masks; 1 when both are empty."""
    mask_a, mask_b = a >= threshold * 255.0, b >= threshold * 255.0
    total = int(mask_a.sum()) + int(mask_b.sum())
    return 2.0 * int((mask_a & mask_b).sum()) / total if total else 1.0
