"""What the transport's actions do to the pipeline; handlers of `app.actions_and_keys`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.player.places import Place, Span
from app.player.playback import (
    FEW_S,
    MINUTE_S,
    SECOND_S,
    is_live,
    is_recording,
    is_running,
    next_speed,
    shuttle,
)
from app.widgets import words
from engine.types import Loop, Pacing, Snapshot, SourceState

if TYPE_CHECKING:
    from engine.live.pipeline import Pipeline  # cv2 and pydantic: not before the window is up


class TransportCommands:
    """Each method returns at once: the short word that answers its key, "" for none.

    Without a pipeline, or without a recording where one is needed, nothing happens. `origin_s` gives media
    time of the recording's first frame.
    """

    def __init__(self, origin_s: Callable[[], float]) -> None:
        self._origin_s = origin_s
        self._pipeline: Pipeline | None = None
        self._snapshot: Snapshot | None = None
        self._loop_from_s: float | None = None  # the beginning of a loop without an end yet

    def connect_to(self, pipeline: Pipeline | None) -> None:
        self._pipeline = pipeline

    def take(self, snapshot: Snapshot) -> None:
        """What the next command starts from."""
        if snapshot.info is None:
            self._loop_from_s = None  # of another recording
        self._snapshot = snapshot

    def play_pause(self) -> str:
        """A recording plays or pauses; a live picture is frozen, or gives way to the newest one."""
        if self._pipeline is None or self._snapshot is None:
            return ""
        if is_live(self._snapshot):
            return self._freeze(self._pipeline, self._snapshot.source_state)
        if (pipeline := self._recording()) is None:
            return ""
        if is_running(self._now) and not self._now.waits_for_ai:
            pipeline.pause()
            return "Pause"
        pipeline.play()
        return "Play"

    def backwards(self) -> str:
        return self._shuttle(-1)

    def forwards(self) -> str:
        return self._shuttle(+1)

    def slower(self) -> str:
        return self._change_speed(-1)

    def faster(self) -> str:
        return self._change_speed(+1)

    def every_frame(self) -> str:
        """Every frame, however long that takes; or real time, which may skip some."""
        if (pipeline := self._recording()) is None:
            return ""
        every = self._now.pacing is not Pacing.EVERY
        pipeline.set_pacing(Pacing.EVERY if every else Pacing.REALTIME)
        return "Every frame" if every else "Real time"

    def stop(self) -> str:
        """Pause; and whatever the speed was, the next play is at 1x."""
        if (pipeline := self._recording()) is None:
            return ""
        pipeline.pause()
        pipeline.set_speed(1.0)
        return "Pause, 1x"

    def step_back(self) -> str:
        return self._step(-1)

    def step_on(self) -> str:
        return self._step(+1)

    def few_back(self) -> str:
        return self._jump(-FEW_S)

    def few_on(self) -> str:
        return self._jump(FEW_S)

    def second_back(self) -> str:
        return self._jump(-SECOND_S)

    def second_on(self) -> str:
        return self._jump(SECOND_S)

    def minute_back(self) -> str:
        return self._jump(-MINUTE_S)

    def minute_on(self) -> str:
        return self._jump(MINUTE_S)

    def to_start(self) -> str:
        if (pipeline := self._recording()) is None:
            return ""
        pipeline.seek(self._origin_s())
        return "Beginning"

    def to_end(self) -> str:
        if (pipeline := self._recording()) is None or self._now.info is None:
            return ""
        pipeline.seek(self._origin_s() + (self._now.info.duration_s or 0.0))
        return "End"

    def seek(self, pts_s: float) -> None:
        """To an exact frame: the one on the screen at that media time."""
        if (pipeline := self._recording()) is not None:
            pipeline.seek(pts_s)

    def go_to_place(self, place: Place) -> str:
        """To a frame by its rank, or to what is on the screen at a media time."""
        if (pipeline := self._recording()) is None:
            return ""
        if place.index is not None:
            pipeline.seek_frame(place.index)
        elif place.pts_s is not None:
            pipeline.seek(place.pts_s)
        return place.said

    def span(self) -> Span:
        """What there is of the recording, for `go_to_place`."""
        info = self._snapshot.info if self._snapshot is not None else None
        if info is None:
            return Span(self._origin_s(), None, None)
        return Span(self._origin_s(), info.duration_s, info.frames)

    def runs_live(self) -> bool:
        """Whether a live picture runs, or is being waited for."""
        gone = (SourceState.IDLE, SourceState.FAILED)
        return self._snapshot is not None and is_live(self._snapshot) and self._now.source_state not in gone

    # The loop

    def loop_from(self) -> str:
        """Its beginning is the frame on the screen; its end stays where it was, or is still to come."""
        if (pipeline := self._recording()) is None or (here_s := self._here_s()) is None:
            return ""
        loop = self._now.loop
        if loop is not None and here_s < loop.end_s:
            return self._loop(pipeline, Loop(here_s, loop.end_s))
        pipeline.set_loop(None)
        self._loop_from_s = here_s
        return f"Loop from {self._clock(here_s)}"

    def loop_to(self) -> str:
        """Its end is the frame on the screen; without a beginning it is the recording's."""
        if (pipeline := self._recording()) is None or (here_s := self._here_s()) is None:
            return ""
        loop = self._now.loop
        start_s = loop.start_s if loop is not None else self._loop_from_s
        start_s = self._origin_s() if start_s is None else start_s
        if here_s <= start_s:
            return "The loop ends before it begins"
        return self._loop(pipeline, Loop(start_s, here_s))

    def loop_off(self) -> str:
        if (pipeline := self._recording()) is None:
            return ""
        self._loop_from_s = None
        pipeline.set_loop(None)
        return "No loop"

    # Inside

    @property
    def _now(self) -> Snapshot:
        assert self._snapshot is not None
        return self._snapshot

    def _recording(self) -> Pipeline | None:
        """Of one that has failed nothing moves, so no key says that it did: its fault has the way on."""
        snapshot = self._snapshot
        if snapshot is None or not is_recording(snapshot) or snapshot.source_state is SourceState.FAILED:
            return None
        return self._pipeline

    def _here_s(self) -> float | None:
        shown = self._now.presentation
        return None if shown is None else shown.frame.pts_s

    def _clock(self, pts_s: float) -> str:
        return words.short_clock(pts_s - self._origin_s())

    def _loop(self, pipeline: Pipeline, loop: Loop) -> str:
        pipeline.set_loop(loop)
        self._loop_from_s = None
        return f"Loop {self._clock(loop.start_s)}–{self._clock(loop.end_s)}"

    def _freeze(self, pipeline: Pipeline, state: SourceState) -> str:
        if state is SourceState.RUNNING:
            pipeline.pause()
            return "Picture frozen"
        pipeline.play()
        return "Newest picture" if state is SourceState.PAUSED else "No picture to freeze"

    def _shuttle(self, direction: int) -> str:
        if (pipeline := self._recording()) is None:
            return ""
        speed = shuttle(self._now.speed, running=is_running(self._now), direction=direction)
        pipeline.set_speed(speed)
        pipeline.play()
        return words.speed(speed)

    def _change_speed(self, steps: int) -> str:
        """From a tenth to eightfold, while it plays or stands."""
        if (pipeline := self._recording()) is None:
            return ""
        speed = next_speed(self._now.speed, steps)
        pipeline.set_speed(speed)
        return words.speed(speed)

    def _step(self, frames: int) -> str:
        if (pipeline := self._recording()) is None:
            return ""
        pipeline.step(frames)
        return f"{'+' if frames > 0 else '−'}{abs(frames)} frame"

    def _jump(self, by_s: float) -> str:
        pipeline, shown = self._recording(), self._snapshot.presentation if self._snapshot else None
        if pipeline is None or shown is None:
            return ""
        pipeline.seek(max(self._origin_s(), shown.frame.pts_s + by_s))
        return words.jump(by_s)
