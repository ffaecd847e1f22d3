"""Video files by PyAV: the file's own time stamps, exact seek, cheap steps back, honest ends."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.faults import FaultCode, FaultError
from engine.sources.base import SourceOptions
from engine.sources.file.cursor import Decoded, FrameCursor
from engine.sources.file.decode_choice import hardware_for
from engine.sources.file.decoding import Decoder, FrameThreadsError
from engine.sources.file.demux import break_in, openers_of
from engine.sources.file.endings import Ending, fault_at_end
from engine.sources.file.hardware import Hardware, HardwareFailedError, OpenContainer
from engine.sources.file.header import header_end_s
from engine.sources.file.index_thread import BackgroundIndex
from engine.sources.file.pts_index import PtsIndex
from engine.sources.file.transport_damage import lost_in
from engine.sources.picture import Converter, VideoPicture, lies, turn_of
from engine.types import SourceInfo

log = logging.getLogger(__name__)

CLOSE_WAIT_S = 1.5  # a second for a server to fall silent, and the rest


def open(address: str, options: SourceOptions) -> VideoFile:
    """Open a video file.

    Raises FaultError SOURCE_MISSING, SOURCE_UNREADABLE, ARGUMENT (a wrong `colour` or `decode`).
    """
    path = Path(address)
    first, *following = openers_of(path)
    return VideoFile(first, path.name, str(path), options, path, following=following)


class VideoFile:
    """A `Source` (engine/sources/base.py) over a recording.

    `path` None (a recording behind a URL) means no index, and no seek but to the start. `hardware`: decodes
    in place of what `options.decode` chooses; when it fails, software goes on with the next picture.
    """

    def __init__(
        self,
        open_container: OpenContainer,
        title: str,
        id_: str,
        options: SourceOptions,
        path: Path | None,
        hardware: Hardware | None = None,
        following: Sequence[OpenContainer] = (),
    ) -> None:
        chosen, refusal = (hardware, "") if hardware else hardware_for(options.decode)
        cores = os.cpu_count() or 1
        self._title = title
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._decoder = Decoder(
            open_container,
            title,
            throughput=options.throughput,
            # Slice threads beyond two gain nothing on one stream; frame threads each hold a picture back.
            threads=min(cores, 8) if options.throughput else min(cores, 2),
            hardware=chosen,
            left=refusal,
            following=following,
        )
        self._converter = Converter(options.colour)
        self._index: BackgroundIndex | None = None
        self._path = path
        self._in_parts = bool(following)
        self._mark = _mark_of(path)
        self._break = break_in(path, self._decoder.container) if path else None
        self._ending_told = False
        self._gone = ""  # why it cannot be opened again, where it has to be
        if self._break is not None and options.throughput:
            self._decoder.leave_frame_threads()  # which do not tell half a picture as slice threads do
            self._decoder.rewind()
        self._cursor = FrameCursor(self._decoder, self._closed.is_set, broken=self._break is not None)
        try:
            self._info = self._opened_info(id_, seekable=path is not None)
        except BaseException:
            self._decoder.close()
            raise
        if path is not None:
            self._index = BackgroundIndex(path)

    @property
    def info(self) -> SourceInfo:
        """`frames`, and a `rate_hz` and `duration_s` that were counted, come when the index is ready.

        `decoder` changes when the hardware fails.
        """
        if self._info.decoder != self._decoder.running:
            self._info = replace(self._info, decoder=self._decoder.running)
        table = self._index.table if self._index else None
        if table is not None and self._info.frames is None:
            self._info = replace(
                self._info,
                frames=len(table),
                rate_hz=_rate_hz(self._info.rate_hz, table.rate_hz),
                duration_s=table.duration_s or self._info.duration_s,
            )
        return self._info

    @property
    def damaged(self) -> int:
        """How many packets the decoder refused so far."""
        return self._decoder.damaged

    def read(self) -> VideoPicture | None:
        """The next picture, None after the last one.

        Raises FaultError once, after the last picture there is: SOURCE_TRUNCATED (not fatal: a seek back
        works), SOURCE_LOST when it came from a server that went away.
        """
        with self._lock:
            if self._closed.is_set():
                return None
            decoded = self._next()
            if decoded is None:
                self._tell_the_ending()
                return None
            return self._picture(decoded)

    def seek(self, index: int) -> None:
        """Make frame `index` (clamped) the next one. Waits for the index, except to the start.

        Raises FaultError SEEK when the source has none.
        """
        table = self._wait_for_table() if index > 0 else None
        with self._lock:
            if self._closed.is_set():
                return
            if table is None:
                self._cursor.go_to_start()
            else:
                self._go_to(table, min(index, len(table) - 1))

    def index_at(self, pts_s: float) -> int:
        """Rank of the frame on the screen at `pts_s`. Waits for the index. Raises as `seek` does."""
        table = self._wait_for_table()
        return table.rank_at(pts_s) if table is not None else 0

    def close(self) -> None:
        """End the index thread and free the file. Idempotent; from any thread: a running `read` ends.

        A reader that is stuck on a dead network drive keeps the file until it comes back.
        """
        self._closed.set()
        if self._index is not None:
            self._index.close()
        if not self._lock.acquire(timeout=CLOSE_WAIT_S):
            log.info("%s is still being read and is left behind", self._title)
            return
        try:
            self._cursor.clear()
            self._decoder.close()
        finally:
            self._lock.release()

    def _next(self) -> Decoded | None:
        if self._gone:
            return None
        try:
            return self._cursor.next()
        except (HardwareFailedError, FrameThreadsError) as failure:
            rank = self._cursor.next_rank
            self._leave(failure)
            try:
                self._cursor.start_again(self._index.table if self._index else None, rank)
            except FaultError as gone:  # the file was cut or replaced meanwhile: what was given stays given
                self._gone = gone.got
                return None
            return self._cursor.next()

    def _go_to(self, table: PtsIndex, rank: int) -> None:
        try:
            self._cursor.go_to(table, rank)
        except (HardwareFailedError, FrameThreadsError) as failure:
            self._leave(failure)
            self._cursor.start_again(table, rank)

    def _leave(self, failure: HardwareFailedError | FrameThreadsError) -> None:
        if isinstance(failure, HardwareFailedError):
            self._decoder.leave_hardware(failure)
        else:
            self._decoder.leave_frame_threads()

    def _opened_info(self, id_: str, seekable: bool) -> SourceInfo:
        decoded = self._next()
        if decoded is None:
            raise FaultError(
                FaultCode.SOURCE_UNREADABLE,
                expected=f"{self._title} to be a video file",
                got="a video track from which not one picture could be decoded",
                remedy="copy or export the recording again",
                said=f"Not one picture of {self._title} can be decoded. Copy or export the recording again.",
            )
        self._cursor.go_to_start()
        first = self._picture(decoded)
        stream, container = self._decoder.stream, self._decoder.container
        aspect = float(stream.sample_aspect_ratio or 1) or 1.0
        return SourceInfo(
            id=id_,
            title=self._title,
            width_px=first.width_px,
            height_px=first.height_px,
            rate_hz=self._decoder.rate_hz,
            # Of a file in parts, the container knows the first alone.
            duration_s=container.duration / 1e6 if container.duration and not self._in_parts else None,
            frames=None,
            seekable=seekable,
            live=False,
            colour=self._converter.colour(first.frame).text,
            pixel_aspect=1 / aspect if lies(first.orientation) else aspect,
            interlaced=bool(first.frame.interlaced_frame),
            decoder=self._decoder.running,
        )

    def _picture(self, decoded: Decoded) -> VideoPicture:
        return VideoPicture(
            index=decoded.rank,
            pts_s=decoded.pts * float(self._decoder.time_base),
            captured_s=decoded.at_s,
            frame=decoded.frame,
            converter=self._converter,
            orientation=turn_of(decoded.frame),
        )

    def _holes(self) -> int:
        near = self._cursor.holes_near
        if self._cursor.holes or near is None or self._path is None or self._in_parts:
            return self._cursor.holes
        return lost_in(self._path, near)

    def _wait_for_table(self) -> PtsIndex | None:
        if self._index is None:
            raise FaultError(
                FaultCode.SEEK,
                expected="a recording on this computer, to jump in it",
                got=f"a stream ({self._title})",
                remedy="download it and open the file",
                said=f"{self._title} comes over the network, where there is no jumping. Download it "
                "and open the file.",
                fatal=False,
            )
        return self._index.wait()

    def _tell_the_ending(self) -> None:
        if self._closed.is_set() or self._ending_told:
            return
        decoder, lost, error = self._decoder, self._cursor.lost, self._decoder.end_error
        fault = fault_at_end(
            Ending(
                title=self._title,
                promised=self._cursor.promised,
                lost=len(lost),
                first_lost=min(lost, default=None),
                smeared=self._cursor.smeared,
                holes=self._holes(),
                ends_smeared=self._cursor.ends_smeared,
                header_s=header_end_s(decoder.container) or (self._break.duration_s if self._break else None),
                seen_s=float(decoder.seen_end),
                rate_hz=decoder.rate_hz,
                broke=self._break,
                error=self._gone or (error),
                changed=self._mark != _mark_of(self._path),
                from_server=self._path is None,
            )
        )
        if fault is not None:
            self._ending_told = True
            raise fault


def _mark_of(path: Path | None) -> tuple[int, int] | None:
    """Tells whether a file is the one that it was."""
    try:
        facts = path.stat() if path else None
    except OSError:
        return None
    return (facts.st_size, facts.st_mtime_ns) if facts else None


def _rate_hz(said_hz: float | None, counted_hz: float | None) -> float | None:
    # The header's 30000/1001 is truer than a count, as long as the count does not contradict it.
    if said_hz and counted_hz and abs(said_hz - counted_hz) < 0.01 * said_hz:
        return said_hz
    return counted_hz or said_hz
