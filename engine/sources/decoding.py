"""One pass of a decoder over one file: frames in presentation order, damage counted, the end explained."""

from __future__ import annotations

import logging
from collections.abc import Generator
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.sources.demux import video_stream_of
from engine.sources.hardware import (
    NOT_THIS_STREAM,
    Hardware,
    HardwareFailedError,
    OpenContainer,
    open_with,
    running_text,
)

log = logging.getLogger(__name__)

_SANE_RATE_HZ = 300


class Decoder:
    """Decodes the first video stream of a container that it opens itself, and can open again.

    `throughput`: frame threads, which hold back one frame a thread; else slice threads, which hold back none.
    `hardware`: `next` may raise HardwareFailedError; then `leave_hardware`, and start over with `rewind`.
    """

    def __init__(
        self,
        open_container: OpenContainer,
        what: str,
        throughput: bool,
        threads: int,
        hardware: Hardware | None = None,
        left: str = "",
    ) -> None:
        self._open = open_container
        self._what = what
        self._throughput = throughput
        self._threads = threads
        self._hardware = hardware
        self._left = left  # why it decodes in software although hardware was asked for
        self.damaged = 0  # packets that the decoder refused
        self.lost_pts: list[int] = []  # their time stamps, where they had one
        self.end_error: av.FFmpegError | None = None  # why the demuxer gave up before the end
        self._frames: Generator[VideoFrame, None, None]
        self._start()

    @property
    def container(self) -> InputContainer:
        return self._container

    @property
    def stream(self) -> VideoStream:
        return self._stream

    @property
    def running(self) -> str:
        """Which decoder runs, for people."""
        return running_text(self._stream.codec_context.codec.name, self._hardware, self._left)

    @property
    def on_hardware(self) -> bool:
        return self._hardware is not None

    @property
    def time_base(self) -> Fraction:
        return self._stream.time_base or Fraction(1, 1000)

    @property
    def rate_hz(self) -> float | None:
        """What the header says, if it does."""
        return sane_rate_hz(self._stream)

    @property
    def frame_ticks(self) -> int:
        """How long a frame lasts in `time_base`, for frames without stamps; 25 a second if nobody says."""
        return max(1, round(1 / (self.rate_hz or 25.0) / float(self.time_base)))

    def next(self) -> VideoFrame | None:
        """The next frame in presentation order, None after the last one. Raises HardwareFailedError."""
        return next(self._frames, None)

    def leave_hardware(self, failure: HardwareFailedError) -> None:
        """Decode in software from the next `rewind` on; told in the log and by `running`."""
        if self._hardware is not None:
            self._left = f"{self._hardware.name}: {failure}"
            log.warning("%s is decoded in software from here on (%s)", self._what, self._left)
        self._hardware = None

    def rewind(self) -> None:
        """Start over with a fresh container: the only way back that is exact in every format."""
        self._container.close()
        self._start()

    def jump(self, pts: int) -> bool:
        """Continue from about the keyframe at or before `pts`; formats differ in where that is.

        False when the container cannot do it; the position is then unknown.
        """
        self._frames.close()
        try:
            self._container.seek(pts, stream=self._stream, backward=True, any_frame=False)
        except av.FFmpegError as error:
            log.debug("%s does not seek to %d: %s", self._what, pts, error)
            return False
        self._frames = self._decode()
        return True

    def close(self) -> None:
        """Free the container. Not from another thread while `next` runs."""
        self._frames.close()
        self._container.close()

    def _start(self) -> None:
        self._container, failure = open_with(self._open, self._hardware)
        if failure is not None:
            self.leave_hardware(failure)
        self._stream = video_stream_of(self._container, self._what)
        # Both only count before the first packet.
        self._stream.thread_type = "AUTO" if self._throughput else "SLICE"
        self._stream.codec_context.thread_count = 1 if self._hardware else self._threads
        self._frames = self._decode()

    def _decode(self) -> Generator[VideoFrame, None, None]:
        self.end_error = None
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                # The container broke off: what the decoder still holds comes first.
                self.end_error = error
                yield from self._drained()
                return
            if packet is None:
                return
            try:
                frames = self._decoded(packet)
            except av.error.InvalidDataError:
                self.damaged += 1
                if packet.pts is not None:
                    self.lost_pts.append(packet.pts)
                continue
            yield from frames

    def _decoded(self, packet: av.Packet[VideoStream]) -> list[VideoFrame]:
        if self._hardware is None:
            return packet.decode()
        frames = self._hardware.decode(packet)
        if frames and not self._hardware.decodes(self._stream.codec_context):
            raise HardwareFailedError(NOT_THIS_STREAM)  # software that was given one thread only
        return frames

    def _drained(self) -> list[VideoFrame]:
        try:
            return self._stream.codec_context.decode(None)
        except av.FFmpegError:
            return []


def sane_rate_hz(stream: VideoStream) -> float | None:
    """What the header says; None where it says nothing, or nonsense (MPEG-TS: 90,000)."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < rate <= _SANE_RATE_HZ:
            return float(rate)
    return None


def time_stamp(pts: int | None, previous: int | None, frame_ticks: int) -> int:
    """A frame's own time stamp, or its predecessor's plus one frame where there is none or time runs back.

    H.264 with B-frames in AVI, raw streams and joined recordings have such stamps: the order in which the
    decoder gives the frames is right, what the container says of them is not.
    """
    if pts is not None and (previous is None or pts > previous):
        return pts
    return 0 if previous is None else previous + frame_ticks
