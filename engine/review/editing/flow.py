"""Masks carried from frame to frame by optical flow, with how sure that is in each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from engine.sources.base import Picture
from engine.types import F32, U8, Size

LOOKED_PX = 480  # of the longer side: more brings no better outlines and costs its square
LEAST = 0.6  # of a mask's neighbourhood must agree with itself, or it is not followed any farther
AROUND_FRAC = 0.25  # of the mask's size: what is looked at round it
# Sundaram 2010 (Dense point trajectories by GPU-accelerated large displacement optical flow), equation 5.
RELATIVE2, ABSOLUTE2 = 0.01, 0.5
AREA_FACTOR = 1.35  # from one frame to the next: more is no motion


@dataclass(frozen=True, slots=True)
class Carried:
    """Of one frame. `masks`: uint8 [H, W] by label, at the frame's size; `confidence`: 0..1, the lowest."""

    rank: int
    pts_s: float
    masks: Mapping[int, U8]
    confidence: float


@dataclass(frozen=True, slots=True)
class Looked:
    """A frame as the flow looks at it. `grey`: uint8 [h, w], of `looked_size`."""

    rank: int
    pts_s: float
    grey: U8


def looked_size(frame: Size) -> Size:
    scale = min(1.0, LOOKED_PX / max(frame.width_px, frame.height_px))
    return Size(max(1, round(frame.width_px * scale)), max(1, round(frame.height_px * scale)))


def looked_at(picture: Picture) -> Looked:
    rgb = picture.rgb(looked_size(Size(picture.width_px, picture.height_px)))
    return Looked(picture.index, picture.pts_s, np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8))


def carried(
    start: Looked, masks: Mapping[int, U8], frames: Iterable[Looked], least: float = LEAST
) -> Iterator[Carried]:
    """The masks of `start`, uint8 [H, W] by label, in each of the frames behind or before it, in their order.

    The last one given may have a confidence below `least`: there it became unsure, and nothing of it is to be
    kept. Who wants no more of it leaves the iterator.
    """
    flow = _flow()
    grey = start.grey
    high, wide = next(iter(masks.values())).shape
    # Distances instead of masks: a threshold in each frame would eat the outline away.
    soft = {label: _distance(_inside(mask, grey)) for label, mask in masks.items()}
    for frame in frames:
        back, forth = flow(frame.grey, grey), flow(grey, frame.grey)
        moved = {label: _warped(before, back) for label, before in soft.items()}
        confidence = min(_confidence(soft[label], moved[label], back, forth) for label in soft)
        found = {label: _hard(values, (wide, high)) for label, values in moved.items()}
        yield Carried(frame.rank, frame.pts_s, found, confidence)
        if confidence < least:
            return
        grey, soft = frame.grey, moved


def _flow() -> Callable[[U8, U8], F32]:
    """Dense inverse search (Kroeger 2016): how far each pixel of the first is away in the second."""
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return lambda first, second: search.calc(first, second, None)  # None: no guess to begin with


def _inside(mask: U8, grey: U8) -> U8:
    """The mask at the flow's size; of a very small one whatever it touches."""
    share = cv2.resize(mask.astype(np.float32), grey.shape[::-1], interpolation=cv2.INTER_AREA)
    half = share >= 0.5
    return (half if half.any() else share > 0.0).view(np.uint8)


def _distance(inside: U8) -> F32:
    """To the edge, pixels, positive inside and negative outside: float32 [h, w]."""
    to_edge = cv2.distanceTransform(np.pad(inside, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    from_edge = (
        cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5) if inside.any() else np.full_like(to_edge, 99.0)
    )
    return np.asarray(to_edge - from_edge, np.float32)


def _hard(soft: F32, size: tuple[int, int]) -> U8:
    return (cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR) > 0).view(np.uint8)


def _warped(values: F32, back: F32) -> F32:
    high, wide = values.shape
    across, down = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(high, dtype=np.float32))
    return np.asarray(
        cv2.remap(
            values,
            across + back[..., 0],
            down + back[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )


def _confidence(before: F32, now: F32, back: F32, forth: F32) -> float:
    """Which share of the mask and of what lies round it comes back to where it was, and 0 where it jumps."""
    was_px, is_px = int((before > 0).sum()), int((now > 0).sum())
    if not is_px or not was_px or not 1 / AREA_FACTOR <= is_px / was_px <= AREA_FACTOR:
        return 0.0
    near = now > -max(AROUND_FRAC * np.sqrt(is_px), 3.0)
    there = np.dstack([_warped(np.ascontiguousarray(forth[..., axis]), back) for axis in (0, 1)])
    error2 = ((back + there) ** 2).sum(axis=2)
    allowed2 = RELATIVE2 * ((back**2).sum(axis=2) + (there**2).sum(axis=2)) + ABSOLUTE2
    return float((error2[near] <= allowed2[near]).mean())
