"""Compressed COCO run lengths of a mask, made from the boxes around its blobs and never from the whole frame.

Format: Lin 2014 (COCO), maskApi.c of cocodataset/cocoapi: lengths of alternating runs, zeros first, down the
columns; each written as the difference to the last but one, five bits a character.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

import cv2
import numpy as np
import numpy.typing as npt

from engine.drawing.components import Patch
from engine.drawing.geometry import I64
from engine.types import U8, Rect


class Rle(TypedDict):
    """`size` is [height, width]."""

    size: list[int]
    counts: str


def encode_patches(patches: Iterable[Patch], width_px: int, height_px: int) -> Rle | None:
    """The union of the patches in a frame of that size; None when there are none."""
    runs = [_runs(patch, height_px) for patch in patches]
    if not runs:
        return None
    starts = np.concatenate([start for start, _ in runs])
    ends = np.concatenate([end for _, end in runs])
    order = np.argsort(starts)
    starts, ends = starts[order], ends[order]
    # A run to the bottom of a column goes on at the top of the next, and patches may touch.
    apart = starts[1:] > ends[:-1]
    starts = starts[np.concatenate([[True], apart])]
    ends = ends[np.concatenate([apart, [True]])]
    edges = np.stack([starts, ends], axis=1).ravel()
    counts = np.diff(edges, prepend=0)
    rest = width_px * height_px - int(edges[-1])
    if rest:
        counts = np.append(counts, rest)
    return Rle(size=[height_px, width_px], counts=_text(counts))


def encode(mask: U8) -> Rle:
    """Of a whole frame, uint8 [h, w], anything but 0 inside; an empty one has a single run."""
    height_px, width_px = mask.shape
    x, y, w, h = cv2.boundingRect(mask)
    inside = np.asfortranarray(mask[y : y + h, x : x + w] > 0).astype(np.uint8)
    found = encode_patches([Patch(Rect(x, y, w, h), inside, ())], width_px, height_px) if w else None
    return found or Rle(size=[height_px, width_px], counts=_text(np.array([width_px * height_px])))


def decode(rle: Rle) -> U8:
    """The mask, uint8 [h, w], 0 and 1."""
    height_px, width_px = rle["size"]
    counts = _counts(rle["counts"])
    values = (np.arange(len(counts)) % 2).astype(np.uint8)
    return np.repeat(values, counts).reshape(width_px, height_px).T


def place_in(rle: Rle) -> tuple[Rect, int] | None:
    """The box round a mask and its area in pixels, without decoding it; None of an empty one."""
    height_px = rle["size"][0]
    ends = np.cumsum(_counts(rle["counts"]))
    stops = ends[1::2]
    starts = ends[0::2][: len(stops)]
    if not len(stops):
        return None
    lasts = stops - 1
    left, right = int(starts[0] // height_px), int(lasts[-1] // height_px)
    top, bottom = int((starts % height_px).min()), int((lasts % height_px).max())
    if (starts // height_px != lasts // height_px).any():  # a run goes on at the top of the next column
        top, bottom = 0, height_px - 1
    box = Rect(left, top, right - left + 1, bottom - top + 1)
    return box, int((lasts - starts + 1).sum())


def _runs(patch: Patch, height_px: int) -> tuple[I64, I64]:
    """Where runs of ones start and end (exclusive), counted down the columns of the frame."""
    columns = patch.inside.T
    padded = np.zeros((columns.shape[0], columns.shape[1] + 2), np.int8)
    padded[:, 1:-1] = columns
    edges = np.flatnonzero(np.diff(padded.ravel())) + 1
    column, row = np.divmod(edges, padded.shape[1])
    at = (patch.box.x + column) * height_px + patch.box.y + row - 1
    return at[0::2], at[1::2]


def _text(counts: I64) -> str:
    values = counts.astype(np.int64)
    values[3:] -= counts[1:-2]
    characters: list[npt.NDArray[np.uint8]] = []
    present = []
    more = np.ones(len(values), bool)
    while more.any():
        bits = values & 0x1F
        values >>= 5
        present.append(more)
        goes_on = more & np.where(bits & 0x10, values != -1, values != 0)
        characters.append((bits + np.where(goes_on, 0x20, 0) + 48).astype(np.uint8))
        more = goes_on
    text: bytes = np.stack(characters, axis=1)[np.stack(present, axis=1)].tobytes()
    return text.decode("ascii")


def _counts(text: str) -> list[int]:
    counts: list[int] = []
    value = shift = 0
    for character in text.encode("ascii"):
        bits = character - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    return counts
