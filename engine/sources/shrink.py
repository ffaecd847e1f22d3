"""The cheap first half of shrinking a large picture for the network: two by two pixels become one."""

from __future__ import annotations

import cv2
import numpy as np
from av.video.frame import VideoFrame

from engine.types import U8, Size

_PLANAR = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"})


def halved(frame: VideoFrame, size: Size) -> VideoFrame:
    """The frame at half its width and height, or itself where that would leave it smaller than `size`.

    Only 8-bit planar YUV is halved. Averages of averages are what an area filter gives, within half a level;
    swscale's own filter over all of a 1080p picture takes 1.1 ms, both halves together 0.7.
    """
    fits = frame.width >= 2 * size.width_px and frame.height >= 2 * size.height_px
    if not fits or frame.format.name not in _PLANAR or frame.width % 4 or frame.height % 4:
        return frame
    half = VideoFrame(frame.width // 2, frame.height // 2, frame.format.name)
    for index in range(3):
        target = plane_of(half, index)
        cv2.resize(plane_of(frame, index), target.shape[::-1], dst=target, interpolation=cv2.INTER_AREA)
    return half


def plane_of(frame: VideoFrame, index: int) -> U8:
    """One 8-bit plane, uint8 [h, w]: the frame's own memory without the padding at its lines' ends."""
    plane = frame.planes[index]
    lines = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)  # type: ignore[call-overload]
    view: U8 = lines[:, : plane.width]
    return view
