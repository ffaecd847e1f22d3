"""Capture cards, grabbers and cameras: PyAV by device name, OpenCV by number."""

from __future__ import annotations

import errno
import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame

from engine.faults import FaultCode, FaultError
from engine.sources.base import SourceOptions
from engine.sources.live.container_feed import ContainerFeed
from engine.sources.live.devices import PIXEL_FORMATS, DeviceInfo, list_devices
from engine.sources.live.grabber import Facts, LiveSource

log = logging.getLogger(__name__)

__all__ = ["DeviceInfo", "OpenCvFeed", "format_options", "list_devices", "open"]

# Windows' Media Foundation can take 12-20 s.
OPEN_S = 20.0
_FFMPEG_NAME = {"NV12": "nv12", "YUYV": "yuyv422", "MJPG": "mjpeg"}
_CLOSE_TO_RATE = 0.9
_REMEDY = "check the cable and the device, and that no other program uses it"


def open(address: str, options: SourceOptions) -> LiveSource:
    """Open "v4l2:/dev/video0", "dshow:NAME", "avfoundation:0", or "capture:0" (OpenCV's count).

    Raises FaultError DEVICE_MISSING, naming the devices that exist, SOURCE_LOST when it gives no picture,
    ARGUMENT for an unknown pixel format.
    """
    scheme, _, name = address.partition(":")
    if not name:
        scheme, name = "v4l2", address
    if options.pixel_format not in ("auto", *PIXEL_FORMATS):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a pixel format: auto, {', '.join(PIXEL_FORMATS)}",
            got=repr(options.pixel_format),
            remedy="choose auto",
            said=f"There is no pixel format {options.pixel_format!r}. "
            f"Choose auto, {', '.join(PIXEL_FORMATS)}.",
        )
    feed: OpenCvFeed | ContainerFeed
    if scheme == "capture":
        feed = OpenCvFeed(_number(name), options)
    else:
        # Grabbers give pixels or JPEG: there is nothing in it for a hardware decoder.
        feed = ContainerFeed(name, lambda _: _connect(scheme, name, options), remedy=_REMEDY)
    silent = FaultError(
        FaultCode.SOURCE_LOST,
        expected=f"a picture from {name} within {OPEN_S:g} s",
        got="a device that opens but gives none",
        remedy="check that something is connected to its input, or try another pixel format or size",
        said=f"{name} opens, but gives no picture within {OPEN_S:g} s. Check that something is "
        "connected to its "
        "input, or try another pixel format or size.",
    )
    return LiveSource(feed, address, options.colour, OPEN_S, silent)


def format_options(scheme: str, options: SourceOptions) -> list[dict[str, str]]:
    """FFmpeg's options for each way to ask the device, best first.

    Nothing asked: one way, the device's own default.
    """
    common: dict[str, str] = {}
    if options.size:
        common["video_size"] = f"{options.size.width_px}x{options.size.height_px}"
    if options.rate_hz:
        common["framerate"] = f"{options.rate_hz:g}"
    if scheme == "dshow":
        # Its default of 3 MB is less than one 1080p picture; the feed empties it at once.
        common["rtbufsize"] = "67108864"
    if options.pixel_format != "auto":
        formats = [options.pixel_format]
    elif options.size or options.rate_hz:
        formats = list(PIXEL_FORMATS)
    else:
        return [common]
    return [common | _format_option(scheme, name) for name in formats]


def _format_option(scheme: str, pixel_format: str) -> dict[str, str]:
    name = _FFMPEG_NAME[pixel_format]
    if scheme == "v4l2":
        return {"input_format": name}
    return {"vcodec" if pixel_format == "MJPG" else "pixel_format": name}


def _connect(scheme: str, name: str, options: SourceOptions) -> InputContainer:
    if scheme == "lavfi":
        return _opened("lavfi", name, name, {})
    where = f"video={name}" if scheme == "dshow" else name
    ways = format_options(scheme, options)
    for way in ways[:-1]:
        try:
            container = _opened(scheme, where, name, way)
        except FaultError as error:
            log.info("%s does not open with %s: %s", name, way, error.got)
            continue
        if _keeps(container, options):
            return container
        container.close()
    return _opened(scheme, where, name, ways[-1])


