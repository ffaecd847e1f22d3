"""The source that the reader reads: opened, heard, lost, and opened again for as long as it is live."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from engine.faults import Fault, FaultCode, FaultError, fault_of
from engine.live.attempt import Attempt
from engine.live.board import Board
from engine.live.incidents import RETELL_S, SIGNAL, Incidents
from engine.live.state import SourceEvent
from engine.live.stats import StatsRecorder
from engine.sources import LIVE_KINDS
from engine.sources.base import Picture, Source, SourceOptions, SourceSpec
from engine.sources.live.signal import Signal
from engine.types import Pacing, SourceState

log = logging.getLogger(__name__)

PLACE = "source"
REOPEN_AFTER_S = (0.5, 1.0, 2.0)
# What no further try can change.
_FOR_GOOD = frozenset({FaultCode.ARGUMENT, FaultCode.EXTRA_MISSING})

OpenSource = Callable[[SourceSpec, SourceOptions], Source]


class Connection:
    """Used by the reader's thread; `reading_since_s` and `abandon` by others, too.

    `opened` is called for each source that opens; `stop_here` before one that is gone is told, so that no
    picture of it is shown after that and looks like a signal.
    """

    def __init__(
        self,
        board: Board,
        stats: StatsRecorder,
        open_source: OpenSource,
        opened: Callable[[], None],
        stop_here: Callable[[], None],
    ) -> None:
        self.source: Source | None = None
        self.reading_since_s: float | None = None  # set while a read of the source is under way
        self.bell: Callable[[], None] = lambda: None  # lets `connect` be called soon
        self._board = board
        self._stats = stats
        self._open_source = open_source
        self._opened = opened
        self._stop_here = stop_here
        self._incidents = Incidents(board)
        self._spec: SourceSpec | None = None
        self._options = SourceOptions()
        self._attempt: Attempt | None = None
        self._asked: Pacing | None = None
        self._cause: Fault | None = None  # why there is no signal
        self._heard_s = 0.0  # when the last live picture came, or the source was asked for
        self._gave = False  # whether a picture has come since it was opened
        self._reopens = 0
        self._reopen_at_s: float | None = None

    def open(self, spec: SourceSpec, options: SourceOptions, pacing: Pacing | None) -> None:
        """Open `spec`, a live one in a thread of its own. `forget` what was there before."""
        self._spec, self._options, self._asked = spec, options, pacing
        self._reopens, self._heard_s, self._cause = 0, time.monotonic(), None
        self._open()

    def forget(self) -> None:
        """Close what is open, with all that was said of it."""
        self._close_source()
        self._incidents.all_over()
        self._spec = None
        self._board.clear_faults(PLACE)

    def connect(self, now_s: float) -> float | None:
        """Without a source: take what an attempt has brought, or try again when it is time."""
        if self._attempt is not None and (answer := self._attempt.answer) is not None:
            self._attempt = None
            if isinstance(answer, Exception):
                self._not_opened(answer)
            else:
                self._take(answer)
            return 0.0
        self._tell_silence(now_s)
        if self._attempt is not None:
            return RETELL_S
        if self._reopen_at_s is None:
            return None
        if now_s < self._reopen_at_s:
            return min(self._reopen_at_s - now_s, RETELL_S)
        self._open()
        return 0.0

    def read(self) -> Picture | None:
        """The next picture; None at the end, or when the source has just been closed after a fault."""
        assert self.source is not None
        start_s = self.reading_since_s = time.monotonic()
        try:
            picture = self.source.read()
        except FaultError as error:
            self.failed(error)
            return None
        finally:
            self.reading_since_s = None
        if picture is None:
            return None
        now_s = time.monotonic()
        if self._board.status.pacing is not Pacing.LIVE:  # live, most of it is waiting for the device
            self._stats.add("decode", (now_s - start_s) * 1000.0, now_s)
        if picture.signal is not None:
            self._hear(picture, picture.signal, now_s)
        if self._reopens:
            self._reopens, self._cause = 0, None
            self._incidents.over(SIGNAL, now_s)
        self._gave = True
        if (info := self.source.info) is not self._board.status.info:
            self._board.change(info=info)
        return picture

    def failed(self, error: Exception) -> None:
        """An error of the source, from a read or a command: told, and acted on as far as it goes."""
        code = error.code if isinstance(error, FaultError) else FaultCode.INTERNAL
        info = self._board.status.info
        fatal = not isinstance(error, FaultError) or error.fatal
        if info is not None and info.live and fatal and code not in _FOR_GOOD:
            self._stop_here()
            self._close_source()
            self._try_again_later(error)
            self._board.event(SourceEvent.LOST)
            return
        self._board.add_fault(fault_of(error, PLACE))
        if code is FaultCode.SOURCE_TRUNCATED or not fatal:
            return  # what could be read has been read; the next read gives the end, or goes on
        self._stop_here()
        self._close_source()
        self._board.event(SourceEvent.FAULT)

    def abandon(self) -> None:
        """Close the source from another thread: the reader is stuck in it."""
        if (attempt := self._attempt) is not None:
            attempt.give_up()
        if (source := self.source) is not None:
            source.close()

    def _open(self) -> None:
        assert self._spec is not None
        spec, options = self._spec, self._options
        self._reopen_at_s = None
        if spec.kind in LIVE_KINDS:
            self._attempt = Attempt(lambda: self._open_source(spec, options), lambda: self.bell())
            return
        try:
            source = self._open_source(spec, options)
        except Exception as error:  # told as a fault; a live source is tried again
            self._not_opened(error)
        else:
            self._take(source)

    def _take(self, source: Source) -> None:
        self.source, self._gave = source, False
        info, pacing = source.info, self._asked
        if pacing is None:
            pacing = Pacing.LIVE if info.live else Pacing.REALTIME
        self._opened()
        self._board.change(info=info, pacing=pacing)

    def _not_opened(self, error: Exception) -> None:
        assert self._spec is not None
        live = self._reopens > 0 or self._spec.kind in LIVE_KINDS
        if live and isinstance(error, FaultError) and error.code not in _FOR_GOOD:
            self._try_again_later(error)
            self._board.event(SourceEvent.LOST)
        else:
            self._incidents.all_over()
            self._board.add_fault(fault_of(error, PLACE))
            self._board.event(SourceEvent.FAULT)

    def _hear(self, picture: Picture, signal: Signal, now_s: float) -> None:
        assert self._spec is not None
        silent = self._board.status.source_state is SourceState.NO_SIGNAL
        if silent and not self._reopens and self._gave:
            self._incidents.brief_silence(self._spec.title, self._heard_s, now_s)
        self._heard_s = picture.captured_s
        self._incidents.judge(self._spec.title, signal, now_s)

    def _tell_silence(self, now_s: float, *, cause: Fault | None = None) -> None:
        if self._spec is None or self._cause is None:
            return
        title, why = self._spec.title, self._cause
        said = (
            f"No signal from {title} for {now_s - self._heard_s:.0f} s, try {self._reopens}: {why.got}. "
            f"{why.remedy[:1].upper()}{why.remedy[1:]}."
        )
        what = f"No signal from {title}"
        self._incidents.tell(SIGNAL, what, said, now_s, since_s=self._heard_s, cause=cause)

    def _try_again_later(self, error: Exception) -> None:
        delay_s = REOPEN_AFTER_S[min(self._reopens, len(REOPEN_AFTER_S) - 1)]
        self._reopens += 1
        now_s = time.monotonic()
        self._reopen_at_s = now_s + delay_s
        self._incidents.all_over(but=SIGNAL)
        self._cause = fault_of(error, PLACE)
        self._tell_silence(now_s, cause=self._cause)
        log.info("opening %s again in %.1f s", self._spec.title if self._spec else "", delay_s)

    def _close_source(self) -> None:
        self._reopen_at_s = None
        if self._attempt is not None:
            self._attempt.give_up()
            self._attempt = None
        if (source := self.source) is not None:
            self.source = None
            source.close()
