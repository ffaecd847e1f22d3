"""What the transport's and the AI's actions do to the pipeline; the words of `app.actions` as methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.playback import MINUTE_S, SECOND_S, is_recording, is_running, shuttle
from engine.types import AiState, Snapshot

if TYPE_CHECKING:
    from engine.pipeline import Pipeline  # cv2 and pydantic: not before the window is up


class Commands:
    """Each method returns at once. Without a pipeline, or without a recording, they do nothing.

    `origin_s` gives media time of the recording's first frame.
    """

    def __init__(self, origin_s: Callable[[], float]) -> None:
        self._origin_s = origin_s
        self._pipeline: Pipeline | None = None
        self._snapshot: Snapshot | None = None

    def connect_to(self, pipeline: Pipeline | None) -> None:
        self._pipeline = pipeline

    def take(self, snapshot: Snapshot) -> None:
        """What the next command starts from."""
        self._snapshot = snapshot

    # Transport

    def play_pause(self) -> None:
        if (pipeline := self._recording()) is not None:
            pipeline.pause() if is_running(self._now) else pipeline.play()

    def backwards(self) -> None:
        self._shuttle(-1)

    def forwards(self) -> None:
        self._shuttle(+1)

    def stop(self) -> None:
        """Pause; and whatever the speed was, the next play is at 1x."""
        if (pipeline := self._recording()) is not None:
            pipeline.pause()
            pipeline.set_speed(1.0)

    def step_back(self) -> None:
        self._step(-1)

    def step_on(self) -> None:
        self._step(+1)

    def second_back(self) -> None:
        self._jump(-SECOND_S)

    def second_on(self) -> None:
        self._jump(SECOND_S)

    def minute_back(self) -> None:
        self._jump(-MINUTE_S)

    def minute_on(self) -> None:
        self._jump(MINUTE_S)

    def to_start(self) -> None:
        if (pipeline := self._recording()) is not None:
            pipeline.seek(self._origin_s())

    def to_end(self) -> None:
        if (pipeline := self._recording()) is not None and self._now.info is not None:
            pipeline.seek(self._origin_s() + (self._now.info.duration_s or 0.0))

    def seek(self, pts_s: float) -> None:
        """To an exact frame: the one on the screen at that media time."""
        if (pipeline := self._recording()) is not None:
            pipeline.seek(pts_s)

    # The AI

    def toggle_ai(self) -> None:
        if self._pipeline is not None and self._snapshot is not None:
            self._pipeline.set_ai(self._snapshot.ai_state not in (AiState.ON, AiState.LOADING))

    # Inside

    @property
    def _now(self) -> Snapshot:
        assert self._snapshot is not None
        return self._snapshot

    def _recording(self) -> Pipeline | None:
        if self._snapshot is None or not is_recording(self._snapshot):
            return None
        return self._pipeline

    def _shuttle(self, direction: int) -> None:
        if (pipeline := self._recording()) is not None:
            pipeline.set_speed(shuttle(self._now.speed, running=is_running(self._now), direction=direction))
            pipeline.play()

    def _step(self, frames: int) -> None:
        if (pipeline := self._recording()) is not None:
            pipeline.step(frames)

    def _jump(self, by_s: float) -> None:
        pipeline, shown = self._recording(), self._snapshot.presentation if self._snapshot else None
        if pipeline is not None and shown is not None:
            pipeline.seek(max(self._origin_s(), shown.frame.pts_s + by_s))
