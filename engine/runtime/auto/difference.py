"""How far two runtimes are apart, as a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """`max_dp`: largest difference of a probability, 0..1. `mask_dice`: mean Dice of the masks.

    `pooled_dice`: of the pixels of all masks together, so that a speck that comes or goes in an otherwise
    empty picture counts as what it is.
    """

    max_dp: float
    mask_dice: float
    images: int
    pooled_dice: float = 1.0
