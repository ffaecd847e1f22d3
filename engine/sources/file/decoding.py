"""One pass of a decoder over one file: frames in presentation order, damage counted, the end explained."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Generator, Sequence
from fractions import Fraction
from typing import cast

import av
from av.codec.context import Flags
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.faults import FaultError
from engine.sources.file.demux import video_stream_of
from engine.sources.file.hardware import (
    NOT_THIS_STREAM,
    Hardware,
    HardwareFailedError,
    OpenContainer,
    open_with,
    running_text,
)
from engine.sources.file.header import sane_rate_hz
from engine.sources.file.promise import Promise
from engine.sources.file.time_stamps import shift_of_part

log = logging.getLogger(__name__)

_STREAM_THREADS = 2  # slice threads beyond two gain nothing on one stream
_HOLES_TELL = frozenset({"ogg", "asf"})
_PLACES_TELL = frozenset({"matroska", "flv"})
_OVERHEAD_BYTES = 512  # between two packets of these


Landing = tuple[int | None, int | None]  # time stamp and place in the file of a packet
PartStart = tuple[int, int]  # first time stamp of a part, shifted, and the shift


class FrameThreadsError(Exception):
    """A packet is damaged, and frame threads would lose sound frames with it: start over without them."""


class Decoder:
    """Decodes the video stream of a container that it opens itself, and can open again.

    `following`: containers that go on where the first one ends; time stamps go on, too.
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
        following: Sequence[OpenContainer] = (),
    ) -> None:
        self._parts = (open_container, *following)
        self._container: InputContainer | None = None
        self._part = 0
        self._shift = 0  # what is added to the time stamps of this part
        self._what = what
        self._throughput = throughput
        self._threads = threads
        self._hardware = hardware
        self._left = left  # why it decodes in software although hardware was asked for
        self.damaged = 0  # packets that the decoder refused since the start
        self.discarded = 0  # packets that an edit list cuts off, since the start
        self.hurt = False  # the container itself is damaged: packets of it may be gone
        self.promise = Promise()  # of the packets read since the start; a jump makes it worthless
        self.part_starts: list[PartStart] = []  # of the parts read since the start
        self.landed: Landing | None = None  # the first packet after a jump
        self.seen_end: Fraction = Fraction(0)  # seconds; when the last packet of any track ends
        self.end_error = ""  # why it ended before its end
        self._frames: Generator[VideoFrame, None, None]
        self._start()

    @property
    def container(self) -> InputContainer:
        assert self._container is not None
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

    def leave_frame_threads(self) -> None:
        """Decode with slice threads from the next `rewind` on."""
        self._throughput = False
        self._threads = min(self._threads, _STREAM_THREADS)

    def rewind(self) -> None:
        """Start over with a fresh container: the only way back that is exact in every format."""
        self._frames.close()
        self._start()

    def jump(self, pts: int, parts: Sequence[PartStart] = ()) -> bool:
        """Continue from about the keyframe at or before `pts`; formats differ in where that is.

        `parts`: where they start, of a file that has several.

        False when the container cannot do it; the position is then unknown.
        """
        self._frames.close()
        try:
            if len(self._parts) > 1:
                if len(parts) != len(self._parts):
                    return False
                self.part_starts = list(parts)
                number = max(0, bisect_right([start for start, _ in parts], pts) - 1)
                self._open_part(number, parts[number][1])
            self.container.seek(pts - self._shift, stream=self._stream, backward=True, any_frame=False)
        except (av.FFmpegError, FaultError) as error:
            log.debug("%s does not seek to %d: %s", self._what, pts, error)
            return False
        self.landed = None
        self._show_smeared(False)
        self._frames = self._decode()
        return True

    def close(self) -> None:
        """Free the container. Not from another thread while `next` runs."""
        self._frames.close()
        self.container.close()

    def _start(self) -> None:
        self._open_part(0, 0)
        self.damaged = self.discarded = 0
        formats = set(self.container.format.name.split(","))
        self.promise = Promise(strict="avi" in formats)
        # Of these, constant rates by their nature, or without a place for each packet, holes alone tell.
        self.hurt = not _HOLES_TELL.isdisjoint(formats)
        self._places_tell = not _PLACES_TELL.isdisjoint(formats)
        self.part_starts = []
        self.landed = None
        self.seen_end = Fraction(0)
        self._frames = self._decode()

    def _open_part(self, number: int, shift: int) -> None:
        container, failure = open_with(self._parts[number], self._hardware)
        try:
            stream = video_stream_of(container, self._what)
        except FaultError:
            container.close()
            raise
        # Only now: of what cannot be opened again, the old one is kept, and a closed one is never asked.
        before, self._container, self._stream = self._container, container, stream
        if before is not None:
            before.close()
        if failure is not None:
            self.leave_hardware(failure)
        # Both only count before the first packet.
        self._stream.thread_type = "AUTO" if self._throughput else "SLICE"
        self._stream.codec_context.thread_count = 1 if self._hardware else self._threads
        self._part, self._shift = number, shift

    def packets(self) -> Generator[av.Packet[VideoStream], None, None]:
        """The track's packets, an empty one at the end; `end_error` says why they end before their time."""
        self.end_error = ""
        last_pts = -1
        while True:
            first = True
            for packet in self._packets_of_part():
                if len(self._parts) > 1 and packet.pts is not None and packet.size:
                    if first and self._part == len(self.part_starts):
                        self._shift = self._part and shift_of_part(
                            packet.pts, last_pts, self.frame_ticks, self.time_base
                        )
                        self.part_starts.append((packet.pts + self._shift, self._shift))
                    first = False
                    packet.pts += self._shift
                    packet.dts = None if packet.dts is None else packet.dts + self._shift
                    last_pts = max(last_pts, packet.pts)
                yield packet
            number = self._part + 1
            if self.end_error or number == len(self._parts):
                return
            try:
                known = number < len(self.part_starts)
                self._open_part(number, self.part_starts[number][1] if known else 0)
            except FaultError as error:
                self.end_error = error.got
                return

    def _packets_of_part(self) -> Generator[av.Packet[VideoStream], None, None]:
        packets = self.container.demux()
        ends_at: int | None = None
        while True:
            try:
                packet = next(packets, None)
            except IndexError:  # of a track that appeared after the opening: PyAV knows no such track
                packets = self.container.demux()
                continue
            except av.FFmpegError as error:
                self.end_error = error.strerror or type(error).__name__
                return
            if packet is None:
                return
            self.hurt = self.hurt or packet.is_corrupt
            if self._places_tell and packet.size and packet.pos is not None and packet.pos >= 0:
                self.hurt = self.hurt or (ends_at is not None and packet.pos > ends_at + _OVERHEAD_BYTES)
                ends_at = packet.pos + packet.size
            own = packet.stream.index == self._stream.index
            if packet.pts is not None and packet.time_base and packet.size:
                lasts = packet.duration or (self.frame_ticks if own else 0)
                self.seen_end = max(self.seen_end, (packet.pts + lasts) * packet.time_base)
            if own:
                yield cast("av.Packet[VideoStream]", packet)

    def _decode(self) -> Generator[VideoFrame, None, None]:
        for packet in self.packets():
            if packet.size and not packet.is_discard:
                self.promise.packet(packet.pts, packet.is_keyframe, packet.pos, packet.size)
                self.landed = self.landed or (packet.pts, packet.pos)
            self.discarded += bool(packet.size) and packet.is_discard
            yield from self._frames_of(packet)
        if self.end_error:  # the container broke off: what the decoder still holds
            yield from self._drained()

    def _frames_of(self, packet: av.Packet[VideoStream]) -> Generator[VideoFrame, None, None]:
        try:
            frames = self._decoded(packet)
        except av.FFmpegError as error:
            if self._throughput and self._hardware is None and self._threads > 1:
                raise FrameThreadsError from error
            self.damaged += 1
            return
        if frames and not frames[-1].is_corrupt:
            # Before the first whole picture, damaged ones are what a cut stream begins with. After it they
            # are frames of this recording, and HEVC would keep them back until the next keyframe.
            self._show_smeared(True)
        yield from frames

    def _show_smeared(self, shown: bool) -> None:
        context = self._stream.codec_context
        if bool(context.flags & Flags.output_corrupt) is not shown:
            context.flags ^= Flags.output_corrupt

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
