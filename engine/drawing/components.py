"""Probability map -> components at frame pixels, without touching the rest of the frame."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from engine.drawing.geometry import I64, Axis
from engine.types import F32, I32, U8, Component, Mask, OperatingPoint, Rect

BAND_VALUES = 16384
LOWEST_LEVEL = 0.5  # a threshold of 0 means any probability at all, not the whole picture


@dataclass(frozen=True, slots=True)
class Patch:
    """A part of the frame that holds whole components; patches of one mask do not overlap.

    `inside` is uint8 [box.h, box.w], 1 on the pixels of `components` and 0 elsewhere; its memory runs down
    the columns (Fortran order), which is how run lengths are counted.
    """

    box: Rect
    inside: U8
    components: tuple[Component, ...]


def find_components(
    mask: Mask, frame_width_px: int, frame_height_px: int, point: OperatingPoint
) -> tuple[Component, ...]:
    """The 8-connected blobs of the mask at frame pixels, largest first.

    A frame pixel is inside where the bilinearly upscaled map, in real numbers, is at or over the threshold.
    """
    return components_of(find_patches(mask, frame_width_px, frame_height_px, point))


def patch_of(component: Component) -> Patch:
    """The pixels of a component by its outlines: what `find_patches` has of it, moved with it."""
    box = component.box
    inside = np.zeros((box.h, box.w), np.uint8)
    lines = [line - np.array([box.x, box.y], np.int32) for line in component.contours]
    cv2.drawContours(inside, lines, -1, 1, cv2.FILLED)
    cv2.drawContours(inside, lines[1:], -1, 1, 1)  # a hole's outline is of the component, not of the hole
    return Patch(box, np.asfortranarray(inside), (component,))


def components_of(patches: Iterable[Patch]) -> tuple[Component, ...]:
    """All components of the patches, largest first."""
    found = (component for patch in patches for component in patch.components)
    return tuple(sorted(found, key=lambda component: component.area_px, reverse=True))


def find_patches(
    mask: Mask, frame_width_px: int, frame_height_px: int, point: OperatingPoint
) -> tuple[Patch, ...]:
    """`find_components` with the pixels: only boxes around blobs of the small map are ever upscaled."""
    level = np.float32(max(point.threshold * 255.0, LOWEST_LEVEL))
    lowest_peak = max(float(level), point.min_peak * 255.0)
    if not mask.probability.size or int(mask.probability.max()) < lowest_peak:
        return ()
    across = Axis(mask.probability.shape[1], mask.roi.w)
    down = Axis(mask.probability.shape[0], mask.roi.h)
    min_area_px = max(point.min_area_frac * frame_width_px * frame_height_px, 1.0)
    patches = []
    for box in _boxes(mask.probability, level, across, down, min_area_px):
        values = _upscale(mask.probability, across, down, box)
        corner = box.x + mask.roi.x, box.y + mask.roi.y
        patch = _patch(values, level, min_area_px, point.min_peak, *corner)
        if patch is not None:
            patches.append(patch)
    return tuple(patches)


def pixels_of(patches: Iterable[Patch], frame_width_px: int, frame_height_px: int) -> npt.NDArray[np.bool_]:
    """bool [h, w] of the frame: True on the pixels of all components of the patches."""
    pixels = np.zeros((frame_height_px, frame_width_px), bool)
    for patch in patches:
        box = patch.box
        pixels[box.y : box.y + box.h, box.x : box.x + box.w] |= patch.inside > 0
    return pixels


def _boxes(probability: U8, level: np.float32, across: Axis, down: Axis, min_area_px: float) -> list[Rect]:
    """Boxes in ROI pixels, apart from each other, that hold every pixel at or over the level."""
    # Whole numbers: at or over the level is at or over the next whole one.
    over = np.greater_equal(probability, np.uint8(min(math.ceil(level), 255))).view(np.uint8)
    # Blobs of the small map that are apart can meet at frame size (a value just under the level between two
    # high ones), and a reduced picture steps over gaps: what is this near is looked at together.
    margin_x, margin_y = (max(1, math.ceil(axis.step / 2)) for axis in (across, down))
    near = cv2.dilate(over, _around(margin_x, margin_y))
    lines, _ = cv2.findContours(near, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    ranges = []
    for x, y, w, h in map(cv2.boundingRect, lines):
        left, right = across.reach(x, x + w - 1)
        top, bottom = down.reach(y, y + h - 1)
        if (right - left) * (bottom - top) >= min_area_px:
            ranges.append((left, top, right, bottom))
    return [Rect(left, top, right - left, bottom - top) for left, top, right, bottom in _apart(ranges)]


@lru_cache(maxsize=16)
def _around(x: int, y: int) -> U8:
    return np.ones((2 * y + 1, 2 * x + 1), np.uint8)


def _apart(ranges: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """The same ground in boxes (left, top, right, bottom) of which overlapping ones have become one."""
    done: list[tuple[int, int, int, int]] = []
    for box in ranges:
        while hit := next((other for other in done if _overlap(box, other)), None):
            done.remove(hit)
            box = (min(box[0], hit[0]), min(box[1], hit[1]), max(box[2], hit[2]), max(box[3], hit[3]))
        done.append(box)
    return done


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _upscale(probability: U8, across: Axis, down: Axis, box: Rect) -> F32:
    """The bilinearly upscaled map inside `box`, 0..255, transposed: float32 [box.w, box.h].

    Transposed because then both passes copy whole rows; cv2.resize cannot start between two map values, and
    cv2.warpAffine rounds positions to 1/32 of a value.
    """
    lower, upper, weight = down.taps(box.y, box.y + box.h)
    left, right, share = across.taps(box.x, box.x + box.w)
    first, last = int(left[0]), int(right[-1])
    top, bottom = int(lower[0]), int(upper[-1])
    part = probability[top : bottom + 1, first : last + 1].astype(np.float32)
    tall = np.ascontiguousarray(_between(part, lower - top, upper - top, weight).T)
    return _between(tall, left - first, right - first, share)


def _between(rows: F32, lower: I64, upper: I64, weight: F32) -> F32:
    mixed = np.empty((len(lower), rows.shape[1]), dtype=np.float32)
    # A band at a time: its scratch rows stay in the cache, where fresh megabytes cost 2 ms of page faults.
    band = max(1, BAND_VALUES // max(rows.shape[1], 1))
    scratch = np.empty((min(band, len(lower)), rows.shape[1]), dtype=np.float32)
    for start in range(0, len(lower), band):
        out = mixed[start : start + band]
        low = scratch[: len(out)]
        rows.take(lower[start : start + band], axis=0, out=low, mode="clip")
        rows.take(upper[start : start + band], axis=0, out=out, mode="clip")
        out -= low
        out *= weight[start : start + band, None]
        out += low
    return mixed


def _patch(
    values: F32, level: np.float32, min_area_px: float, min_peak: float, x: int, y: int
) -> Patch | None:
    """The components in `values` (transposed, as `_upscale` gives it); `x, y` is its corner in the frame."""
    over = np.greater_equal(values, level).view(np.uint8)
    lines, found = cv2.findContours(over, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    # In `tree` a line is [next, previous, first hole, outer line]. Only several blobs need labels.
    tree: list[list[int]] = [] if found is None else found[0].tolist()
    outer = [i for i, line in enumerate(tree) if line[3] < 0]
    labels = None if len(outer) == 1 else cv2.connectedComponents(over, connectivity=8)[1]
    inside = over if labels is None else np.zeros_like(over)
    components = []
    for i in outer:
        top, left, height, width = cv2.boundingRect(lines[i])
        if height * width < min_area_px:
            continue
        part = np.s_[left : left + width, top : top + height]
        own = over[part]
        if labels is not None:
            row, column = lines[i][0, 0, ::-1]
            own = np.equal(labels[part], labels[row, column]).view(np.uint8)
        area_px = cv2.countNonZero(own)
        peak = min(cv2.minMaxLoc(values[part], own)[1] / 255.0, 1.0)
        if area_px < min_area_px or peak < min_peak:
            continue
        if labels is not None:
            np.bitwise_or(inside[part], own, out=inside[part])
        holes = [j for j, line in enumerate(tree) if line[3] == i] if tree[i][2] >= 0 else []
        components.append(
            Component(
                box=Rect(x + left, y + top, width, height),
                area_px=area_px,
                peak=peak,
                mean=min(cv2.mean(values[part], own)[0] / 255.0, 1.0),
                contours=tuple(_in_frame(lines[j], x, y) for j in (i, *holes)),
            )
        )
    if not components:
        return None
    return Patch(Rect(x, y, values.shape[0], values.shape[1]), inside.T, tuple(components))


def _in_frame(line: npt.NDArray[Any], x: int, y: int) -> I32:
    """A line of cv2, [n, 1, 2] and transposed, as [n, 2] frame pixels."""
    points: I32 = line[:, 0, ::-1].astype(np.int32)
    return points + np.array([x, y], dtype=np.int32)
