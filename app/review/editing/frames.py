"""What people did to frames, as the window knows it: changed here at once, kept in the side-car's thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal

from engine.review.acts import NOTHING, PERSONS, VOUCHED, Done, FrameEdits, after, frame_scope
from engine.review.edits import Edits


class AskEdits(Protocol):
    """Does `work` where the side-car is, in order; `done` hears in the window's thread what came of it."""

    def __call__(self, work: Callable[[Edits], Any], done: Callable[[Any], None] | None = None) -> None: ...


class Frames(QObject):
    """`changed`: a rank. What could not be kept is taken back: `reload`, once the fault has been told."""

    changed = Signal(int)
    kept = Signal()  # something is on the disk
    written = Signal()  # and a person has just done it

    def __init__(self, ask: AskEdits, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ask = ask
        self._frames: dict[int, FrameEdits] = {}
        self._under_way: dict[int, int] = {}  # acts on a frame that are not kept yet
        self._free_label = PERSONS + 1
        self.is_known = False

    def reload(self) -> None:
        """As they are in the side-car."""
        self._ask(lambda edits: (dict(edits.frames), edits.free_label()), self._take_all)

    def free_label(self) -> int:
        """Of a polyp that nobody has marked yet; another one each time."""
        self._free_label += 1
        return self._free_label - 1

    def of(self, rank: int) -> FrameEdits:
        return self._frames.get(rank, NOTHING)

    @property
    def vouched(self) -> int:
        """How many frames a person has verified."""
        return sum(edits.state in VOUCHED for edits in self._frames.values())

    @property
    def vouched_ranks(self) -> frozenset[int]:
        return frozenset(rank for rank, edits in self._frames.items() if edits.state in VOUCHED)

    def last_before(self, rank: int) -> FrameEdits | None:
        """The nearest frame before that a person has changed or verified."""
        ranks = [one for one, edits in self._frames.items() if one < rank and edits != NOTHING]
        return self._frames[max(ranks)] if ranks else None

    def do(self, rank: int, some: Sequence[Done]) -> None:
        """Acts on one frame, as one stroke: seen at once."""
        edits = self.of(rank)
        for one in some:
            edits = after(edits, one.kind, one.value)
        self._put(rank, edits)
        self._keep(rank, lambda kept: kept.do(some))

    def undo(self, rank: int) -> None:
        self._keep(rank, lambda kept: kept.undo(frame_scope(rank)))

    def redo(self, rank: int) -> None:
        self._keep(rank, lambda kept: kept.redo(frame_scope(rank)))

    def do_many(self, some: Sequence[Done], ranks: Sequence[int], done: Callable[[int], None]) -> None:
        """Acts on many frames as one stroke; `done` hears its number once they are kept."""

        def keep(edits: Edits) -> tuple[int, dict[int, FrameEdits]]:
            edits.do(some)
            return edits.last_stroke, {rank: edits.frame(rank) for rank in ranks}

        self._ask(keep, lambda answer: self._take_many(answer, done))

    def undo_many(self, stroke: int) -> None:
        """All that a stroke did, in all frames."""

        def undo(edits: Edits) -> tuple[dict[int, FrameEdits], int]:
            edits.undo_stroke(stroke)
            return dict(edits.frames), edits.free_label()

        self._ask(undo, self._take_all)

    def _keep(self, rank: int, work: Callable[[Edits], object]) -> None:
        self._under_way[rank] = self._under_way.get(rank, 0) + 1

        def keep(edits: Edits) -> FrameEdits:
            work(edits)
            return edits.frame(rank)

        self._ask(keep, lambda edits: self._take(rank, edits))

    def _take(self, rank: int, edits: FrameEdits) -> None:
        left = self._under_way.get(rank, 1) - 1
        if left > 0:
            self._under_way[rank] = left  # what came later is seen already
            return
        self._under_way.pop(rank, None)
        self._put(rank, edits)
        self.written.emit()
        self.kept.emit()

    def _take_all(self, answer: tuple[dict[int, FrameEdits], int]) -> None:
        frames, free = answer
        before, self._frames = self._frames, frames
        self._free_label = max(self._free_label, free)
        self._under_way.clear()
        self.is_known = True
        for rank in before.keys() | frames.keys():
            self.changed.emit(rank)
        self.kept.emit()

    def _take_many(self, answer: tuple[int, dict[int, FrameEdits]], done: Callable[[int], None]) -> None:
        stroke, frames = answer
        for rank, edits in frames.items():
            self._put(rank, edits)
        done(stroke)
        self.written.emit()
        self.kept.emit()

    def _put(self, rank: int, edits: FrameEdits) -> None:
        if edits == self.of(rank):
            return
        if edits == NOTHING:
            self._frames.pop(rank, None)
        else:
            self._frames[rank] = edits
        self.changed.emit(rank)
