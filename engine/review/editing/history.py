"""What was done to one frame, and the way back and forth through it: values, nothing is ever lost."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.review.editing.labels import FrameState, Labels
from engine.types import Size


@dataclass(frozen=True, slots=True)
class Edit:
    """One act, and the frame as it is since. `number` counts a frame's acts from 1; `parent`: the one that it
    was done after, 0 for the machine's own frame.
    """

    number: int
    parent: int
    tool: str
    state: FrameState
    labels: Labels


@dataclass(frozen=True, slots=True)
class History:
    """All acts on one frame, in their order; `current`: the number of the one that holds, 0: none.

    What was undone stays: an act after it is another child of the same parent, and redo takes the youngest.
    """

    rank: int
    pts_s: float
    size: Size
    edits: tuple[Edit, ...] = ()
    current: int = 0

    @property
    def now(self) -> Edit | None:
        """None: the frame is as the machine has it."""
        return self.edits[self.current - 1] if self.current else None

    @property
    def state(self) -> FrameState:
        return self.now.state if self.now is not None else FrameState.MACHINE

    @property
    def can_undo(self) -> bool:
        return self.current > 0

    @property
    def can_redo(self) -> bool:
        return self._child() is not None

    def done(self, tool: str, state: FrameState, labels: Labels) -> History:
        """One act more."""
        edit = Edit(len(self.edits) + 1, self.current, tool, state, labels)
        return replace(self, edits=(*self.edits, edit), current=edit.number)

    def undone(self) -> History:
        """One act back; the same where there is none."""
        return replace(self, current=self.now.parent) if self.now is not None else self

    def redone(self) -> History:
        """One act on; the same where none was undone."""
        child = self._child()
        return self if child is None else replace(self, current=child)

    def _child(self) -> int | None:
        children = (edit.number for edit in self.edits if edit.parent == self.current)
        return max(children, default=None)
