"""Masks carried on from the frame that is seen: in a thread that reads the recording for itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.review.editing.frames import Frames
from app.widgets.task import Task
from engine.analysis.judged import open_recording
from engine.review.acts import Done
from engine.review.editing.flow import Carried
from engine.review.editing.propagation import Stopped, propagated
from engine.review.edits import mask_act
from engine.sources.base import SourceSpec
from engine.types import U8

SOURCE = "flow"
ENDS_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of it. `stroke`: all of it, to be taken back at once."""

    stroke: int
    frames: int
    last_rank: int
    why: str


class Following(QObject):
    """One propagation at a time. Its frames are kept together at its end, and not at all when cancelled."""

    progressed = Signal(int, float)  # rank, how sure (0..1)
    ended = Signal(object)  # Followed; None: cancelled
    failed = Signal(object)  # Fault
    _came = Signal(object, int, float)

    def __init__(self, frames: Frames, spec: Callable[[], SourceSpec], parent: QObject) -> None:
        super().__init__(parent)
        self._frames = frames
        self._spec = spec
        self._task: Task | None = None
        self._cancelled = threading.Event()
        self._came.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def start(self, rank: int, to: int, masks: Mapping[int, U8]) -> None:
        """Carry these from a frame on, up to another one that may lie before it."""
        assert self._task is None
        cancelled = self._cancelled = threading.Event()
        spec, verified, own = self._spec(), self._frames.vouched_ranks, dict(masks)
        work = lambda: self._follow(spec, rank, to, own, verified, cancelled)  # noqa: E731
        self._task = Task("flow", work, self)
        self._task.done.connect(self._done)
        self._task.failed.connect(self._failed)
        self._task.start()

    def cancel(self) -> None:
        """Nothing of it is kept."""
        self._cancelled.set()

    def close(self) -> None:
        """Its thread has ended when this returns."""
        self._cancelled.set()
        if self._task is not None:
            self._task.forget()
            self._task.join(ENDS_WITHIN_S)
            self._task = None

    # In the thread

    def _follow(
        self,
        spec: SourceSpec,
        rank: int,
        to: int,
        masks: Mapping[int, U8],
        verified: Collection[int],
        cancelled: threading.Event,
    ) -> tuple[list[int], list[Done], str]:
        """What is to be done to which frames, and why it ended; masks are made short at once."""
        ranks: list[int] = []
        acts: list[Done] = []
        with closing(open_recording(spec)) as source:
            for found in propagated(source, rank, to, masks, verified):
                if cancelled.is_set():
                    return [], [], "cancelled"
                if isinstance(found, Stopped):
                    return ranks, acts, found.why
                ranks.append(found.rank)
                acts += _acts(found)
                self._came.emit(cancelled, found.rank, found.confidence)
        return ranks, acts, ""

    # In the window's

    @Slot(object, int, float)
    def _tell(self, of: threading.Event, rank: int, confidence: float) -> None:
        if of is self._cancelled and not of.is_set():
            self.progressed.emit(rank, confidence)

    def _done(self, answer: tuple[list[int], list[Done], str]) -> None:
        ranks, acts, why = answer
        self._task = None
        if self._cancelled.is_set():
            self.ended.emit(None)
        elif not ranks:
            self.ended.emit(Followed(0, 0, -1, why))
        else:
            self._frames.do_many(
                acts, ranks, lambda stroke: self.ended.emit(Followed(stroke, len(ranks), ranks[-1], why))
            )

    def _failed(self, fault: object) -> None:
        self._task = None
        self.ended.emit(None)
        self.failed.emit(fault)


def _acts(found: Carried) -> list[Done]:
    return [mask_act(found.rank, label, mask, SOURCE) for label, mask in found.masks.items()]
