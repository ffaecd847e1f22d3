"""One image with its map and its mask: everything that any figure needs of it, so that the map can go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distill.metrics.image import dice_iou
from distill.metrics.lesions import MIN_AREA_FRAC, LesionCounts, count_lesions
from distill.metrics.pixels import Pixels, at_native_size, count_pixels
from distill.metrics.protocols import overlap
from distill.metrics.structure import Structure, measure_structure
from distill.metrics.surface import diagonal_px, hd95_px
from engine.types import F32, U8

THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Case:
    """Which image. Images of one `group` may show the same polyp."""

    name: str
    set: str
    group: str


@dataclass(frozen=True, slots=True)
class Counting:
    """What counts as a detection: blobs of probability > `threshold`, at least that part of the picture."""

    threshold: float = THRESHOLD
    min_area_frac: float = MIN_AREA_FRAC


@dataclass(frozen=True, slots=True)
class Sample:
    """One image to be measured.

    probability: float32 in 0..1 of any size, brought bilinearly to the mask's; mask: uint8 [h, w], 0 is
    background; shown: bool [h, w], what the window draws, None for maps that no window draws; picture: uint8
    [h, w, 3] BGR for the gallery, None where there is none.
    """

    case: Case
    probability: F32
    mask: U8
    shown: npt.NDArray[np.bool_] | None = None
    picture: U8 | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """Figures of what the window draws."""

    dice: float
    iou: float
    lesions: dict[float, LesionCounts]


@dataclass(frozen=True, slots=True)
class Measured:
    """`structure` and `hd95_px` are None for a negative, an image whose mask is all black.

    `mae` is the mean of |probability - mask|; `lesions` has a key for each IoU of HIT_IOUS.
    """

    case: Case
    polyp: bool
    pixels: Pixels
    structure: Structure | None
    mae: float
    hd95_px: float | None
    diagonal_px: float
    lesions: dict[float, LesionCounts]
    shown: Shown | None = None

    @property
    def polyp_share(self) -> float:
        """Of the picture, all polyps of the image together: every pixel is at level 0 or over."""
        return float(self.pixels.there[0] / self.pixels.curve_found[0, 0])

    @property
    def missed(self) -> bool:
        """Whether nothing of the polyps is found."""
        return self.polyp and not self.pixels.hit[0]

    @property
    def dice(self) -> float:
        """Of `p05_image`; both empty counts 1."""
        return float(overlap(self.pixels.hit, self.pixels.found, self.pixels.there)["dice"][0])


def measure(sample: Sample, counting: Counting = Counting()) -> Measured:
    """All figures of one image at the mask's size."""
    mask = sample.mask
    native = at_native_size(sample.probability, mask)
    there = mask > 0
    polyp = bool(there.any())
    return Measured(
        case=sample.case,
        polyp=polyp,
        pixels=count_pixels(native, mask),
        structure=measure_structure(native, mask) if polyp else None,
        mae=float(np.abs(native - there).mean(dtype=np.float64)),
        hd95_px=hd95_px(native > THRESHOLD, there) if polyp else None,
        diagonal_px=diagonal_px(there),
        lesions=count_lesions(native > counting.threshold, there, counting.min_area_frac),
        shown=None if sample.shown is None else _shown(sample.shown, mask),
    )


def _shown(found: npt.NDArray[np.bool_], mask: U8) -> Shown:
    dice, iou = dice_iou(found, mask)
    # The window has left out small blobs already.
    return Shown(dice, iou, count_lesions(found, mask > 0))
