"""Devices and streams: a thread that only takes pictures, so that none waits in a driver or a socket.

A driver's read may block for ever after unplugging and cannot be interrupted. So the container belongs to
that thread alone: it opens, reads and closes it. A thread that is stuck is left behind as a daemon.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from av.video.frame import VideoFrame

from engine.faults import FaultCode, FaultError
from engine.sources.live.signal import DelayWatch, Signal, StillWatch
from engine.sources.picture import Converter, VideoPicture, turn_of
from engine.sources.shrink import plane_of
from engine.types import SourceInfo

log = logging.getLogger(__name__)

STALL_S = 1.0
# A device or connection that works ends its thread within a picture; a stuck one is not waited for.
CLOSE_WAIT_S = 0.2
_LINES = 16


@dataclass(frozen=True, slots=True)
class Facts:
    """What an open feed says of itself, copied by its own thread: others never look into the container.

    All of the newest picture: a sender may start anew with others. `damaged`, `lost_frac`: as in `Signal`.
    """

    rate_hz: float | None = None
    pixel_aspect: float = 1.0
    decoder: str = ""  # which one runs, for people
    damaged: bool = False
    lost_frac: float = 0.0


class Feed(Protocol):
    """What blocks. Used by one thread only, which closes it too; all but `title` and `stop` are its alone."""

    @property
    def title(self) -> str:
        """For people; no passwords."""

    def open(self) -> None:
        """Connect. Raises FaultError DEVICE_MISSING or URL_UNREACHABLE."""

    def facts(self) -> Facts:
        """Known once it is open; may change with any picture."""

    def pictures(self) -> Iterator[tuple[VideoFrame, float, float]]:
        """(frame, its media time in seconds, `time.monotonic()` when it or its packet arrived).

        Ends when the sender ends. Raises FaultError SOURCE_LOST.
        """

    def stop(self) -> None:
        """Let `open` and `pictures` end soon. From any thread."""

    def close(self) -> None: ...


class LiveSource:
    """A `Source` (engine/sources/base.py) over a feed: `read` gives the newest picture, older ones go.

    `open_s`: how long opening may take until the first picture is there.
    Raises FaultError as the feed's `open` does, and `silent` when no picture came in time.
    """

    def __init__(self, feed: Feed, id_: str, colour: str, open_s: float, silent: FaultError) -> None:
        self._feed = feed
        self._converter = Converter(colour)
        self._changed = threading.Condition()
        self._newest: VideoPicture | None = None
        self._facts = Facts()
        self._given = -1
        self._closed = False
        self._end: FaultError | None = None
        self._thread = threading.Thread(target=self._run, name=f"feed of {feed.title}", daemon=True)
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._end is not None, open_s)
            first, facts, end = self._newest, self._facts, self._end
        if first is None:
            self.close()
            raise end or silent
        self._info: SourceInfo = SourceInfo(
            id=id_,
            title=feed.title,
            width_px=first.width_px,
            height_px=first.height_px,
            rate_hz=facts.rate_hz,
            duration_s=None,
            frames=None,
            seekable=False,
            live=True,
            colour=self._converter.colour(first.frame).text,
            pixel_aspect=facts.pixel_aspect,
            interlaced=bool(first.frame.interlaced_frame),
            decoder=facts.decoder,
        )

    @property
    def info(self) -> SourceInfo:
        """Of the newest picture given: another size or rate comes with it, another decoder when one fails."""
        return self._info

    def read(self) -> VideoPicture | None:
        """The newest picture, as soon as there is one that was not given yet; None once closed.

        Raises FaultError SOURCE_LOST when the source is gone, or has given nothing for a second.
        """
        with self._changed:
            self._changed.wait_for(self._has_news, STALL_S)
            if self._closed:
                return None
            newest = self._newest
            if newest is not None and newest.index > self._given:
                self._given = newest.index
                self._info = self._info_of(newest)
                return newest
            end = self._end
        raise end or FaultError(
            FaultCode.SOURCE_LOST,
            expected=f"pictures from {self._feed.title}",
            got=f"none for {STALL_S:g} s",
            remedy="check the cable, the sender and the power",
            said=f"No signal from {self._feed.title} for {STALL_S:g} s. Check the cable, the sender "
            "and the power.",
        )

    def seek(self, index: int) -> None:
        """Raises FaultError SEEK: what is live has no other time."""
        raise self._no_seek()

    def index_at(self, pts_s: float) -> int:
        """Raises FaultError SEEK."""
        raise self._no_seek()

    def close(self) -> None:
        """Let go of the device or stream. Idempotent, from any thread; waits for no driver that hangs."""
        with self._changed:
            self._closed = True
            self._newest = None
            self._changed.notify_all()
        self._feed.stop()
        if self._thread is threading.current_thread():
            return
        self._thread.join(CLOSE_WAIT_S)
        if self._thread.is_alive():
            log.info("%s is still inside its driver and is left behind", self._thread.name)

    def _has_news(self) -> bool:
        fresh = self._newest is not None and self._newest.index > self._given
        return self._closed or fresh or self._end is not None

    def _info_of(self, picture: VideoPicture) -> SourceInfo:
        """The same object as long as nothing has changed."""
        facts = self._facts
        info = replace(
            self._info,
            width_px=picture.width_px,
            height_px=picture.height_px,
            rate_hz=facts.rate_hz,
            colour=self._converter.colour(picture.frame).text,
            pixel_aspect=facts.pixel_aspect,
            decoder=facts.decoder,
        )
        return self._info if info == self._info else info

    def _no_seek(self) -> FaultError:
        return FaultError(
            FaultCode.SEEK,
            expected="a recording, to jump in it",
            got=f"a live source ({self._feed.title})",
            remedy="record it and open the file",
            said=f"{self._feed.title} is live: there is no other time to go to. Record it and open the file.",
            fatal=False,
        )

    def _run(self) -> None:
        still, delay = StillWatch(), DelayWatch()
        try:
            self._feed.open()
            for index, (frame, pts_s, arrived_s) in enumerate(self._feed.pictures()):
                facts = self._feed.facts()
                signal = Signal(
                    # Every sixteenth line tells, and takes 0.2 ms at 1080p.
                    still.look(plane_of(frame, 0)[::_LINES].copy(), arrived_s),
                    still.clock_runs,
                    delay.look(pts_s, arrived_s),
                    facts.damaged,
                    facts.lost_frac,
                )
                turn = turn_of(frame)
                picture = VideoPicture(index, pts_s, arrived_s, frame, self._converter, turn, signal=signal)
                with self._changed:
                    if self._closed:
                        break
                    self._newest, self._facts = picture, facts
                    self._changed.notify_all()
            self._finish(None)
        except FaultError as error:
            self._finish(error)
        except Exception as error:  # the edge of this thread: nothing may end without a word
            log.exception("unexpected error in %s", self._thread.name)
            self._finish(error)
        finally:
            self._feed.close()

    def _finish(self, error: Exception | None) -> None:
        if not isinstance(error, FaultError):
            error = FaultError(
                FaultCode.SOURCE_LOST if error is None else FaultCode.INTERNAL,
                expected=f"pictures from {self._feed.title}",
                got="the end of it" if error is None else f"{type(error).__name__}: {error}",
                remedy="start the sender again",
                said=f"{self._feed.title} has ended"
                + ("" if error is None else f" ({type(error).__name__}: {error})")
                + ". Start the sender again.",
            )
        with self._changed:
            self._end = error
            self._changed.notify_all()
