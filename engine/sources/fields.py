"""Interlaced pictures: whether a frame's two fields show different moments, and one of them alone.

A frame is judged by itself, so that it is the same however one comes to it, and no picture waits for another;
where nothing moved both fields are one sharp picture, whatever a flag says. Of a woven frame the upper field
is shown, its lines as far apart as they were.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from engine.sources.crop import lines_of
from engine.types import U8

# What is interlaced at all: 480 and 576 lines and what is cut from them, and 1080.
HIGHEST_PX, FULL_HD_PX = 576, (1080, 1088)
LOWEST_PX = 96
BLOCK_PX = 16
COMBED_FRAC = 0.31  # of a block's pixels, as FFmpeg's fieldmatch has it (80 of 16 x 16)
# By whether the stream says that it is interlaced: how many bands of a block's height are looked at; levels
# by which a line has to stick out; the share of the blocks that have to be combed.
BANDS = {False: 6, True: 32}
LEVELS = {False: 12, True: 9}
WOVEN_FRAC = {False: 0.005, True: 0.002}
# Of formats that hold no plane of luma: where a byte that is as good stands, of how many a pixel.
_LUMA = {"yuyv422": (0, 2), "yvyu422": (0, 2), "uyvy422": (1, 2), "rgb24": (1, 3), "bgr24": (1, 3)}
_LUMA |= dict.fromkeys(("bgra", "bgr0", "rgba", "rgb0"), (1, 4))


def is_woven(frame: VideoFrame) -> bool:
    """Whether lines of something that moved stand out like the teeth of a comb."""
    height, said = frame.height, bool(frame.interlaced_frame)
    if height < LOWEST_PX or height % 2 or not (said or height <= HIGHEST_PX or height in FULL_HD_PX):
        return False
    starts = np.arange(BLOCK_PX, height - BLOCK_PX, max(2 * BLOCK_PX, height // BANDS[said]))
    rows = (starts[:, None] + np.arange(-1, BLOCK_PX + 1)).ravel()
    lines = _luma(frame, rows, 0 if said else frame.width // 4 // BLOCK_PX * BLOCK_PX)
    above, line, below = lines[:-2], lines[1:-1], lines[2:]
    # A line of the other field lies far from the middle of its neighbours, which agree with each other.
    off = cv2.absdiff(line, cv2.addWeighted(above, 0.5, below, 0.5, 0.0))
    sticks_out = cv2.subtract(off, cv2.absdiff(above, below))
    combed = np.zeros_like(lines)
    combed[1:-1] = cv2.threshold(sticks_out, LEVELS[said], 1, cv2.THRESH_BINARY)[1]
    columns = combed.reshape(len(starts), BLOCK_PX + 2, -1)[:, 1:-1].sum(1, dtype=np.uint8)
    blocks = columns.reshape(len(starts), -1, BLOCK_PX).sum(2, dtype=np.uint16)
    count = int(np.count_nonzero(blocks > COMBED_FRAC * BLOCK_PX**2))
    return bool(count >= max(1, WOVEN_FRAC[said] * blocks.size))


def upper_field(frame: VideoFrame) -> VideoFrame:
    """Every other line of each plane: a frame of half the height."""
    field = VideoFrame(frame.width, frame.height // 2, frame.format.name)
    for index in range(len(frame.planes)):
        target, source = lines_of(field, index), lines_of(frame, index)[::2]
        length = min(target.shape[1], source.shape[1])
        target[:, :length] = source[: target.shape[0], :length]
    return field


def _luma(frame: VideoFrame, rows: npt.NDArray[np.int64], left: int) -> U8:
    """uint8 [rows, w]: without `left` pixels at either side, and to a whole number of blocks."""
    name, width = frame.format.name, (frame.width - 2 * left) // BLOCK_PX * BLOCK_PX
    if name not in _LUMA and frame.format.components[0].bits != 8:
        frame = frame.reformat(format="gray")  # rare, and dear
    at, step = _LUMA.get(name, (0, 1))
    return np.ascontiguousarray(lines_of(frame, 0)[rows, left * step + at : (left + width) * step : step])
