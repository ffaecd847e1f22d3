"""A decoded frame that is converted only when somebody asks for its pixels."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from av.buffer import Buffer
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from engine.sources.colour import Colour, ColourTags, colour_of
from engine.sources.fields import is_woven, upper_field
from engine.sources.live.signal import Signal
from engine.sources.orientation import AS_STORED
from engine.sources.screen_pixels import ScreenPixels
from engine.sources.shrink import halved, plane_of
from engine.types import U8, Rect, Size

_FULL_RANGE = 2  # AVCOL_RANGE_JPEG: what a screen and a network expect of RGB
_KEPT_TARGETS = 4
# By orientation, as EXIF counts them (engine/sources/orientation.py); OpenCV turns without a second copy.
_UPRIGHT: dict[int, Callable[[U8], Any]] = {
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.flip(cv2.transpose(pixels), -1),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}
# Orientation by a display matrix's axes: (are they swapped, does x run backwards, does y).
_ORIENTATIONS = {
    (False, False, False): 1,
    (False, True, False): 2,
    (False, True, True): 3,
    (False, False, True): 4,
    (True, False, False): 5,
    (True, True, False): 6,
    (True, True, True): 7,
    (True, False, True): 8,
}


class Converter:
    """YUV to BGRA and to the network's RGB. One per source, used by its reader thread only.

    A VideoReformatter keeps swscale's tables for one target, so every target has its own.
    """

    def __init__(self, colour: str = "auto") -> None:
        self._override = colour
        self._screen = ScreenPixels()
        self._reformatters: OrderedDict[Size, VideoReformatter] = OrderedDict()
        self._colours: dict[ColourTags, Colour] = {}
        self._judged: tuple[VideoFrame, bool] | None = None

    def colour(self, frame: VideoFrame) -> Colour:
        """The matrix and range used for this frame. Raises FaultError ARGUMENT for a wrong override."""
        tags = ColourTags(frame.format.name, int(frame.colorspace), int(frame.color_range), frame.height)
        if tags not in self._colours:
            self._colours[tags] = colour_of(tags, self._override)
        return self._colours[tags]

    def bgra(self, frame: VideoFrame) -> U8:
        """uint8 [H, W, 4] at the frame's own size; a buffer of its own, not rotated."""
        return self._screen.bgra(frame, self.colour(frame), self._is_woven(frame))

    def rgb(self, frame: VideoFrame, size: Size, box: Rect | None = None) -> U8:
        """uint8 [h, w, 3], scaled from the decoder's planes with an area filter, not rotated.

        `box`: a part of the frame as it is stored, instead of the whole.
        """
        # Planes, not "rgb24": that is 2 levels too dark in every channel, or takes 1.8 ms with full chroma.
        colour = self.colour(frame)
        if self._is_woven(frame):
            frame = upper_field(frame)
            box = None if box is None else Rect(box.x, box.y // 2, box.w, max(1, box.h // 2))
        small = self._reformatter(size).reformat(
            halved(frame, size, box),
            width=size.width_px,
            height=size.height_px,
            format="gbrp",
            interpolation=Interpolation.AREA,
            src_colorspace=colour.matrix,
            src_color_range=colour.range,
            dst_color_range=_FULL_RANGE,
            threads=1,  # as in ScreenPixels
        )
        green, blue, red = (plane_of(small, index) for index in range(3))
        return np.asarray(cv2.merge([red, green, blue]), dtype=np.uint8)

    def _is_woven(self, frame: VideoFrame) -> bool:
        """Asked two or three times of a frame, before the next one comes."""
        if self._judged is None or self._judged[0] is not frame:
            self._judged = frame, is_woven(frame)
        return self._judged[1]

    def _reformatter(self, size: Size) -> VideoReformatter:
        reformatter = self._reformatters.get(size)
        if reformatter is None:
            reformatter = self._reformatters[size] = VideoReformatter()
            if len(self._reformatters) > _KEPT_TARGETS:
                self._reformatters.popitem(last=False)
        return reformatter


@dataclass(frozen=True, slots=True)
class VideoPicture:
    """A `Picture` (engine/sources/base.py) over one decoded frame, upright as its display matrix asks."""

    index: int
    pts_s: float
    captured_s: float
    frame: VideoFrame
    converter: Converter
    orientation: int = AS_STORED  # how it is to be turned or mirrored, 1 to 8 as EXIF counts
    name: str | None = None
    signal: Signal | None = None  # of a live picture

    @property
    def damaged(self) -> bool:
        """As `Picture.damaged`: by its way here when live, by its decoder in a recording."""
        return self.signal.damaged if self.signal is not None else bool(self.frame.is_corrupt)

    @property
    def width_px(self) -> int:
        return self.frame.height if self._lies else self.frame.width

    @property
    def height_px(self) -> int:
        return self.frame.width if self._lies else self.frame.height

    def bgra(self) -> U8:
        """uint8 [H, W, 4], C order, read-only, a buffer of its own."""
        return self._upright(self.converter.bgra(self.frame))

    def rgb(self, size: Size, part: Rect | None = None) -> U8:
        """uint8 [h, w, 3], the whole picture (or `part` of it, upright pixels) squashed to `size`.

        With an area filter; C order, read-only.
        """
        lying = Size(size.height_px, size.width_px) if self._lies else size
        box = (
            None if part is None else stored_box(part, self.orientation, self.frame.width, self.frame.height)
        )
        return self._upright(self.converter.rgb(self.frame, lying, box))

    @property
    def _lies(self) -> bool:
        return lies(self.orientation)

    def _upright(self, pixels: U8) -> U8:
        if (upright := _UPRIGHT.get(self.orientation)) is not None:
            pixels = np.asarray(upright(pixels), dtype=np.uint8)
        pixels.flags.writeable = False
        return pixels


def lies(orientation: int) -> bool:
    """Whether width and height change places when it is turned."""
    return orientation >= 5


def stored_box(box: Rect, orientation: int, width_px: int, height_px: int) -> Rect:
    """Where `box` of the upright picture lies in the frame as it is stored, which has this size."""
    x, y, w, h = (box.y, box.x, box.h, box.w) if lies(orientation) else (box.x, box.y, box.w, box.h)
    if orientation in (2, 3, 7, 8):
        x = width_px - x - w
    if orientation in (3, 4, 6, 7):
        y = height_px - y - h
    return Rect(x, y, w, h)


def turn_of(frame: VideoFrame) -> int:
    """How the frame's display matrix turns or mirrors it, 1 to 8 as EXIF counts; 1 for crooked angles.

    The angle that FFmpeg makes of the matrix cannot tell a mirror.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(matrix, Buffer) or len(data := bytes(matrix)) < 36:
        return AS_STORED
    a, b, _, c, d = (int(value) for value in np.frombuffer(data, np.int32, count=5))
    if (a and d) and not (b or c):
        return _ORIENTATIONS[False, a < 0, d < 0]
    if (b and c) and not (a or d):
        return _ORIENTATIONS[True, c < 0, b < 0]
    return AS_STORED
