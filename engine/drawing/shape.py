"""One thing to draw over a picture, for whoever draws it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.types import F32


@dataclass(frozen=True, slots=True)
class Shape:
    """One thing to draw over the picture, for Qt and for pixels alike.

    `paths` are float32 [n, 2] points in frame pixels, closed when `closed`; several paths of one fill are
    filled by the even-odd rule (holes). `width_px` and `casing_px` (the dark line on both sides) are
    screen pixels: they do not grow with zoom. `colour` is (r, g, b); `opacity` 0..1. `dashed` is what is not
    sure, `dotted` what a person said.
    """

    kind: str  # "line" | "fill"
    paths: tuple[F32, ...]
    colour: tuple[int, int, int]
    width_px: float
    casing_px: float
    opacity: float
    closed: bool = True
    dashed: bool = False
    dotted: bool = False
