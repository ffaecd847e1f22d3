"""What the values of a mask picture mean: one class on black, or in words why that cannot be known.

A mask that is misread as empty makes a polyp image a polyp-free one, which nothing notices later. So whatever
has a second class, no background, or nothing that is surely polyp is refused.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from engine.types import U8

Array = npt.NDArray[Any]
Value = tuple[int, ...]  # (grey,) or (red, green, blue), as the file has them

WHITE: Value = (255,)  # also what is nearly white, and of 16 bits
INSIDE = 127  # what is brighter is polyp, where black and white are the two
DARK, BRIGHT = 31, 223  # compression and scaling make a little grey between black and white
FEW = 16  # values: a drawing; more come from compression or scaling
NOISE = 3  # different values near black, and near white: what was compressed before
FLAT_PX = 16  # so much of one grey away from all edges is a class
FLAT_FRAC = 0.01  # and this share of what is not black
CLASS_SPREAD = 24  # of 255, within a class after compression
GREY_SPREAD = 24  # of 255, between the channels of a grey picture after compression
CHOSEN_SPREAD = 40  # of 255, from a class's own colour after compression


class UnclearMask(ValueError):
    """A picture that can be read, and nobody can say what in it is the polyp."""


@dataclass(frozen=True, slots=True)
class Told:
    """`binary` uint8 [h, w], 0 and 1; `value`: how the file has the polyp, None where it has none."""

    binary: U8
    value: Value | None


def binary_of(pixels: Array, lossless: bool) -> Told:
    """pixels: [h, w] or [h, w, 3 or 4] blue first, as they are stored, of any number type.

    Raises UnclearMask, in words, for what may be several classes, or none.
    """
    plane = _without_alpha(pixels, lossless)
    if isinstance(plane, Told):
        return plane
    if plane.ndim == 2:
        return _of_grey(plane, lossless)
    spread = plane.max(axis=2).astype(np.int64) - plane.min(axis=2)
    if int(spread.max()) * 255 <= GREY_SPREAD * _full(plane) and not (lossless and _values(plane) <= FEW):
        return _of_grey(cv2.cvtColor(plane, cv2.COLOR_BGR2GRAY), lossless)
    if not spread.any():
        return _of_grey(plane[..., 0], lossless)
    return _of_colour(plane, lossless)


def chosen_of(pixels: Array, lossless: bool, polyp: Collection[Value], other: Collection[Value] | None) -> U8:
    """uint8 [h, w], 1 where a pixel has one of the values `polyp`.

    `other`: all further values that a mask may have; None: any. Raises UnclearMask for another value.
    """
    colours = pixels[..., 2::-1] if pixels.ndim == 3 else np.stack([pixels] * 3, axis=2)
    colours = colours.astype(np.int64)

    def at(values: Collection[Value], reach: int) -> npt.NDArray[np.bool_]:
        inside = np.zeros(colours.shape[:2], bool)
        for value in values:
            inside |= np.abs(colours - np.array(value)).max(axis=2) <= reach
        return inside

    reach = 0 if lossless else CHOSEN_SPREAD
    found = at(polyp, reach)
    if lossless and other is not None:
        strange = ~(found | at(other, 0))
        if strange.any():
            named = named_value(tuple(int(v) for v in colours[strange][0]))
            raise UnclearMask(f"the value {named}, which no class has")
    return found.astype(np.uint8)


def value_named(name: str) -> Value:
    """A class as people write it: 1, or #ff0000. Raises ValueError."""
    if name.startswith("#") and len(name) == 7:
        return tuple(bytes.fromhex(name[1:]))
    return (int(name),)


def named_value(value: Value) -> str:
    if len(set(value)) == 1:
        return str(value[0])
    return "#" + "".join(f"{channel:02x}" for channel in value)


def alike(one: Value, other: Value) -> bool:
    """Whether two masks mean the same class; small numbers are classes, larger ones may be compressed."""
    if len(one) != len(other):
        return False
    near = 0 if max(*one, *other) <= DARK else 8
    return all(abs(a - b) <= near for a, b in zip(one, other, strict=True))


def _without_alpha(pixels: Array, lossless: bool) -> Array | Told:
    """[h, w] or [h, w, 3] without transparency, or the mask where the transparency is the mask."""
    if pixels.ndim == 2 or pixels.shape[2] < 4:
        return pixels if pixels.ndim == 2 or pixels.shape[2] == 3 else pixels[..., 0]
    colours, alpha = pixels[..., :3], pixels[..., 3]
    if alpha.min() == alpha.max():
        if not alpha.any() and colours.any():
            raise UnclearMask("all of it is transparent")
        return colours
    inside = colours[alpha > 0]
    if int(np.ptp(inside, axis=0).max()) <= 8:
        told = _of_grey(alpha, lossless)
        edge = np.concatenate([told.binary[at] for at in ((0,), (-1,), (..., 0), (..., -1))], axis=None)
        if told.binary.mean() > 0.5 and edge.mean() > 0.9:
            raise UnclearMask("its background is opaque and the rest transparent")
        return told
    if not np.isin(alpha, (0, _full(alpha))).all():
        raise UnclearMask("its transparency and its colours say different things")
    return np.where((alpha > 0)[..., None], colours, 0).astype(colours.dtype)


