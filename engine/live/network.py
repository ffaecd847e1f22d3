"""A network in a thread of its own: the newest frame goes in, its result comes out."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import deque
from collections.abc import Callable

import cv2
import numpy as np

from engine.faults import Fault, FaultCode, FaultError
from engine.live.board import Board
from engine.live.findings import Findings
from engine.live.loading import Loaded
from engine.live.pacing import NetworkPace, usual_s
from engine.live.slot import LatestSlot
from engine.live.stats import StatsRecorder
from engine.live.watch import HANG_LIMIT_S
from engine.live.worker import Worker, step_behind
from engine.runtime.base import Runtime
from engine.runtime.masks import region_mask
from engine.runtime.self_check import check_mask, check_picture
from engine.sources.field_finder import whole
from engine.types import U8, AiState, Chosen, Frame, Result, RuntimeInfo, Size

SLOW_S = 0.5  # longer than any network that is of use live takes
_TIMED_FRAMES = 15  # so the usual time follows a change within half a second

OnFailure = Callable[["Network", Exception], None]


class Network:
    """Nobody waits for it: one that hangs is left behind with its thread, and freed there if it ever returns.

    `pace` is read by the other loops. `failed` is called in this one's thread.
    """

    def __init__(
        self,
        loaded: Loaded,
        board: Board,
        stats: StatsRecorder,
        frames: LatestSlot[Frame],
        offer_result: Callable[[Result], None],
        failed: OnFailure,
        before: Network | None = None,
    ) -> None:
        self.pace = NetworkPace()
        self.loaded = loaded
        self._took_s: deque[float] = deque(maxlen=_TIMED_FRAMES)
        self._board = board
        self._stats = stats
        self._frames = frames
        self._offer_result = offer_result
        self._runtime: Runtime = loaded.live.runtime
        self._left = False
        self._failed = failed
        self._findings: Findings = Findings(before._findings if before is not None else None)
        # Behind reading and painting: a network that takes their time makes the picture late.
        self._worker = Worker("polyplive-network", self._tick, lambda error: failed(self, error), behind=True)

    def start(self) -> None:
        """Masks at once; whether they are what the model was exported with is known a moment later."""
        self._worker.start()
        if self.loaded.model.card.check is not None:
            threading.Thread(target=self._fetch_check, name="polyplive-self-check", daemon=True).start()

    def _fetch_check(self) -> None:
        step_behind()
        try:
            picture = check_picture(self.loaded.model.card)
        except Exception as error:  # the thread's edge
            self._failed(self, error)
            return
        self._worker.post(lambda: self._check(picture))

    def _check(self, picture: U8 | None) -> None:
        if not self._left and picture is not None:
            check_mask(self.loaded.model.card, self._runtime, picture)

    @property
    def info(self) -> RuntimeInfo:
        return self._runtime.info

    @property
    def size(self) -> Size:
        card = self.loaded.model.card.input
        return Size(card.width_px, card.height_px)

    @property
    def has_ended(self) -> bool:
        return self._worker.has_ended

    def ring(self) -> None:
        """There is a new frame."""
        self._worker.ring()

    def look_at(self, frame: Frame) -> None:
        """Infer this frame, too: a paused picture is followed by no other."""
        self._worker.post(lambda: self._infer(frame))

    def dismiss(self, track_id: int, dismissed: bool) -> None:
        """As `Findings.dismiss`."""
        self._worker.post(lambda: self._board.dismiss(self._findings.dismiss(track_id, dismissed), dismissed))

    def leave(self) -> None:
        """Take no other frame; the thread frees the network and ends as soon as it is done with this one."""
        self._left = True
        self._worker.post(self._free)

    def close(self, timeout_s: float) -> None:
        """Leave, and wait until that is done, at most so long; not at all for one that may hang."""
        since_s = self.pace.since_s
        may_hang = since_s is not None and time.monotonic() - since_s > SLOW_S
        self.leave()
        self._worker.join(0.0 if may_hang else timeout_s)

    def _free(self) -> None:
        self._runtime.close()
        self._worker.stop(0.0)

    def _tick(self) -> float | None:
        if not self._left and (frame := self._frames.take()) is not None:
            self._infer(frame)
        return None

    def _infer(self, frame: Frame) -> None:
        if frame.damaged:
            return
        status = self._board.status
        if self._left or status.ai_state is not AiState.ON:
            return
        taken_s = time.monotonic()
        self.pace = NetworkPace(frame.number, taken_s, self.pace.takes_s)
        try:
            image = picture_for(frame, self.size)
            start_s = time.monotonic()
            mask = region_mask(self._runtime, image, frame.field or whole(frame.size), frame.number)
            end_s = time.monotonic()
            if self._left:  # another one has taken over meanwhile, or this one was given up
                return
            found = self._findings.of(frame, image, mask, status)
            done_s = time.monotonic()
        finally:
            self.pace = NetworkPace(frame.number, None, self.pace.takes_s)
        self._stats.add("network", (end_s - start_s) * 1000.0, end_s)
        self._stats.add("components", (done_s - end_s) * 1000.0, done_s)
        if found.dismissed:
            self._board.dismiss(found.dismissed)
        self._offer_result(
            Result(
                number=frame.number,
                index=frame.index,
                pts_s=frame.pts_s,
                seek_serial=frame.seek_serial,
                size=frame.size,
                mask=mask,
                components=found.components,
                point=status.point,
                captured_s=frame.captured_s,
                model_id=self.loaded.model.id,
                runtime=self.info.name,
                candidates=found.candidates,
                view=found.view,
                rings=found.rings,
                field=frame.field,
            )
        )
        if found.rings:
            self._board.change(alarms=self._board.status.alarms + 1)
        self._took_s.append(time.monotonic() - taken_s)
        self.pace = NetworkPace(frame.number, None, usual_s(self._took_s))


def picture_for(frame: Frame, size: Size) -> U8:
    """uint8 [h, w, 3] RGB: the frame's field squashed to `size`, the decoder's own picture where it fits.

    It does not where another model was chosen meanwhile, or AI was off. The fallback from BGRA costs about
    5 ms at 1080p, so it runs only for the first frame after a change.
    """
    made = frame.network_image
    if made is not None and made.shape[:2] == (size.height_px, size.width_px):
        return made
    assert frame.image is not None  # a frame without both pictures is of no use to anybody
    box = (frame.field or whole(frame.size)).box
    part = frame.image[box.y : box.y + box.h, box.x : box.x + box.w]
    small = cv2.resize(part, (size.width_px, size.height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGRA2RGB), np.uint8)


def kept(fault: Fault, wanted: Chosen, running: Network) -> Fault:
    """A wish that came to nothing, while another network runs."""
    said = f"{wanted.model_dir.name} is not ready, so {running.loaded.model.id} goes on. {fault.sentence}"
    return dataclasses.replace(fault, said=said, fatal=False)


def hang(network: Network) -> FaultError:
    """What is said of one that was given up."""
    info = network.info
    return FaultError(
        FaultCode.INFERENCE,
        expected=f"a mask within {HANG_LIMIT_S:g} s",
        got=f"none from {info.name} {info.precision} on {info.device}",
        remedy="another runtime is tried",
        said=f"The network has not answered for {HANG_LIMIT_S:g} s ({info.name} {info.precision}). Another "
        "runtime is started where there is one, or choose one in the side panel.",
    )
