"""Whether two runtimes see the same: how far their probabilities and masks are apart."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.runtime.auto.difference import Difference
from engine.runtime.base import Runtime
from engine.types import U8

# Least pooled Dice between a precision's masks and the exact ones on stored frames. A single probability says
# nothing (bf16: up to 0.7 at an outline that moves by a pixel). What int8 may cost was judged by its export.
LEAST_DICE = {"f32": 0.998, "f16": 0.99, "bf16": 0.98, "int8": 0.95}


def is_same(difference: Difference, precision: str) -> bool:
    """Whether masks this near may pass for the same; `precision` also "f16, decoder f32"."""
    return difference.pooled_dice >= LEAST_DICE[precision.partition(",")[0]]


def compare_runtimes(
    reference: Runtime, other: Runtime, images: Iterable[U8], threshold: float
) -> Difference:
    """Run both over pictures (uint8 [h, w, 3] RGB of the input's size); no pictures: no difference."""
    return compare_maps(((reference.infer(image), other.infer(image)) for image in images), threshold)


def compare_maps(pairs: Iterable[tuple[U8, U8]], threshold: float) -> Difference:
    """The same of pairs of probability maps (uint8 [h, w], 255 = 1)."""
    steps = [(largest_step(a, b), dice(a, b, threshold), _overlap(a, b, threshold)) for a, b in pairs]
    if not steps:
        return Difference(0.0, 1.0, 0)
    largest = max(step for step, _, _ in steps)
    both, total = (sum(overlap[part] for _, _, overlap in steps) for part in (0, 1))
    mean = float(np.mean([same for _, same, _ in steps]))
    return Difference(largest, mean, len(steps), 2.0 * both / total if total else 1.0)


def largest_step(a: U8, b: U8) -> float:
    """Largest difference of a probability between two maps, 0..1."""
    return int(np.abs(a.astype(np.int16) - b.astype(np.int16)).max(initial=0)) / 255.0


def dice(a: U8, b: U8, threshold: float) -> float:
    """Dice of the two maps' masks; 1 when both are empty."""
    both, total = _overlap(a, b, threshold)
    return 2.0 * both / total if total else 1.0


def _overlap(a: U8, b: U8, threshold: float) -> tuple[int, int]:
    """Pixels in both masks, and in the one plus in the other."""
    mask_a, mask_b = a >= threshold * 255.0, b >= threshold * 255.0
    return int((mask_a & mask_b).sum()), int(mask_a.sum()) + int(mask_b.sum())
