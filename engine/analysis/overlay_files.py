"""Pictures with the findings on them: an MP4 with the source's time stamps, or a folder of stills."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Protocol

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from engine.analysis.judged import JudgedFrame
from engine.analysis.read_ahead import VideoTags
from engine.faults import FaultCode, FaultError
from engine.types import U8, Size

VIDEO: Final = "overlay.mp4"
STILLS: Final = "overlay"
TICKS = Fraction(1, 90_000)  # of a source that does not say its own
BT709, BT601 = 1, 6  # ITU-T H.273 matrices
_SWSCALE = {BT709: 1, BT601: 5}
_UNSPECIFIED = 2
_LIMITED, _FULL = 1, 2
_TALLEST_BT601_PX = 719


class OverlayWriter(Protocol):
    """Takes the pictures of one source in order."""

    def write(self, frame: JudgedFrame, picture: U8) -> None:
        """`picture`: uint8 [H, W, 4] BGRA, drawn on. Raises FaultError OUTPUT."""

    def close(self) -> None:
        """Finish the file. Idempotent."""


class TimedVideo:
    """H.264 in MP4: as many frames as are written, each with the `pts` it had, in the source's own ticks.

    Pixel aspect and colour tags are carried over. A picture of odd size gets one more column or row (4:2:0
    has even sizes only); one of another size than `size` is scaled to it.
    """

    def __init__(
        self, path: Path, size: Size, tags: VideoTags | None, rate_hz: float | None, pixel_aspect: float
    ) -> None:
        self._name = path.name
        self._ticks = tags.time_base if tags else TICKS
        self._last_pts: int | None = None
        width_px, height_px = size.width_px, size.height_px
        self._size = (width_px + width_px % 2, height_px + height_px % 2)
        self._matrix = tags.matrix if tags and tags.matrix in _SWSCALE else _usual_matrix(height_px)
        self._reformatter = VideoReformatter()
        # No name and version of a program in it.
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        self._output = av.open(str(path), "w", format="mp4", options=options)
        rate = Fraction(rate_hz or 25.0).limit_denominator(1001)
        stream: Any = self._output.add_stream(
            "libx264", rate=rate, options={"preset": "veryfast", "crf": "20"}
        )
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = self._ticks
        stream.codec_context.sample_aspect_ratio = Fraction(pixel_aspect).limit_denominator(4096)
        stream.codec_context.colorspace = self._matrix
        stream.codec_context.color_range = _LIMITED
        stream.codec_context.color_primaries = tags.primaries if tags else _UNSPECIFIED
        stream.codec_context.color_trc = tags.transfer if tags else _UNSPECIFIED
        self._stream = stream
        self._open, self._failed = True, False

    def add(self, pts_s: float, picture: U8) -> None:
        """`picture`: uint8 [H, W, 4] BGRA. Raises FaultError OUTPUT."""
        pts = round(Fraction(pts_s) / self._ticks)
        if self._last_pts is not None and pts <= self._last_pts:
            pts = self._last_pts + 1  # two pictures at one time do not exist in MP4
        self._last_pts = pts
        yuv = self._reformatter.reformat(
            av.VideoFrame.from_numpy_buffer(self._fitted(picture), "bgra"),
            format="yuv420p",
            src_color_range=_FULL,
            dst_colorspace=_SWSCALE[self._matrix],
            dst_color_range=_LIMITED,
        )
        yuv.pts, yuv.time_base = pts, self._ticks
        self._mux(yuv)

    def close(self) -> None:
        """As `OverlayWriter.close`."""
        if not self._open:
            return
        self._open = False
        with _told(self._name):
            try:
                if not self._failed:
                    self._mux(None)
            finally:
                self._output.close()  # writes the index, so it can fail as well

    def _mux(self, frame: av.VideoFrame | None) -> None:
        with _told(self._name):
            try:
                self._output.mux(self._stream.encode(frame))
            except BaseException:
                self._failed = True  # FFmpeg crashes when more comes behind a header that was not written
                raise

    def _fitted(self, picture: U8) -> U8:
        width, height = self._size
        if abs(picture.shape[1] - width) > 1 or abs(picture.shape[0] - height) > 1:
            return np.asarray(cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        right, below = width - picture.shape[1], height - picture.shape[0]
        if right or below:
            picture = np.asarray(
                cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8
            )
        return picture


class OverlayVideo(TimedVideo):
    """An `OverlayWriter` of a video; the first frame says what all are like."""

    def __init__(self, path: Path, first: JudgedFrame, rate_hz: float | None, pixel_aspect: float) -> None:
        super().__init__(path, first.result.size, first.tags, rate_hz, pixel_aspect)

    def write(self, frame: JudgedFrame, picture: U8) -> None:
        """As `OverlayWriter.write`."""
        self.add(frame.result.pts_s, picture)


class OverlayStills:
    """A folder with a picture for each still, under the still's own name and at its own size.

    Stills of one folder differ in size, so they do not make a video.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder

    def write(self, frame: JudgedFrame, picture: U8) -> None:
        """As `OverlayWriter.write`."""
        name = frame.name or f"{frame.result.index:06d}.png"
        options = [cv2.IMWRITE_JPEG_QUALITY, 95]
        _, data = cv2.imencode(Path(name).suffix, np.ascontiguousarray(picture[..., :3]), options)
        (self._folder / name).write_bytes(data.tobytes())

    def close(self) -> None:
        """As `OverlayWriter.close`."""


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except av.FFmpegError as error:
        raise FaultError(
            FaultCode.OUTPUT,
            expected=f"to write {name}",
            got=error.strerror or str(error),
            remedy="free some space, or choose another folder",
        ) from error


def _usual_matrix(height_px: int) -> int:
    return BT601 if height_px <= _TALLEST_BT601_PX else BT709
