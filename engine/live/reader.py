"""Reads the source, paces, seeks and hands over; engine.live.connection keeps it open."""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.live.board import Board
from engine.live.connection import Connection, OpenSource
from engine.live.pacing import RESTART_CLOCK_S, MediaClock, NetworkPace, is_too_late, lead_s
from engine.live.playhead import Playhead, Position
from engine.live.presenter import Presenter
from engine.live.slot import LatestSlot
from engine.live.state import SourceEvent
from engine.live.stats import StatsRecorder
from engine.sources.base import Picture, Source, SourceOptions, SourceSpec
from engine.types import AiState, Field, Frame, Loop, Pacing, Region, SourceState

DEFAULT_PERIOD_S = 1 / 25
# A recording's first second would be unmarked while the network is made ready; not for longer than this.
WAIT_FOR_AI_S = 8.0
AI_POLL_S = 0.03


class Reader:
    """Commands and `tick` run in the reader's thread; the attributes below are read by others."""

    def __init__(
        self,
        board: Board,
        stats: StatsRecorder,
        open_source: OpenSource,
        frames: LatestSlot[Frame],
        presenter: Presenter,
        network_pace: Callable[[], NetworkPace],
    ) -> None:
        self.acknowledged = -1  # number of the newest frame that the screen has finished with (EVERY)
        self._board = board
        self._stats = stats
        self._frames = frames  # for the network
        self._presenter = presenter
        self._network_pace = network_pace
        self._frozen = False  # a person holds a live picture; the source is read on
        self._wait_until_s: float | None = None  # a recording that was just opened waits for the AI
        self._link = Connection(board, stats, open_source, lambda: self._head.begun(), presenter.flush)
        self._head = Playhead(self._link)
        # Of the source: what is called from elsewhere.
        self.failed, self.abandon = self._link.failed, self._link.abandon

    @property
    def reading_since_s(self) -> float | None:
        """Since when a read of the source is under way, `time.monotonic()`."""
        return self._link.reading_since_s

    def wake_by(self, bell: Callable[[], None]) -> None:
        """`bell` lets `tick` run soon."""
        self._link.bell = bell

    @property
    def _at(self) -> Position:
        return self._head.at

    @property
    def _source(self) -> Source | None:
        return self._link.source

    # Commands

    def open(self, spec: SourceSpec, options: SourceOptions, pacing: Pacing | None) -> None:
        """Close what is open and open `spec`; the first picture makes the state RUNNING."""
        self._link.forget()
        self._presenter.clear()
        self._frozen = False
        self._wait_until_s = time.monotonic() + WAIT_FOR_AI_S
        self._stats.reset()
        self._board.event(SourceEvent.OPEN, info=None, presentation=None, speed=1.0, loop=None, missed=())
        self._link.open(spec, options, pacing)

    def close(self) -> None:
        self._link.forget()
        self._presenter.clear()
        self._board.event(SourceEvent.CLOSE, info=None, presentation=None, missed=())

    def play(self) -> None:
        """Go on, also without the AI that is being made ready."""
        self._wait_until_s = None
        if self._is_live():
            self._thaw()
            return
        if self._source is not None and self._board.status.source_state is SourceState.ENDED:
            self._head.seek_to(0)
        self._at.clock = None
        self._board.event(SourceEvent.PLAY)

    def pause(self) -> None:
        """Stop a recording, or freeze a live picture: the stream is read on, and nothing queues."""
        if self._board.status.info is None:
            return
        if self._is_live():
            if self._board.status.source_state is not SourceState.RUNNING:
                return  # without a signal PAUSED would hide that there is none
            self._frozen = True
        self._presenter.flush()
        self._board.event(SourceEvent.PAUSE)
        self._presenter.bell()  # what stands is not late

    def set_speed(self, speed: float) -> None:
        info = self._board.status.info
        if info is None or info.live or (speed < 0 and not info.seekable):
            return
        if (speed < 0) is not (self._board.status.speed < 0):
            self._head.serial += 1  # what was handed over ahead lies in the other direction
        self._at.clock = None
        self._board.change(speed=speed)

    def set_pacing(self, pacing: Pacing) -> None:
        """Of a recording that is open; a live source is its own clock."""
        if self._board.status.info is None or self._is_live():
            return
        self._at.clock = None
        self._board.change(pacing=pacing)

    def seek(self, pts_s: float) -> None:
        """Show the frame that is on the screen at `pts_s`; the state stays (ENDED becomes PAUSED)."""
        if self._source is None:
            return
        self._show(self._source.index_at(pts_s))

    def seek_frame(self, index: int) -> None:
        """As `seek`, by the frame's rank."""
        if self._source is not None and not self._is_live():
            self._show(index)

    def set_region(self, region: Region | Field | None) -> None:
        """What of the picture the network is shown; a recording that stands is looked at again."""
        self._head.look_at(region)
        if self._source is not None and not self._is_live() and self._at.handed_number is not None:
            stands = self._board.status.source_state in (SourceState.PAUSED, SourceState.ENDED)
            if stands:
                self._show(self._at.index)

    def set_loop(self, loop: Loop | None) -> None:
        """Live sources have no other time to go to. Set behind its end while it plays, it begins at once."""
        if self._is_live() or self._source is None:
            return
        self._board.change(loop=loop)
        running = self._board.status.source_state is SourceState.RUNNING and self._board.status.speed > 0
        if loop is not None and running and self._at.pts_s > loop.end_s:
            self._go_round()

    def step(self, frames: int) -> None:
        """Pause and go `frames` frames on (or back), exactly."""
        if self._source is None or self._board.status.info is None or self._board.status.info.live:
            return
        self.pause()
        # One frame on is what the decoder gives next, unless frames were skipped since.
        self._show(None if frames == 1 and self._at.in_step else max(0, self._at.index + frames))

    # The loop

    def tick(self) -> float | None:
        """Read, wait until its time, hand over; see `Worker` for what is returned."""
        now_s = time.monotonic()
        if self._source is None:
            return self._link.connect(now_s)
        status = self._board.status
        if self._frozen:
            return self._read_on()
        if status.source_state not in (SourceState.OPENING, SourceState.RUNNING, SourceState.NO_SIGNAL):
            return None
        if status.speed < 0:
            return self._play_backwards(now_s)
        if self._at.pending is None and not self._at.at_end:
            self._at.pending = self._head.read()
            if self._source is None:
                return 0.0
            self._at.at_end = self._at.pending is None
            now_s = time.monotonic()
        if self._at.leaves(status.loop):
            return self._left_s(now_s) or self._go_round()
        if self._at.pending is None:
            return self._finish(now_s)
        if status.pacing is Pacing.LIVE:
            return self._deliver(self._at.pending, self._at.pending.captured_s)
        if status.pacing is Pacing.EVERY:
            return self._at.unfinished_s(self.acknowledged, now_s) or self._deliver(self._at.pending, now_s)
        if self._waits_for_ai(now_s):
            return AI_POLL_S
        return self._deliver_in_time(self._at.pending, now_s, status.speed)

    def _waits_for_ai(self, now_s: float) -> bool:
        """Whether a recording stands at its first picture because the network is still being made ready."""
        status, until_s = self._board.status, self._wait_until_s
        waits = until_s is not None and now_s < until_s and status.ai_state is AiState.LOADING
        waits = waits and self._at.handed_number is not None
        if waits is not status.waits_for_ai:
            self._at.clock = None
            self._board.change(waits_for_ai=waits)
        if self._at.handed_number is not None and not waits:
            self._wait_until_s = None
        return waits

    def _deliver_in_time(self, picture: Picture, now_s: float, speed: float) -> float:
        period_s = self._period_s() / speed
        ahead_s = lead_s(period_s, self._network_pace().takes_s)
        if self._at.clock is None:
            self._at.clock = MediaClock(picture.pts_s, now_s + ahead_s, speed)
        due_s = self._at.clock.due_s(picture.pts_s)
        if now_s - due_s > RESTART_CLOCK_S:
            self._at.clock = MediaClock(picture.pts_s, now_s, speed)
            due_s = now_s
        if now_s < due_s - ahead_s:
            return due_s - ahead_s - now_s
        if is_too_late(now_s, due_s, period_s, self._at.handed_at_s):
            self._at.due_s = due_s
            self._at.pending = None
            self._at.in_step = False
            return 0.0
        return self._deliver(picture, due_s)

    def _deliver(self, picture: Picture, due_s: float) -> float:
        start_s = time.monotonic()
        status = self._board.status
        frame = self._head.take(picture, due_s, status.network_size, status.network_region)
        self._at.handed_at_s = handed_at_s = time.monotonic()
        self._stats.add("convert", (handed_at_s - start_s) * 1000.0, handed_at_s)
        self._frames.put(frame)
        self._presenter.offer_frame(frame)
        self._head.look(picture, status.network_region)
        return 0.0

    def _play_backwards(self, now_s: float) -> float | None:
        """Each frame by a seek, handed over ahead as when playing on, so that its mask is there in time."""
        assert self._source is not None
        speed = self._board.status.speed
        period_s = self._period_s() / -speed
        ahead_s = lead_s(period_s, self._network_pace().takes_s)
        if self._at.clock is None:
            self._at.clock = MediaClock(self._at.pts_s, now_s + ahead_s, speed)
        clock = self._at.clock
        if self._at.index == 0:
            if (left_s := (self._at.due_s or now_s) - now_s) > 0:
                return left_s
            self._presenter.flush()
            self._board.event(SourceEvent.PAUSE, speed=1.0)
            self._at.clock = None
            return None
        index = self._source.index_at(clock.pts_s(now_s + ahead_s))
        if index != self._at.index and (picture := self._head.read_at(index, self._head.move_to)) is not None:
            self._at.clock = clock
            self._deliver(picture, now_s + ahead_s)
        return max(0.0, now_s + period_s / 2 - time.monotonic())

    def _read_on(self) -> float:
        """Behind a frozen picture: keep the newest one only, and hear whether there is still a signal."""
        self._at.pending = self._head.read()
        if self._at.pending is not None:
            self._presenter.hear()
            self._board.event(SourceEvent.PAUSE)  # after a lost signal; else it changes nothing
        elif self._source is not None:
            self._frozen, self._at.at_end = False, True
            self._board.event(SourceEvent.PLAY)
        return 0.0

    def _thaw(self) -> None:
        """Show the newest picture at once. The word is PAUSED until it is there: the old one is not live."""
        if not self._frozen:
            return
        self._frozen = False
        if self._board.status.source_state is not SourceState.PAUSED:
            return  # no signal: the next picture ends that
        picture = self._at.pending or self._head.read()
        if picture is not None:
            self._head.serial += 1  # what came meanwhile was not dropped
            self._deliver(picture, picture.captured_s)
            self._presenter.flush()
        self._board.event(SourceEvent.PLAY)

    def _is_live(self) -> bool:
        info = self._board.status.info
        return info is not None and info.live

    def _go_round(self) -> float:
        source, loop = self._source, self._board.status.loop
        if source is not None and loop is not None:
            self._head.seek_to(source.index_at(loop.start_s))
        return 0.0

    def _left_s(self, now_s: float) -> float:
        """How long the frame handed over last still stays: for its own duration."""
        if self._board.status.pacing is Pacing.EVERY:
            return self._at.unfinished_s(self.acknowledged, now_s)
        return max(0.0, (self._at.due_s or now_s) + self._period_s() / self._board.status.speed - now_s)

    def _finish(self, now_s: float) -> float | None:
        """The last frame stays for its own duration, then the state is ENDED."""
        if (left_s := self._left_s(now_s)) > 0:
            return left_s
        self._presenter.flush()
        self._board.event(SourceEvent.END)
        self._presenter.bell()  # what stands is not late
        return None

    def _show(self, index: int | None) -> None:
        """Hand over one frame now: `index`, or the next one when None."""
        if index is None:
            picture = self._at.pending or self._head.read()
        else:
            picture = self._head.read_at(index)
            self._board.event(SourceEvent.SEEK)
        if picture is not None:
            self._deliver(picture, time.monotonic())
        self._at.clock = None

    def _period_s(self) -> float:
        info = self._board.status.info
        return 1.0 / info.rate_hz if info is not None and info.rate_hz else DEFAULT_PERIOD_S
