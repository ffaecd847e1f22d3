"""A part of a decoded frame, from the decoder's own planes: nothing is converted, nothing else is copied."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import av
import numpy as np
from av.video.frame import VideoFrame

from engine.types import U8, Rect

FALLBACK = "bgr24"  # for palettes and packed bits, which no camera and no recorder gives


@dataclass(frozen=True, slots=True)
class _PlaneStep:
    """How one plane is laid out: so many bytes for `across` pixels, a line for `down` of them."""

    bytes: int
    across: int
    down: int


def cropped(frame: VideoFrame, box: Rect) -> VideoFrame:
    """`box` of the frame (stored pixels, not turned), in the same pixel format.

    Its corner and size should be even: where chroma is halved an odd one is taken up to one pixel wider.
    """
    steps = _steps_of(frame.format.name)
    if steps is None:
        frame = frame.reformat(format=FALLBACK)
        steps = _steps_of(FALLBACK)
        assert steps is not None
    across, down = max(s.across for s in steps), max(s.down for s in steps)
    left, top = box.x // across * across, box.y // down * down
    part = VideoFrame(box.x + box.w - left, box.y + box.h - top, frame.format.name)
    for index, step in enumerate(steps):
        target, source = lines_of(part, index), lines_of(frame, index)
        first = left // step.across * step.bytes
        length = -(-part.width // step.across) * step.bytes
        rows = np.s_[top // step.down : top // step.down + target.shape[0]]
        target[:, :length] = source[rows, first : first + length]
    return part


@lru_cache(maxsize=32)
def _steps_of(name: str) -> tuple[_PlaneStep, ...] | None:
    """One a plane; None where a pixel is no whole number of bytes, or needs a palette."""
    side = 64
    layout = av.VideoFormat(name, side, side)
    if layout.has_palette:
        return None
    steps = []
    for plane in sorted({component.plane for component in layout.components}):
        own = [component for component in layout.components if component.plane == plane]
        across = max(side // component.width for component in own)
        down = max(side // component.height for component in own)
        counted = sum(across * component.width // side * -(-component.bits // 8) for component in own)
        steps.append(_PlaneStep(counted, across, down))
    bits = sum(8 * step.bytes / (step.across * step.down) for step in steps)
    return tuple(steps) if bits == layout.padded_bits_per_pixel else None


def lines_of(frame: VideoFrame, index: int) -> U8:
    """All bytes of a plane, uint8 [lines, bytes], its padding too."""
    plane = frame.planes[index]
    lines: U8 = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)  # type: ignore[call-overload]
    return lines
