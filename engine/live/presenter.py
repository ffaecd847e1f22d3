"""Decides what is on the screen: the due frame with its mask, and whether the signal is still there."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import deque
from collections.abc import Callable

from engine.live.board import Board, Status
from engine.live.findings import as_told, moved_to, of_itself
from engine.live.lateness import Lateness, Shown, after
from engine.live.mask_choice import MASK_AGE_LIMIT_S, mask_for, waits_for_mask
from engine.live.pacing import NetworkPace
from engine.live.state import SourceEvent
from engine.live.stats import StatsRecorder
from engine.sources.field_finder import whole
from engine.tracking.carried import carried_with
from engine.tracking.place import Shift
from engine.types import AiState, Frame, Pacing, Presentation, Result, SourceState
from engine.view.looks import Looks

SIGNAL_LIMIT_S = 0.4
# A slow source may take longer between two frames: a stills feed of 1 Hz is not a lost signal.
SIGNAL_LIMIT_PERIODS = 2.5
MASK_WAIT_S = {Pacing.LIVE: 0.0, Pacing.REALTIME: 0.020, Pacing.EVERY: 5.0}
# The mask before is too old already where a live source is this slow: marks would blink with each picture.
SLOW_LIVE_WAIT_S = 0.060
KEPT_RESULTS = 4
_STANDS = (SourceState.PAUSED, SourceState.ENDED)


class Presenter:
    """`offer_*` and `flush` may be called from any thread; `tick` runs in the presenter's.

    `reading_since_s` tells since when the reader has been waiting for its source, None when it is not;
    `network_pace` what the network is doing.
    """

    def __init__(
        self,
        board: Board,
        stats: StatsRecorder,
        reading_since_s: Callable[[], float | None],
        network_pace: Callable[[], NetworkPace],
    ) -> None:
        self.bell: Callable[[], None] = lambda: None
        self._board = board
        self._stats = stats
        self._reading_since_s = reading_since_s
        self._network_pace = network_pace
        self._lock = threading.Lock()  # held while deciding and publishing, so that nothing goes out twice
        self._frames: deque[Frame] = deque()
        self._results: deque[Result] = deque(maxlen=KEPT_RESULTS)
        self._looks = Looks()
        self._drawn_from: Result | None = None  # as the network gave it: what is shown may have been moved
        self._arrived_s = time.monotonic()
        self._lateness = Lateness()
        self._late_serial = -1

    def offer_frame(self, frame: Frame) -> None:
        """A frame that will be due; a live one replaces those that nobody has shown yet."""
        with self._lock:
            if self._board.status.pacing is Pacing.LIVE:
                self._frames.clear()
            while self._frames and self._frames[0].seek_serial != frame.seek_serial:
                self._frames.popleft()
            self._frames.append(frame)
            if frame.network_image is not None:
                box = (frame.field or whole(frame.size)).box
                self._looks.add(frame.number, frame.network_image, box)
            self._arrived_s = time.monotonic()
        self.bell()

    def offer_result(self, result: Result) -> None:
        with self._lock:
            self._results.append(result)
        self.bell()

    def hear(self) -> None:
        """A picture arrived that nobody shows: there is a signal behind a frozen picture."""
        with self._lock:
            self._arrived_s = time.monotonic()

    def flush(self) -> None:
        """Show what has been handed over, due or not, before returning: the video stops here."""
        with self._lock:
            if self._frames:
                frame = self._frames[-1]
                self._frames.clear()
                status = self._board.status
                self._publish(status, frame, self._usable_results(status))

    def clear(self) -> None:
        """Forget all frames and results: another source is coming."""
        with self._lock:
            self._frames.clear()
            self._results.clear()
            self._looks = Looks()

    def tick(self) -> float | None:
        """Publish what is due; returns when to look again."""
        with self._lock:
            now_s = time.monotonic()
            status = self._board.status
            results = self._usable_results(status)
            frame, wait_s = self._due_frame(status, results, now_s)
            if frame is not None:
                self._publish(status, frame, results)
                return 0.0
            self._improve(status, results)
            watch_s = self._watch(status, now_s)
        waits = [w for w in (wait_s, watch_s) if w is not None]
        return min(waits) if waits else None

    def _usable_results(self, status: Status) -> tuple[Result, ...]:
        return tuple(self._results) if status.ai_state is AiState.ON else ()

    def _due_frame(
        self, status: Status, results: tuple[Result, ...], now_s: float
    ) -> tuple[Frame | None, float | None]:
        """The frame to show now, or None and how long until there may be one."""
        if status.pacing is Pacing.REALTIME:
            # After a stall only the newest due frame is worth showing.
            while len(self._frames) > 1 and self._frames[1].due_s <= now_s:
                self._frames.popleft()
        if not self._frames:
            return None, None
        frame = self._frames[0]
        if now_s < frame.due_s:
            return None, frame.due_s - now_s
        mask_wait_s = _mask_wait_s(status)
        awaited = status.ai_state is AiState.ON and not frame.damaged
        if status.source_state is SourceState.PAUSED or not awaited:
            mask_wait_s = 0.0
        # Every frame's mask comes, however slow the network: EVERY has no reason to give up on it.
        patient = status.pacing is Pacing.EVERY and awaited
        own = any(r.number == frame.number for r in results)
        if patient and not own and now_s < frame.due_s + mask_wait_s:
            return None, frame.due_s + mask_wait_s - now_s
        pace = self._network_pace()
        if not patient and waits_for_mask(frame, results, pace, now_s=now_s, wait_s=mask_wait_s):
            return None, frame.due_s + mask_wait_s - now_s
        self._frames.popleft()
        return frame, None

    def _publish(self, status: Status, frame: Frame, results: tuple[Result, ...]) -> None:
        live = status.pacing is Pacing.LIVE
        chosen = mask_for(frame, results, live=live)
        shown = Presentation(frame, None, None)
        if chosen is not None:
            shown = self._under(status, frame, *chosen)
        self._board.event(SourceEvent.FRAME, presentation=self._timed(status, shown))

    def _improve(self, status: Status, results: tuple[Result, ...]) -> None:
        """Publish the shown picture again: its mask came, the point moved, one was dismissed, AI is off."""
        shown = status.presentation
        if shown is None:
            return
        if results and shown.result is not None and self._drawn_from is not None:
            results = (self._drawn_from, *results)  # its own mask may have left the few that are kept
        chosen = mask_for(shown.frame, results, live=status.pacing is Pacing.LIVE)
        if chosen is None:
            if shown.result is not None and status.ai_state is not AiState.ON:
                self._board.change(presentation=Presentation(shown.frame, None, None))
            return
        better = self._under(status, shown.frame, *chosen)
        result = better.result
        assert result is not None
        late = shown.late_s is not None and chosen[1] == 0.0 and status.source_state in _STANDS
        was = shown.result
        same = was is not None and result.mask is was.mask and result.point == was.point
        if late or was is None or not same or _tracks(result) != _tracks(was):
            self._board.change(presentation=self._timed(status, better))

    def _under(self, status: Status, frame: Frame, result: Result, age_s: float) -> Presentation:
        """The frame under that mask; marks of an earlier frame are moved with the picture (docs/adr/0030)."""
        self._drawn_from = result
        result = _at_point(result, status)
        if result.number != frame.number and (result.components or result.candidates):
            motion, roi = self._looks.between(result.number, frame.number), result.mask.roi
            result = carried_with(result, Shift(motion.dx_frac * roi.w, motion.dy_frac * roi.h))
        return Presentation(frame, result, age_s)

    def _timed(self, status: Status, shown: Presentation) -> Presentation:
        """With how late masks have been; a picture that stands under its own one is on time.

        A damaged one gets none, however quick the network is.
        """
        moves = status.source_state not in _STANDS and not shown.frame.damaged
        if status.ai_state is not AiState.ON or not (moves or shown.mask_age_s):
            self._lateness = Lateness()
            return shown
        if shown.frame.seek_serial != self._late_serial:
            self._late_serial, self._lateness = shown.frame.seek_serial, Lateness()
        of, now_s = shown.frame.number, time.monotonic()
        picture = Shown(of, now_s)
        if shown.result is not None and shown.mask_age_s is not None:
            picture = Shown(of, now_s, of - shown.result.number, shown.mask_age_s)
        self._lateness = after(self._lateness, picture)
        return dataclasses.replace(shown, late_s=self._lateness.late_s)

    def _watch(self, status: Status, now_s: float) -> float | None:
        """NO SIGNAL when the next frame is overdue; returns when to look again."""
        if status.info is None:
            return None
        frozen = status.source_state is SourceState.PAUSED and status.info.live
        if status.source_state is not SourceState.RUNNING and not frozen:
            return None
        limit_s = SIGNAL_LIMIT_S
        if status.info.live:
            if status.info.rate_hz:
                limit_s = max(limit_s, SIGNAL_LIMIT_PERIODS / status.info.rate_hz)
            since_s: float | None = self._arrived_s
        else:
            since_s = self._reading_since_s()
        if since_s is None or self._frames:
            return limit_s / 2
        left_s = since_s + limit_s - now_s
        if left_s > 0:
            return left_s
        self._board.event(SourceEvent.OVERDUE)
        return None


def _mask_wait_s(status: Status) -> float:
    """How long a due frame may wait for its own mask, where that is to be expected in time."""
    rate_hz = status.info.rate_hz if status.info is not None else None
    if status.pacing is Pacing.LIVE and rate_hz and 1.0 / rate_hz > MASK_AGE_LIMIT_S:
        return SLOW_LIVE_WAIT_S
    return MASK_WAIT_S[status.pacing]


def _at_point(result: Result, status: Status) -> Result:
    """`result` with the components of the operating point in force: no inference is needed for that.

    One of the model before keeps its own: a threshold means nothing to another model. Without those that a
    person has dismissed, and on a picture that stands without what only the pictures before it showed.
    """
    point = status.point
    if result.point != point and result.model_id == status.model_id:
        result = moved_to(result, point)
    result = as_told(result, status.dismissed)
    return of_itself(result) if status.source_state in _STANDS else result


def _tracks(result: Result) -> list[int | None]:
    return [component.track for component in result.components]
