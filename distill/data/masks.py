"""The ways in which masks are published, and one binary picture from each."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from distill.data.mask_values import (
    INSIDE,
    Array,
    UnclearMask,
    Value,
    alike,
    binary_of,
    chosen_of,
    named_value,
)
from distill.data.pictures import decoded, one_page, read_data
from engine.drawing.polygon import pixels_inside
from engine.drawing.rle import Rle, decode
from engine.sources.orientation import AS_STORED, orientation_of, upright
from engine.types import U8

# JPEG's ringing makes many values of two.
LOSSLESS = frozenset({".bmp", ".png", ".tif", ".tiff"})


Points = tuple[tuple[float, float], ...]
Patch = tuple[int, int, bytes]  # left, top, a picture file

_PALETTE = 3  # the colour type of a PNG


@dataclass(frozen=True, slots=True)
class MaskFile:
    """A picture. `colours`: every colour with red or green in it is a polyp (BKAI's two kinds).

    `polyp`: the values that are the polyp, `other` all that a mask may have besides (None: any); without
    `polyp` the picture itself must tell, as it does when it has one class on black.
    """

    path: Path
    colours: bool = False
    polyp: Collection[Value] = ()
    other: Collection[Value] | None = None


@dataclass(frozen=True, slots=True)
class Outlines:
    """Polygons in pixels (the top left corner of the picture is 0, 0) and run lengths, joined.

    `runs` are compressed, `lengths` plain COCO run lengths, `patches` small
    masks with their place. `path` is the file that they come from.
    """

    path: Path
    width_px: int
    height_px: int
    polygons: tuple[Points, ...] = ()
    runs: tuple[Rle, ...] = ()
    lengths: tuple[tuple[int, ...], ...] = ()
    patches: tuple[Patch, ...] = ()


@dataclass(frozen=True, slots=True)
class Mask:
    """`binary` uint8 [h, w], 0 and 1. `value`: how the file has the polyp, where it is the file that tells.

    `sha256`: of the publisher's file; None: an index cannot name that one, because who takes what is brighter
    than 127 sees another mask, or none. `file_sha256`: of the file whatever it is; "" for outlines.
    `on_stored`: where the sizes do not tell, it was drawn on the picture's stored pixels, not on the turned
    ones; `turned`: its own EXIF has turned it (`distill.data.labelled` has the rule).
    """

    binary: U8
    sha256: str | None
    value: Value | None = None
    file_sha256: str = ""
    on_stored: bool = False
    turned: bool = False


@dataclass(slots=True)
class Agreement:
    """Masks of one folder mean one thing: 1 in one and 2 in another are two classes, or two ways to write."""

    _first: dict[Path, tuple[Path, Value]] = field(default_factory=dict)

    def check(self, path: Path, value: Value | None) -> None:
        """Raises UnclearMask for a mask that says otherwise than the first one of its folder."""
        if value is None:
            return
        first, said = self._first.setdefault(path.parent, (path, value))
        if not alike(said, value):
            theirs, ours = named_value(said), named_value(value)
            raise UnclearMask(f"its mask has the value {ours}, that of {first.name} has {theirs}")


def read_mask(mask: MaskFile | Outlines) -> Mask:
    """Raises ValueError with what is wrong with the file or the run lengths."""
    if isinstance(mask, Outlines):
        drawn = _drawn(mask)
        if not drawn.any() and (mask.polygons or mask.patches):
            raise ValueError("an outline with no pixel of the picture inside")
        return Mask(drawn, None)
    data = read_data(mask.path)
    one_page(mask.path)
    digest = hashlib.sha256(data).hexdigest()
    turned = orientation_of(data) != AS_STORED

    def made(binary: Array, sha256: str | None = None, value: Value | None = None) -> Mask:
        shown = upright(binary, data).astype(np.uint8, copy=False)
        return Mask(shown, None if turned else sha256, value, digest, on_stored=True, turned=turned)

    lossless = mask.path.suffix.lower() in LOSSLESS
    if mask.colours:
        blue_green_red = decoded(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        return made(blue_green_red[..., 1:].max(axis=2) > INSIDE)
    pixels = decoded(data, cv2.IMREAD_UNCHANGED)
    if mask.polyp:
        return made(chosen_of(pixels, lossless, mask.polyp, mask.other))
    told = binary_of(pixels, lossless)
    if told.value is None and _has_black_palette(data):
        raise UnclearMask("a palette without a colour, where its classes look alike")
    plain = decoded(data, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION) > INSIDE
    return made(told.binary, digest if np.array_equal(plain, told.binary) else None, told.value)


def _has_black_palette(data: bytes) -> bool:
    """Whether a PNG has numbers for pixels, and black for all of several numbers."""
    at = data.find(b"PLTE")
    if data[:4] != b"\x89PNG" or data[25] != _PALETTE or at < 0:
        return False
    colours = data[at + 4 : at + 4 + int.from_bytes(data[at - 4 : at], "big")]
    return len(colours) > 3 and not any(colours)


def _drawn(mask: Outlines) -> U8:
    picture: U8 = np.zeros((mask.height_px, mask.width_px), np.uint8)
    for polygon in mask.polygons:
        picture |= pixels_inside(np.asarray(polygon, np.float64), mask.width_px, mask.height_px)
    for rle in mask.runs:
        if rle["size"] != [mask.height_px, mask.width_px]:
            raise ValueError(f"run lengths of {rle['size'][1]}x{rle['size'][0]}")
        picture |= decode(rle)
    for patch in mask.patches:
        _patch(picture, patch)
    for lengths in mask.lengths:
        values = (np.arange(len(lengths)) % 2).astype(np.uint8)
        picture |= np.repeat(values, lengths).reshape(mask.width_px, mask.height_px).T
    return picture


def _patch(picture: U8, patch: Patch) -> None:
    """Draws it, cut at the picture's edges. Raises ValueError."""
    left, top, data = patch
    pixels = decoded(data, cv2.IMREAD_GRAYSCALE) > 0
    top_cut, left_cut = max(0, -top), max(0, -left)
    pixels = pixels[top_cut:, left_cut:]
    place = picture[top + top_cut :, left + left_cut :][: pixels.shape[0], : pixels.shape[1]]
    place |= pixels[: place.shape[0], : place.shape[1]].astype(np.uint8)
