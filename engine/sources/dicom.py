"""DICOM recordings by pydicom: stored frames as a source, an encapsulated video as the video that it is.

FFmpeg's own reader of DICOM gives some of the frames and says nothing. Names of patients are not read.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from av.video.frame import VideoFrame
from pydicom import encaps
from pydicom.errors import InvalidDicomError
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import iter_pixels

from engine.faults import FaultCode, FaultError
from engine.sources.base import Picture, Source, SourceOptions
from engine.sources.file import video
from engine.sources.picture import Converter, VideoPicture
from engine.types import U8, SourceInfo

log = logging.getLogger(__name__)

USUAL_RATE_HZ = 25.0
_VIDEO_SYNTAXES = "1.2.840.10008.1.2.4.10"  # MPEG-2, H.264 and HEVC: .100 to .109
_SAME_RATE = 0.01


def open(address: str, options: SourceOptions) -> Source:
    """Open a DICOM file. Raises FaultError SOURCE_UNREADABLE."""
    path = Path(address)
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        syntax = header.file_meta.TransferSyntaxUID
    except (InvalidDicomError, OSError, AttributeError, ValueError, EOFError) as error:
        raise _unreadable(path, f"a damaged DICOM file ({error})") from error
    if syntax.startswith(_VIDEO_SYNTAXES) and len(syntax) > len(_VIDEO_SYNTAXES):
        return _Encapsulated(path, options)
    return DicomFrames(path, header, syntax.name, options)


class DicomFrames:
    """A `Source` (engine/sources/base.py) over the frames of one file, at the rate that it says."""

    def __init__(self, path: Path, header: pydicom.Dataset, syntax: str, options: SourceOptions) -> None:
        self._path = path
        self._header = header
        self._converter = Converter(options.colour)
        self._count = max(1, int(header.get("NumberOfFrames") or 1))
        self._rate_hz = rate_of(header) or USUAL_RATE_HZ
        self._next = 0
        self._ahead: tuple[int, Iterator[npt.NDArray[Any]]] | None = None
        self._closed = False
        first = self._pixels(0)
        if isinstance(first, str):
            raise _unreadable(path, f"pictures that cannot be read ({syntax}: {first})")
        self._info = SourceInfo(
            id=str(path),
            title=path.name,
            width_px=first.shape[1],
            height_px=first.shape[0],
            rate_hz=self._rate_hz,
            duration_s=self._count / self._rate_hz,
            frames=self._count,
            seekable=True,
            live=False,
            colour="rgb full",
            decoder=f"DICOM, {syntax}",
        )

    @property
    def info(self) -> SourceInfo:
        return self._info

    def read(self) -> Picture | None:
        """The next frame, None after the last one. Raises FaultError, not fatal, for one that is damaged."""
        if self._closed or self._next >= self._count:
            return None
        index = self._next
        self._next += 1
        pixels = self._pixels(index)
        if isinstance(pixels, str):
            raise FaultError(
                FaultCode.SOURCE_UNREADABLE,
                expected=f"frame {index} of {self._count} in {self._path.name}",
                got=f"one that cannot be read ({pixels})",
                remedy="the others go on",
                fatal=False,
                said=f"Frame {index} of {self._count} in {self._path.name} cannot be read. The others go on.",
                lost_frames=1,
            )
        frame = VideoFrame.from_numpy_buffer(pixels, "rgb24")
        return VideoPicture(index, index / self._rate_hz, time.monotonic(), frame, self._converter)

    def seek(self, index: int) -> None:
        """Make frame `index` (clamped) the next one."""
        self._next = max(0, min(index, self._count - 1))

    def index_at(self, pts_s: float) -> int:
        """Rank of the frame on the screen at `pts_s`."""
        return max(0, min(int(pts_s * self._rate_hz + 1e-3), self._count - 1))

    def close(self) -> None:
        """Idempotent, from any thread."""
        self._closed = True

    def _pixels(self, index: int) -> U8 | str:
        """uint8 [h, w, 3] RGB, or why there is none."""
        if self._ahead is None or self._ahead[0] != index:
            indices = range(index, self._count)
            self._ahead = (index, iter_pixels(self._path, indices=indices))
        frames = self._ahead[1]
        try:
            pixels = colour_of(next(frames), self._header)
        except Exception as error:  # pydicom and its decoders raise whatever they like over damaged pixels
            log.info("frame %d of %s: %s", index, self._path.name, error)
            self._ahead = None
            return str(error).partition("\n")[0] or type(error).__name__
        self._ahead = (index + 1, frames)
        return pixels


def colour_of(pixels: npt.NDArray[Any], header: pydicom.Dataset) -> U8:
    """uint8 [h, w, 3] RGB of a stored frame: the bits that are used, grey as three channels."""
    photometric = str(header.get("PhotometricInterpretation", ""))
    bits = int(header.get("BitsStored") or 8)
    if photometric == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, header)
        bits = 16 if pixels.dtype.itemsize > 1 else 8
    if header.get("PixelRepresentation") == 1 and pixels.ndim == 2:
        pixels = pixels.astype(np.int64) + (1 << (bits - 1))
    if bits != 8:
        pixels = pixels.astype(np.float64) * (255 / ((1 << bits) - 1))
    shown = np.clip(pixels, 0, 255).astype(np.uint8)
    if photometric == "MONOCHROME1":
        shown = 255 - shown
    return np.ascontiguousarray(np.repeat(shown[..., None], 3, axis=2) if shown.ndim == 2 else shown[..., :3])


def rate_of(header: pydicom.Dataset) -> float | None:
    """Frames a second; of times and rates that say the same, the rate, which is not rounded."""
    times_ms = header.get("FrameTimeVector")
    time_ms = header.get("FrameTime") or (
        sum(map(float, times_ms[1:])) / (len(times_ms) - 1) if times_ms and len(times_ms) > 1 else None
    )
    timed_hz = 1000 / float(time_ms) if time_ms and float(time_ms) > 0 else None
    rates = (header.get("CineRate"), header.get("RecommendedDisplayFrameRate"))
    said_hz = next((float(rate) for rate in rates if rate and float(rate) > 0), None)
    if timed_hz and said_hz and abs(timed_hz - said_hz) > _SAME_RATE * timed_hz:
        return timed_hz
    return said_hz or timed_hz


class _Encapsulated:
    """A video that lies whole in a DICOM file: played from a copy of its own."""

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self._copy = ExitStack()
        folder = self._copy.enter_context(tempfile.TemporaryDirectory(prefix="polyplive-dicom-"))
        copy = Path(folder) / f"{path.stem}.video"
        try:
            stored = pydicom.dcmread(path)
            with copy.open("wb") as stream:
                # For DICOM a whole video is one frame, in one fragment or several.
                for part in encaps.generate_frames(stored.PixelData, number_of_frames=1):
                    stream.write(part)
            self._video = video.open(str(copy), options)
        except (InvalidDicomError, OSError, AttributeError, ValueError) as error:
            self._copy.close()
            raise _unreadable(path, f"a damaged DICOM video ({error})") from error
        except BaseException:
            self._copy.close()
            raise
        self._path = path
        self._infos = (self._video.info, self._named(self._video.info))

    @property
    def info(self) -> SourceInfo:
        """The video's under the file's name; the same object until something changes."""
        info = self._video.info
        if info is not self._infos[0]:
            self._infos = (info, self._named(info))
        return self._infos[1]

    def _named(self, info: SourceInfo) -> SourceInfo:
        return replace(info, id=str(self._path), title=self._path.name)

    def read(self) -> Picture | None:
        return self._video.read()

    def seek(self, index: int) -> None:
        self._video.seek(index)

    def index_at(self, pts_s: float) -> int:
        return self._video.index_at(pts_s)

    def close(self) -> None:
        """Idempotent, from any thread."""
        self._video.close()
        self._copy.close()


def _unreadable(path: Path, got: str) -> FaultError:
    return FaultError(
        FaultCode.SOURCE_UNREADABLE,
        expected=f"{path.name} to be a DICOM recording with pictures",
        got=got,
        remedy="export the recording again, or as MP4",
    )