def _opened(scheme: str, where: str, name: str, way: dict[str, str]) -> InputContainer:
    try:
        return av.open(where, mode="r", format=scheme, container_options=way, timeout=(OPEN_S, None))
    except (av.FFmpegError, ValueError) as error:
        raise _missing(name, _reason(error)) from error


def _keeps(container: InputContainer, options: SourceOptions) -> bool:
    stream = container.streams.video[0]
    size, rate = options.size, stream.average_rate
    right_size = size is None or (stream.width, stream.height) == (size.width_px, size.height_px)
    return right_size and not (options.rate_hz and rate and rate < _CLOSE_TO_RATE * options.rate_hz)


def _reason(error: Exception) -> str:
    match error:
        case av.error.PermissionError():
            return "no permission to use it (on Linux: the group video)"
        case av.error.OSError(errno=errno.EBUSY):
            return "a device that another program is using"
        case av.error.FFmpegError(strerror=str(words)):
            return words
    return str(error)


def _missing(name: str, got: str) -> FaultError:
    existing = ", ".join(f"{device.address} ({device.title})" for device in list_devices())
    return FaultError(
        FaultCode.DEVICE_MISSING,
        expected=f"a capture device {name}",
        got=got,
        remedy=f"choose one of {existing}" if existing else "connect a device: this computer shows none",
        said=f"The capture device {name} cannot be opened: {got}. "
        + (f"Choose one of {existing}." if existing else "Connect a device: this computer shows none."),
    )


def _number(name: str) -> int:
    if not re.fullmatch(r"\d+", name):
        raise _missing(name, "no number")
    return int(name)


class OpenCvFeed:
    """A `Feed` (grabber.py) over OpenCV's capture, for drivers that PyAV does not reach."""

    def __init__(
        self, number: int, options: SourceOptions, make: Callable[[int, int], Any] = cv2.VideoCapture
    ) -> None:
        self._number = number
        self._options = options
        self._make = make
        self._capture: Any = None
        self._stopped = threading.Event()

    @property
    def title(self) -> str:
        return f"capture device {self._number}"

    def facts(self) -> Facts:
        """As `Feed.facts`."""
        rate_hz = float(self._capture.get(cv2.CAP_PROP_FPS))
        return Facts(rate_hz if rate_hz > 0 else None, decoder="by OpenCV")

    def open(self) -> None:
        """Raises FaultError DEVICE_MISSING."""
        # DirectShow opens at once where Media Foundation may take 20 s.
        backend = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}
        capture = self._make(self._number, backend.get(sys.platform, cv2.CAP_ANY))
        if not capture.isOpened():
            capture.release()
            raise _missing(str(self._number), "no such device, or one that is in use")
        self._capture = capture
        # The format before size and rate: a driver offers other sizes for other formats.
        if self._options.pixel_format != "auto":
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*self._options.pixel_format))
        if self._options.size:
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._options.size.width_px)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._options.size.height_px)
        if self._options.rate_hz:
            capture.set(cv2.CAP_PROP_FPS, self._options.rate_hz)
        # Four by default: four pictures late. Not every driver listens; the feed empties it anyway.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def pictures(self) -> Iterator[tuple[VideoFrame, float, float]]:
        """Raises FaultError SOURCE_LOST when the device gives no more."""
        while not self._stopped.is_set():
            there, pixels = self._capture.read()
            now_s = time.monotonic()
            if not there:
                raise FaultError(
                    FaultCode.SOURCE_LOST,
                    expected=f"pictures from {self.title}",
                    got="a device that gives no more",
                    remedy=_REMEDY,
                    said=f"{self.title} gives no more pictures. {_REMEDY[:1].upper()}{_REMEDY[1:]}.",
                )
            yield VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), "bgr24"), now_s, now_s

    def stop(self) -> None:
        """As `Feed.stop`: seen with the next picture."""
        self._stopped.set()

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
