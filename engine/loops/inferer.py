"""Owns the runtime: the newest frame goes in, its result comes out."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from engine.board import Board
from engine.components import find_components
from engine.faults import fault_of
from engine.loops.upgrade import Upgrade
from engine.model_folder import load_model_folder
from engine.pacing import NetworkPace, usual_s
from engine.prepare import network_image
from engine.runtime.base import Runtime, RuntimeOptions
from engine.runtime.live import Live, OpenLive
from engine.slot import LatestSlot
from engine.stats import StatsRecorder
from engine.types import AiState, Frame, Mask, OperatingPoint, Rect, Result, Size, SourceState, Timings

log = logging.getLogger(__name__)

PLACE = "AI"

_TIMED_FRAMES = 15  # so the usual time follows a change within half a second

PLAYING = frozenset({SourceState.OPENING, SourceState.RUNNING})


class Inferer:
    """Commands and `tick` run in the inferer's thread. A fault costs the masks, never the picture.

    `pace` is read by the other loops.
    """

    def __init__(
        self,
        board: Board,
        stats: StatsRecorder,
        frames: LatestSlot[Frame],
        offer_result: Callable[[Result], None],
        open_live: OpenLive,
        between_frames: Callable[[Callable[[], None]], None],
    ) -> None:
        """`between_frames` runs a function in the inferer's thread."""
        self.pace = NetworkPace()
        self._took_s: deque[float] = deque(maxlen=_TIMED_FRAMES)
        self._board = board
        self._stats = stats
        self._frames = frames
        self._offer_result = offer_result
        self._open_live = open_live
        self._between_frames = between_frames
        self._runtime: Runtime | None = None
        self._upgrade: Upgrade | None = None
        self._ticket: object = None  # of the upgrade that is waited for
        self._chosen: tuple[Path, str, str] | None = None
        self._own_point = False

    def set_model(self, model_dir: Path, runtime: str, precision: str) -> None:
        """Load a model folder; the picture goes on meanwhile, without masks."""
        self._chosen = (model_dir, runtime, precision)
        self._close_runtime()
        self._board.clear_faults(PLACE)
        self._board.change(ai_state=AiState.LOADING, ai_reason="the model is being loaded")
        try:
            model = load_model_folder(model_dir)
            opened = self._open_live(runtime, model, RuntimeOptions(precision=precision))
        except Exception as error:  # the AI's edge: the video goes on and the state says AI FAULT
            self._fail(error)
            return
        self._runtime = opened.runtime
        if opened.warning is not None:
            self._board.add_fault(opened.warning.as_fault(PLACE))
        card = model.card
        standard = card.presets["standard"]
        changes = {} if self._own_point else {"point": standard.point}
        self._board.change(
            ai_state=AiState.ON,
            ai_reason="",
            model_id=card.id,
            runtime=opened.runtime.info,
            network_size=Size(card.input.width_px, card.input.height_px),
            **changes,
        )
        self._again()
        if opened.later is not None:
            ticket = self._ticket = object()
            self._upgrade = Upgrade(
                opened.later,
                self._at_rest,
                # In the upgrade's thread, while this one may be in the middle of a frame.
                lambda answer: self._between_frames(lambda: self._swap(answer, ticket)),
            )

    def set_ai(self, on: bool) -> None:
        """Switch the masks on or off; off keeps the model, on loads it again after a fault."""
        if not on:
            self._board.change(ai_state=AiState.OFF, ai_reason="switched off")
        elif self._runtime is not None:
            self._board.change(ai_state=AiState.ON, ai_reason="")
            self._again()
        elif self._chosen is not None:
            self.set_model(*self._chosen)

    def set_operating_point(self, point: OperatingPoint) -> None:
        self._own_point = True
        self._board.change(point=point)

    def close(self) -> None:
        self._close_runtime()

    def tick(self) -> float | None:
        frame = self._frames.take()
        if frame is None:
            return None
        self._infer(frame)
        return None

    def _at_rest(self) -> bool:
        return self._board.status.source_state not in PLAYING

    def _swap(self, answer: Live | Exception, ticket: object) -> None:
        """The next frame goes to the better runtime. One that another model has overtaken is closed."""
        wanted = ticket is self._ticket and self._runtime is not None
        if isinstance(answer, Exception):
            if wanted:
                self._board.add_fault(fault_of(answer, PLACE))
            return
        if not wanted or (self._runtime is not None and answer.runtime.info == self._runtime.info):
            answer.runtime.close()
        else:
            old, self._runtime = self._runtime, answer.runtime
            self._board.change(runtime=answer.runtime.info)
            if old is not None:
                old.close()
        if wanted and answer.warning is not None:
            self._board.add_fault(answer.warning.as_fault(PLACE))

    def _again(self) -> None:
        """The picture on the screen gets its mask, too: a paused one is followed by no other."""
        if (shown := self._board.status.presentation) is not None:
            self._infer(shown.frame)

    def _infer(self, frame: Frame) -> None:
        status = self._board.status
        if self._runtime is None or status.ai_state is not AiState.ON or status.network_size is None:
            return
        taken_s = time.monotonic()
        self.pace = NetworkPace(frame.number, taken_s, self.pace.takes_s)
        image = network_image(frame, status.network_size)
        start_s = time.monotonic()
        try:
            probability = self._runtime.infer(image)
        except Exception as error:  # the AI's edge: the video goes on and the state says AI FAULT
            self._fail(error)
            return
        end_s = time.monotonic()
        mask = Mask(frame.number, probability, Rect(0, 0, frame.width_px, frame.height_px))
        components = find_components(mask, frame.width_px, frame.height_px, status.point)
        done_s = time.monotonic()
        self._stats.add("network", (end_s - start_s) * 1000.0, end_s)
        self._stats.add("components", (done_s - end_s) * 1000.0, done_s)
        assert status.model_id is not None
        self._offer_result(
            Result(
                number=frame.number,
                index=frame.index,
                pts_s=frame.pts_s,
                seek_serial=frame.seek_serial,
                size=frame.size,
                mask=mask,
                components=components,
                point=status.point,
                timings=Timings(frame.captured_s, frame.ready_s, start_s, end_s),
                model_id=status.model_id,
                runtime=self._runtime.info.name,
            )
        )
        self._took_s.append(time.monotonic() - taken_s)
        self.pace = NetworkPace(frame.number, None, usual_s(self._took_s))

    def _fail(self, error: Exception) -> None:
        self._close_runtime()
        fault = fault_of(error, PLACE)
        self._board.add_fault(fault)
        self._board.change(ai_state=AiState.FAULT, ai_reason=fault.sentence, runtime=None, network_size=None)

    def _close_runtime(self) -> None:
        if self._upgrade is not None:
            self._upgrade.cancel()
            self._upgrade = self._ticket = None
        if self._runtime is not None:
            self._runtime.close()
            self._runtime = None
        self._took_s.clear()
        self.pace = NetworkPace()
