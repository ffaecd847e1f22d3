"""The live path: a source, a network and a screen, joined so that nothing waits for what it need not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2

from engine.faults import Fault, FaultCode, FaultError, fault_of
from engine.live.board import Board
from engine.live.connection import OpenSource
from engine.live.inferer import Inferer
from engine.live.pacing import NetworkPace
from engine.live.presenter import Presenter
from engine.live.reader import Reader
from engine.live.slot import LatestSlot
from engine.live.state import state_word
from engine.live.stats import StatsRecorder
from engine.live.worker import Worker
from engine.runtime.live import OpenLive, open_live
from engine.sources import open_source
from engine.sources.base import SourceOptions, SourceSpec
from engine.tracking.person import PersonFinding
from engine.types import (
    AiState,
    Field,
    Frame,
    Loop,
    OperatingPoint,
    Pacing,
    Presentation,
    Rect,
    Region,
    Size,
    Snapshot,
    Stats,
)

JOIN_S = 2.0
STATS_EVERY_S = 0.5
SPEED_LIMITS = (0.1, 16.0)


class Pipeline:
    """Owns the workers and what they share. Every method returns at once; `snapshot` tells what came of it.

    `on_change` is the bell: called from worker threads after each change. It must only pass the news on.
    """

    def __init__(
        self,
        on_change: Callable[[], None] = lambda: None,
        *,
        open_source: OpenSource = open_source,
        open_live: OpenLive = open_live,
    ) -> None:
        cv2.setNumThreads(1)  # its pool would fight with the network for the same cores
        self._board = Board(self._changed)
        self._on_change = on_change
        self._stats = StatsRecorder()
        self._stats_now = self._stats.current(0.0)
        self._stats_at_s = 0.0
        self._closing = threading.Lock()
        self._closed = False

        self._presenter = Presenter(
            self._board, self._stats, lambda: self._reader.reading_since_s, self._network_pace
        )
        # The slot's bell is bound late: inferer and slot need each other.
        self._frames: LatestSlot[Frame] = LatestSlot(lambda: self._inferer.ring())
        self._reader = Reader(
            self._board, self._stats, open_source, self._frames, self._presenter, self._network_pace
        )
        self._reader_worker = Worker("polyplive-reader", self._reader.tick, self._reader.failed)
        self._reader.wake_by(self._reader_worker.ring)
        self._presenter_worker = self._worker("presenter", self._presenter.tick)
        self._presenter.bell = self._presenter_worker.ring
        self._inferer = Inferer(
            self._board,
            self._stats,
            self._frames,
            self._presenter.offer_result,
            open_live,
            lambda command: self._inferer_worker.post(command),
        )
        self._inferer_worker = self._worker("inferer", self._inferer.tick)
        for worker in self._workers:
            worker.start()

    # The source

    def open(
        self, spec: SourceSpec, options: SourceOptions = SourceOptions(), pacing: Pacing | None = None
    ) -> None:
        """Open a source and play it. `pacing` None: LIVE for live sources, REALTIME for all others."""
        self._reader_worker.post(lambda: self._reader.open(spec, options, pacing))

    def close_source(self) -> None:
        self._reader_worker.post(self._reader.close)

    def play(self) -> None:
        """Go on; from the end, start again at the beginning."""
        self._reader_worker.post(self._reader.play)

    def pause(self) -> None:
        self._reader_worker.post(self._reader.pause)

    def set_speed(self, speed: float) -> None:
        """1 is normal; negative plays backwards (seekable sources). The amount is kept within 0.1 to 16."""
        low, high = SPEED_LIMITS
        amount = min(max(abs(speed), low), high)
        self._reader_worker.post(lambda: self._reader.set_speed(amount if speed >= 0 else -amount), "speed")

    def set_pacing(self, pacing: Pacing) -> None:
        """REALTIME may skip frames to keep the time, EVERY shows each one, however long that takes."""
        self._reader_worker.post(lambda: self._reader.set_pacing(pacing), "pacing")

    def seek(self, pts_s: float) -> None:
        """Show the frame that is on the screen at `pts_s`, exactly. Of waiting seeks the last wins."""
        self._reader_worker.post(lambda: self._reader.seek(pts_s), "seek")

    def seek_frame(self, index: int) -> None:
        """Show the frame of that rank, exactly; beyond the last one, the last."""
        self._reader_worker.post(lambda: self._reader.seek_frame(index), "seek")

    def set_loop(self, loop: Loop | None) -> None:
        """Play this part again and again, once it comes to its end; None: play on."""
        self._reader_worker.post(lambda: self._reader.set_loop(loop), "loop")

    def set_region(self, region: Region | Field | None) -> None:
        """What of the picture the network looks at: "field" as it is found, "frame" all of it, or a field.

        None: what the network was made for. It holds for the source that is open, or about to be.
        """
        self._reader_worker.post(lambda: self._reader.set_region(region), "region")

    def dismiss_finding(self, track_id: int, dismissed: bool = True) -> None:
        """A person's no: that finding is silent and undrawn for as long as it is known at its place.

        Undrawn at once, also on the picture that stands; False takes it back.
        """
        self._inferer_worker.post(lambda: self._inferer.dismiss_finding(track_id, dismissed))

    def mark_missed(self, box: Rect, pts_s: float) -> None:
        """A person marks what the network missed: `box` in pixels of the frame at `pts_s`, cut to it.

        It is one of `missed` at once, until another source is opened. Without a source nothing is marked.
        """
        info = self._board.status.info
        if info is not None:
            self._board.mark_missed(box, pts_s, Size(info.width_px, info.height_px))

    def take_back_missed(self, number: int) -> None:
        """That it was a mistake."""
        self._board.take_back_missed(number)

    @property
    def missed(self) -> tuple[PersonFinding, ...]:
        """What a person has marked in the source that is open, the newest last."""
        return self._board.status.missed

    def step(self, frames: int) -> None:
        """Pause and move exactly `frames` frames."""
        self._reader_worker.post(lambda: self._reader.step(frames))

    # The network

    def expect_model(self, expected: bool) -> None:
        """Say beforehand that a model will be chosen in a moment; False: none will."""
        self._inferer_worker.post(lambda: self._inferer.expect_model(expected))

    def set_model(self, model_dir: Path, runtime: str = "auto", precision: str = "auto") -> None:
        self._inferer_worker.post(lambda: self._inferer.set_model(model_dir, runtime, precision), "model")

    def set_ai(self, on: bool) -> None:
        self._inferer_worker.post(lambda: self._inferer.set_ai(on), "ai")

    def set_operating_point(self, point: OperatingPoint) -> None:
        """Move the threshold; it acts on the stored probabilities, also while paused."""
        self._inferer.set_operating_point(point)
        self._presenter_worker.ring()

    # The screen

    def painted(self, presentation: Presentation, start_s: float, end_s: float) -> None:
        """The screen has painted `presentation` (`time.monotonic()` around the painting)."""
        self._stats.painted(presentation, start_s, end_s)
        own_mask = presentation.result is not None and presentation.mask_age_s == 0.0
        if own_mask or presentation.frame.damaged or self._board.status.ai_state is not AiState.ON:
            self._reader.acknowledged = presentation.frame.number
            if self._board.status.pacing is Pacing.EVERY:
                self._reader_worker.ring()

    def snapshot(self) -> Snapshot:
        status = self._board.status
        live = status.info is not None and status.info.live
        shown = status.presentation
        stale = status.ai_state is AiState.ON and shown is not None and shown.result is None
        word = state_word(
            status.source_state,
            status.ai_state,
            live=live,
            stale=stale,
            frozen=status.frozen,
            damaged=shown is not None and shown.frame.damaged,
        )
        return Snapshot(
            serial=status.serial,
            source_state=status.source_state,
            ai_state=status.ai_state,
            ai_reason=status.ai_reason,
            word=word,
            info=status.info,
            presentation=shown,
            pacing=status.pacing,
            speed=status.speed,
            loop=status.loop,
            model_id=status.model_id,
            runtime=status.runtime,
            running=status.running,
            preparing=status.preparing,
            waits_for_ai=status.waits_for_ai,
            operating_point=status.point,
            stats=self._current_stats(),
            faults=status.faults,
            incidents=status.incidents,
            alarms=status.alarms,
        )

    def dismiss(self, fault: Fault) -> None:
        """The person has read it."""
        self._board.remove_fault(fault)

    def run_report(self) -> dict[str, object]:
        """Percentiles and counts of the whole run (see `StatsRecorder.report`)."""
        return self._stats.report()

    def close(self) -> None:
        """Stop all threads and free source and network. Idempotent."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._on_change = lambda: None
        if not self._reader_worker.stop(JOIN_S / 4):
            self._reader.abandon()
        for worker in self._workers:
            if not worker.stop(JOIN_S):
                stuck = FaultError(
                    FaultCode.INTERNAL,
                    expected=f"{worker.name} to end within {JOIN_S:.0f} s",
                    got="a driver that does not answer",
                    remedy="unplug the device; the thread is left behind",
                    said="A driver does not answer and is left behind. Unplug the device.",
                )
                self._board.add_fault(stuck.as_fault(worker.name))
        self._reader.close()
        self._inferer.close()

    # Wiring

    @property
    def _workers(self) -> tuple[Worker, ...]:
        return (self._reader_worker, self._inferer_worker, self._presenter_worker)

    def _worker(self, name: str, tick: Callable[[], float | None]) -> Worker:
        def failed(error: Exception) -> None:
            self._board.add_fault(fault_of(error, name))

        return Worker(f"polyplive-{name}", tick, failed)

    def _network_pace(self) -> NetworkPace:
        return self._inferer.pace

    def _changed(self) -> None:
        self._presenter.bell()
        self._on_change()

    def _current_stats(self) -> Stats:
        now_s = time.monotonic()
        if now_s - self._stats_at_s > STATS_EVERY_S:
            self._stats_at_s = now_s
            self._stats_now = self._stats.current(now_s)
        return self._stats_now
