"""Any PyAV container that never ends by itself, as a feed: network streams and capture devices."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.faults import FaultCode, FaultError
from engine.sources.decoding import sane_rate_hz
from engine.sources.demux import video_stream_of

log = logging.getLogger(__name__)

# A lost datagram costs a packet or two; a demuxer that says nothing else has lost the thread for good.
_ERRORS_IN_A_ROW = 100


class ContainerFeed:
    """A `Feed` (engine/sources/live.py). `open_container` raises FaultError when it cannot."""

    def __init__(self, title: str, open_container: Callable[[], InputContainer], remedy: str) -> None:
        self._title = title
        self._open = open_container
        self._remedy = remedy
        self._container: InputContainer | None = None
        self._stream: VideoStream | None = None

    @property
    def title(self) -> str:
        return self._title

    @property
    def rate_hz(self) -> float | None:
        return sane_rate_hz(self._stream) if self._stream else None

    @property
    def pixel_aspect(self) -> float:
        aspect = self._stream.sample_aspect_ratio if self._stream else None
        return float(aspect) if aspect else 1.0

    def open(self) -> None:
        """Connect. Raises FaultError as `open_container` does, SOURCE_UNREADABLE without a picture track."""
        self._container = self._open()
        self._stream = video_stream_of(self._container, self._title)
        # Frame threads would hold pictures back.
        self._stream.thread_type = "SLICE"
        self._stream.codec_context.thread_count = 2
        self._stream.codec_context.copy_opaque = True

    def pictures(self) -> Iterator[tuple[VideoFrame, float, float]]:
        """Frames as they come, damaged ones too: a live picture is worth more than a whole one."""
        if self._container is None or self._stream is None:
            return
        errors = 0
        while True:
            # A demuxing generator is used up by an error, the container is not.
            try:
                for packet in self._container.demux(self._stream):
                    packet.opaque = time.monotonic()
                    yield from self._decoded(packet)
                    errors = 0
            except (av.error.BlockingIOError, av.error.InvalidDataError) as error:
                errors += 1
                if errors >= _ERRORS_IN_A_ROW:
                    raise self._lost(error) from error
            except av.FFmpegError as error:
                raise self._lost(error) from error
            else:
                return

    def close(self) -> None:
        """Free the device or connection."""
        if self._container is not None:
            self._container.close()

    def _decoded(self, packet: av.Packet[VideoStream]) -> Iterator[tuple[VideoFrame, float, float]]:
        try:
            frames = packet.decode()
        except av.error.InvalidDataError as error:
            log.debug("%s: a packet that cannot be decoded: %s", self._title, error)
            return
        for frame in frames:
            arrived_s = float(frame.opaque) if isinstance(frame.opaque, float) else time.monotonic()
            yield frame, frame.time if frame.pts is not None else arrived_s, arrived_s

    def _lost(self, error: av.FFmpegError) -> FaultError:
        silent = isinstance(error, av.error.ExitError | av.error.TimeoutError)
        return FaultError(
            FaultCode.SOURCE_LOST,
            expected=f"pictures from {self._title}",
            got="silence" if silent else error.strerror or type(error).__name__,
            remedy=self._remedy,
        )
