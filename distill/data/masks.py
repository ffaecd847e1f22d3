"""The ways in which masks are published, and one binary picture from each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from distill.data.pictures import read_picture
from engine.rle import Rle, decode
from engine.types import U8

F64 = npt.NDArray[np.float64]
# JPEG's ringing makes many values of two; only in these may the two values of a mask be taken as they are.
LOSSLESS = frozenset({".bmp", ".png", ".tif", ".tiff"})
INSIDE = 127  # whoever reads an index takes what is brighter as polyp


@dataclass(frozen=True, slots=True)
class MaskFile:
    """A picture. `colours`: a class is a colour (red, green) on black; else grey."""

    path: Path
    colours: bool = False


@dataclass(frozen=True, slots=True)
class Outlines:
    """Polygons in pixels (the top left corner of the picture is 0, 0) and run lengths, joined.

    `runs` are compressed, `lengths` plain COCO run lengths. `path` is the file that they come from.
    """

    path: Path
    width_px: int
    height_px: int
    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()
    runs: tuple[Rle, ...] = ()
    lengths: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Mask:
    """`binary` uint8 [h, w], 0 and 1. `sha256`: of the publisher's file; None: an index cannot name that one,
    because who reads it sees another mask, or none."""

    binary: U8
    sha256: str | None


def read_mask(mask: MaskFile | Outlines) -> Mask:
    """Raises ValueError with what is wrong with the file or the run lengths."""
    if isinstance(mask, Outlines):
        return Mask(_drawn(mask), None)
    if mask.colours:
        blue_green_red = read_picture(mask.path, colour=True).pixels
        return Mask(np.asarray(blue_green_red[..., 1:].max(axis=2) > INSIDE, np.uint8), None)
    file = read_picture(mask.path)
    grey, high = file.pixels, int(file.pixels.max())
    # 0 and 1, or 0 and a class's colour: two values are a mask whatever they are.
    if 0 < high <= INSIDE and mask.path.suffix.lower() in LOSSLESS and bool(np.isin(grey, (0, high)).all()):
        return Mask(np.asarray(grey == high, np.uint8), None)
    return Mask(np.asarray(grey > INSIDE, np.uint8), file.sha256)


def _drawn(mask: Outlines) -> U8:
    picture: U8 = np.zeros((mask.height_px, mask.width_px), np.uint8)
    for polygon in mask.polygons:
        picture |= _inside(np.asarray(polygon, np.float64), mask.width_px, mask.height_px)
    for rle in mask.runs:
        if rle["size"] != [mask.height_px, mask.width_px]:
            raise ValueError(f"run lengths of {rle['size'][1]}x{rle['size'][0]}")
        picture |= decode(rle)
    for lengths in mask.lengths:
        values = (np.arange(len(lengths)) % 2).astype(np.uint8)
        picture |= np.repeat(values, lengths).reshape(mask.width_px, mask.height_px).T
    return picture


def _inside(corners: F64, width_px: int, height_px: int) -> U8:
    """Pixels whose centre is inside the polygon [n, 2] of x and y, even-odd.

    Not cv2.fillPoly: it paints every pixel that the outline touches, 20 % too much of a polyp of 10 px.
    """
    crossings = np.zeros((height_px, width_px + 1), np.int32)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        top, bottom = np.clip(np.ceil(np.sort([y0, y1]) - 0.5).astype(int), 0, height_px)
        rows = np.arange(top, bottom)
        if len(rows):
            x = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            crossings[rows, np.clip(np.ceil(x - 0.5), 0, width_px).astype(int)] += 1
    return (crossings.cumsum(axis=1)[:, :width_px] % 2).astype(np.uint8)
