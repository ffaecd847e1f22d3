"""Any PyAV container that never ends by itself, as a feed: network streams and capture devices."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import cast

import av
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.faults import FaultCode, FaultError
from engine.sources.file.demux import video_stream_of
from engine.sources.file.hardware import (
    NOT_THIS_STREAM,
    Hardware,
    HardwareFailedError,
    OpenContainer,
    open_with,
    running_text,
)
from engine.sources.file.header import sane_hz, sane_rate_hz
from engine.sources.live.continuity import Damage
from engine.sources.live.datagrams import Datagrams
from engine.sources.live.frame_numbers import FrameNumbers
from engine.sources.live.grabber import Facts
from engine.sources.live.signal import CatchUp, DelayWatch

log = logging.getLogger(__name__)

# A lost datagram costs a packet or two; a demuxer that says nothing else has lost the thread for good.
_ERRORS_IN_A_ROW = 100


class ContainerFeed:
    """A `Feed` (engine/sources/live/grabber.py). `open_container` raises FaultError when it cannot.

    `hardware` decodes as long as it can; after that software, without connecting again. `datagrams` is
    what `open_container` reads, for streams over UDP. `lossy`: of another stream whose sender may leave out
    packets (RTSP over TCP): losses are told by what is in the pictures.
    """

    def __init__(
        self,
        title: str,
        open_container: OpenContainer,
        remedy: str,
        hardware: Hardware | None = None,
        left: str = "",
        datagrams: Datagrams | None = None,
        lossy: bool = False,
    ) -> None:
        self._datagrams = datagrams
        self._lossy = lossy
        self._numbers: FrameNumbers | None = None
        self._title = title
        self._open = open_container
        self._remedy = remedy
        self._hardware = hardware
        self._left = left  # why it decodes in software although hardware was asked for
        self._software: VideoCodecContext | None = None  # in place of the stream's own, which failed
        self._stopped = threading.Event()
        self._damage = Damage()
        self._damaged = False
        self._lost_frac = 0.0
        self._delay, self._catch_up = DelayWatch(), CatchUp()
        self._idle_s = self._got_s = 0.0  # since when the next packet is waited for; when the last one came
        self._skips = False  # until the next keyframe
        self._last = (0.0, 0.0)  # time stamp and arrival of the newest picture; none: time is arrival
        self._container: InputContainer | None = None
        self._stream: VideoStream | None = None

    @property
    def title(self) -> str:
        return self._title

    def facts(self) -> Facts:
        """As `Feed.facts`."""
        assert self._stream is not None
        # The decoder's own: what the container says of them is said once, and a sender may start anew.
        context = self._software or self._stream.codec_context
        aspect = context.sample_aspect_ratio or self._stream.sample_aspect_ratio
        codec = self._stream.codec_context.codec.name
        return Facts(
            sane_hz(context.framerate) or sane_rate_hz(self._stream),
            float(aspect) if aspect else 1.0,
            running_text(codec, self._hardware, self._left),
            self._damaged,
            self._lost_frac,
        )

    def open(self) -> None:
        """Connect. Raises FaultError as `open_container` does, SOURCE_UNREADABLE without a picture track."""
        self._container, failure = open_with(self._open, self._hardware)
        if failure is not None:
            self._leave_hardware(failure)
        self._stream = video_stream_of(self._container, self._title)
        context = self._stream.codec_context
        _set_up(context)
        if self._lossy:
            # Of several threads FFmpeg's decoder forgets that a slice was cut off.
            context.thread_count = 1
            self._numbers = FrameNumbers(context.extradata) if context.codec.name == "h264" else None

    def pictures(self) -> Iterator[tuple[VideoFrame, float, float]]:
        """Frames as they come, damaged ones too: a live picture is worth more than a whole one."""
        if self._container is None or self._stream is None:
            return
        errors = 0
        while not self._stopped.is_set():
            # A demuxing generator is used up by an error, the container is not.
            try:
                # All packets: a sender that starts anew may send under other numbers (PIDs), and who waits
                # for the old ones alone never comes back to see that nobody waits any more.
                for packet in self._container.demux():
                    if self._stopped.is_set():
                        return
                    if packet.stream_index != self._stream.index:
                        continue
                    yield from self._decoded(cast("av.Packet[VideoStream]", packet))
                    self._idle_s = time.monotonic()
                    errors = 0
            except IndexError as error:  # a stream that was not there at first: PyAV knows no such packet
                raise self._other_stream() from error
            except (av.error.BlockingIOError, av.error.InvalidDataError) as error:
                errors += 1
                if errors >= _ERRORS_IN_A_ROW:
                    raise self._lost(error) from error
            except av.FFmpegError as error:
                raise self._lost(error) from error
            else:
                return

    def stop(self) -> None:
        """As `Feed.stop`: seen with the next packet, or when the driver or socket gives up waiting."""
        self._stopped.set()
        if self._datagrams is not None:
            self._datagrams.stop()

    def close(self) -> None:
        """Free the device or connection."""
        container, self._container, self._stream, self._software = self._container, None, None, None
        if container is not None:
            container.close()
        if self._datagrams is not None:
            self._datagrams.close()

    def _decoded(self, packet: av.Packet[VideoStream]) -> Iterator[tuple[VideoFrame, float, float]]:
        now_s = time.monotonic()
        gap_at = -1
        if self._datagrams is not None:
            gap_at = self._datagrams.continuity.gap_at.get(packet.stream.id, -1)
            self._lost_frac = self._datagrams.continuity.lost_frac(now_s)
        corrupt, key = packet.is_corrupt, packet.is_keyframe
        if self._numbers is not None and self._numbers.misses_one(bytes(packet)):
            corrupt = True
        if packet.dts is not None and packet.time_base:
            behind_s = self._delay.look(float(packet.dts * packet.time_base), now_s)
            late = self._catch_up.look(now_s - self._idle_s, self._idle_s - self._got_s, behind_s)
            self._got_s = now_s
            self._skips = late or (self._skips and not key)
            if self._skips and not key:
                return
        damaged = self._damage.packet(
            packet.pos, packet.pts, key=key, corrupt=corrupt, gap_at=gap_at, now_s=now_s
        )
        packet.opaque = (now_s, damaged)
        try:
            frames = self._frames_of(packet)
        except av.error.InvalidDataError as error:
            log.debug("%s: a packet that cannot be decoded: %s", self._title, error)
            return
        for frame in frames:
            arrived_s, damaged = frame.opaque if isinstance(frame.opaque, tuple) else (now_s, damaged)
            self._damaged = self._damage.picture(damaged, frame.pts, corrupt=frame.is_corrupt, now_s=now_s)
            yield frame, self._time_of(frame, arrived_s), arrived_s

    def _time_of(self, frame: VideoFrame, arrived_s: float) -> float:
        """Its own time stamp; where that is lost or there are none, what has passed since the one before."""
        last_s, last_arrived_s = self._last
        pts_s = frame.time if frame.pts is not None else last_s + (arrived_s - last_arrived_s)
        self._last = (pts_s, arrived_s)
        return pts_s

    def _frames_of(self, packet: av.Packet[VideoStream]) -> list[VideoFrame]:
        if self._software is not None:
            return self._software.decode(packet)
        if self._hardware is None or self._stream is None:
            return packet.decode()
        try:
            frames = self._hardware.decode(packet)
        except HardwareFailedError as failure:
            self._software = _software_like(self._stream.codec_context)
            self._leave_hardware(failure)
            # What refers to earlier pictures cannot be decoded: the next whole one comes with a keyframe.
            return self._software.decode(packet)
        if frames and not self._hardware.decodes(self._stream.codec_context):
            self._leave_hardware(HardwareFailedError(NOT_THIS_STREAM))
        return frames

    def _leave_hardware(self, failure: HardwareFailedError) -> None:
        if self._hardware is not None:
            self._left = f"{self._hardware.name}: {failure}"
            log.warning("%s is decoded in software from here on (%s)", self._title, self._left)
        self._hardware = None

    def _other_stream(self) -> FaultError:
        return FaultError(
            FaultCode.SOURCE_LOST,
            expected=f"the same streams from {self._title} as at first",
            got="others: its sender has started anew",
            remedy="nothing: it is opened again",
        )

    def _lost(self, error: av.FFmpegError) -> FaultError:
        silent = isinstance(error, av.error.ExitError | av.error.TimeoutError)
        return FaultError(
            FaultCode.SOURCE_LOST,
            expected=f"pictures from {self._title}",
            got="silence" if silent else error.strerror or type(error).__name__,
            remedy=self._remedy,
            said=f"{self._title} has fallen silent"
            + ("" if silent else f" ({error.strerror or type(error).__name__})")
            + f". {self._remedy[:1].upper()}{self._remedy[1:]}.",
        )


def _set_up(context: VideoCodecContext) -> None:
    # Frame threads would hold pictures back.
    context.thread_type = "SLICE"
    context.thread_count = 2
    context.copy_opaque = True


def _software_like(failed: VideoCodecContext) -> VideoCodecContext:
    context = VideoCodecContext.create(failed.codec.name, "r")
    assert isinstance(context, VideoCodecContext)
    context.extradata = failed.extradata
    _set_up(context)
    return context