def _of_grey(plane: Array, lossless: bool) -> Told:
    if plane.dtype.kind == "f":
        if not np.isfinite(plane).all() or plane.min() < 0 or plane.max() > 255:
            raise UnclearMask("values that are neither 0 to 1 nor 0 to 255")
        plane = np.rint(plane * (255 if plane.max() <= 1 else 1)).astype(np.uint8)
    values = np.unique(plane)
    low, high, full = int(values[0]), int(values[-1]), _full(plane)
    dark, bright = DARK * full / 255, BRIGHT * full / 255
    if len(values) == 1:
        if high == 0 or (not lossless and high <= 2):
            return Told(np.zeros(plane.shape, np.uint8), None)
        if high > bright:
            return Told(np.ones(plane.shape, np.uint8), WHITE)
        raise UnclearMask(f"nothing but the value {high}")
    if len(values) == 2 and not lossless and high <= dark:
        raise UnclearMask(f"values 0 and {high}: no polyp that can be told from black")
    if len(values) == 2 and (low == 0 or (low <= dark and high > bright)):
        return Told((plane == high).astype(np.uint8), WHITE if high > bright else (high,))
    if low > dark:
        raise UnclearMask(f"values {low} to {high}, and no background of 0")
    near_black, near_white = (values > 0) & (values <= dark), values > bright
    noisy = near_black.sum() >= NOISE and near_white.sum() >= NOISE
    if len(values) <= FEW and lossless and not noisy:
        return _of_drawing(plane, values, dark, bright)
    return _of_compressed(plane, full, lossless)


def _of_drawing(plane: Array, values: Array, dark: float, bright: float) -> Told:
    """Few values: each that has a place of its own is a class; grey at edges of black and white is none."""
    white = (plane > bright).astype(np.uint8)
    classes = ", ".join(str(int(value)) for value in values)
    if not white.any():
        raise UnclearMask(f"values {classes}: several classes")
    near = cv2.dilate(white, np.ones((7, 7), np.uint8)) > 0
    for value in values[values > 0]:
        if value > bright:
            continue
        there = plane == value
        own = cv2.erode(there.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0)
        if own.sum() >= 4 or (there & ~near).sum() >= 4:
            raise UnclearMask(f"values {classes}: several classes")
    return Told((plane > (INSIDE * bright / BRIGHT)).astype(np.uint8), WHITE)


def _of_compressed(plane: Array, full: int, lossless: bool) -> Told:
    scaled = plane if full == 255 else np.rint(plane * (255 / full))
    grey: U8 = scaled.astype(np.uint8)
    side_px = 5 if lossless else 7  # a block of JPEG has 8, and may be all of one grey
    kernel = np.ones((side_px, side_px), np.uint8)
    spread = cv2.dilate(grey, kernel).astype(np.int16) - cv2.erode(grey, kernel)
    top = int(grey.max())
    if top <= DARK:
        if lossless or ((spread <= 1) & (grey > 0)).sum() > FLAT_PX:
            raise UnclearMask(f"values 0 to {int(plane.max())}: no polyp that can be told from black")
        return Told(np.zeros(plane.shape, np.uint8), None)
    lit = int((grey > DARK).sum())
    flat = grey[(spread <= 8) & (grey > DARK)]
    classes = flat[flat <= BRIGHT]
    if len(classes) > max(FLAT_PX, FLAT_FRAC * lit):
        first, last = np.percentile(classes, (2, 98))
        if len(flat) - len(classes) > FLAT_PX or last - first > CLASS_SPREAD:
            shown = f"{int(first)} to {int(flat.max())}"
            raise UnclearMask(f"large parts of several greys, {shown}: several classes")
        level = int(np.median(classes))
        return Told((grey > level / 2).astype(np.uint8), (level,))
    if top <= INSIDE:
        raise UnclearMask(f"nothing brighter than {int(plane.max())}, and no even grey either")
    return Told((grey > INSIDE).astype(np.uint8), WHITE)


def _of_colour(plane: Array, lossless: bool) -> Told:
    """One colour on black, edges included."""
    scale = 255 / _full(plane)
    strongest = plane.max(axis=2)
    lit = strongest * scale > DARK
    if lossless and _values(plane) <= FEW:
        lit = strongest > 0
    strong = plane[lit].astype(np.float64)
    if not len(strong):
        raise UnclearMask("no polyp that can be told from black")
    # The brightest tell the hue: between them and black lie the edges.
    hues = strong / strong.max(axis=1, keepdims=True)
    hue = np.median(hues[strong.max(axis=1) >= 0.75 * strong.max()], axis=0)
    off = (np.abs(hues - hue).max(axis=1) * strong.max(axis=1) * scale) > (3 if lossless else CHOSEN_SPREAD)
    if off.sum() > (0 if lossless and _values(plane) <= FEW else max(FLAT_PX, FLAT_FRAC * len(strong))):
        raise UnclearMask(f"several colours: {_shown(plane)}")
    told = _of_grey(strongest, lossless)
    if told.value is None:
        return told
    brightest = strong[strong.max(axis=1).argmax()]
    return Told(told.binary, tuple(int(channel * scale) for channel in brightest[::-1]))


def _shown(plane: Array) -> str:
    colours, counts = np.unique(plane.reshape(-1, 3)[:, ::-1], axis=0, return_counts=True)
    first = [named_value(tuple(int(v) for v in colours[at])) for at in np.argsort(-counts)[:4]]
    return ", ".join(first) + (", ..." if len(colours) > 4 else "")


def _values(plane: Array) -> int:
    """How many different colours, FEW + 1 where there are more."""
    seen = np.unique(plane.reshape(-1, plane.shape[2])[::7], axis=0)
    if len(seen) > FEW:
        return FEW + 1
    return len(np.unique(plane.reshape(-1, plane.shape[2]), axis=0))


def _full(plane: Array) -> int:
    """What white is: 16 bits may hold numbers of 8."""
    return 255 if plane.dtype.itemsize == 1 or int(plane.max()) <= 255 else int(np.iinfo(plane.dtype).max)
