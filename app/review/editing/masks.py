"""The masks of the frame that is seen, and the stroke that changes one of them: nothing waits for a disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.review.editing.frames import Frames
from app.review.editing.tools import TOOLS
from engine.drawing.rle import decode
from engine.review.acts import CLEAR, STATE, Done, FrameEdits, FrameState, HumanMask, frame_scope
from engine.review.editing.gestures import GESTURES, Gesture, Polygon
from engine.review.editing.polyps import masks_of, polyp_at
from engine.review.edits import mask_act
from engine.types import F32, U8, Presentation, Result

FOLLOWED_FRAMES = 25
MODEL, SAME = "model", "same"  # what a mask comes from, besides a tool's name


class SeenMasks(QObject):
    """`changed`: masks, the polyp in hand, or how far the frame is. A stroke that goes on when another frame
    comes is ended on its own.

    `label_for`: which polyp a first stroke on a frame without any is of, by rank; None: one that nobody has.
    `marks_of`: what the model has there.
    """

    changed = Signal()

    def __init__(
        self,
        frames: Frames,
        label_for: Callable[[int], int | None],
        marks_of: Callable[[int], Result | None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._frames = frames
        self._label_for = label_for
        self._marks_of = marks_of
        self._shown: Presentation | None = None
        self._decoded: tuple[FrameEdits, dict[int, U8]] | None = None
        self._gesture: Gesture | None = None
        self._tool = ""
        self._wants_another = False
        self._drawn_last: tuple[int, int] | None = None  # a rank, and the polyp that was drawn there
        self.active: int | None = None
        frames.changed.connect(self._frame_changed)

    # What is there

    @property
    def rank(self) -> int:
        """Of the frame that is seen; -1 without one."""
        return -1 if self._shown is None else self._shown.frame.index

    @property
    def picture(self) -> U8 | None:
        """uint8 [H, W, 4] BGRA."""
        return None if self._shown is None else self._shown.frame.image

    @property
    def state(self) -> FrameState:
        return self._frames.of(self.rank).state

    @property
    def masks(self) -> Mapping[int, U8]:
        """uint8 [H, W] by label, as they are kept: a person's, or else the model's."""
        edits = self._frames.of(self.rank)
        if self._decoded is None or self._decoded[0] is not edits:
            self._decoded = edits, self._masks_of(edits)
        return self._decoded[1]

    @property
    def seen_masks(self) -> Mapping[int, U8]:
        """With the stroke that goes on."""
        if self._gesture is None or self.active is None:
            return self.masks
        return {**self.masks, self.active: self._gesture.mask}

    @property
    def guide(self) -> F32 | None:
        return self._gesture.guide if self._gesture is not None else None

    @property
    def is_stroking(self) -> bool:
        return self._gesture is not None

    def show(self, shown: Presentation | None) -> None:
        """Another picture, or other marks of the model on it."""
        before = self._shown
        if before is not None and (shown is None or shown.frame.index != before.frame.index):
            self.end()
        self._shown = shown
        if before is not None and shown is not None and before.frame is shown.frame:
            if before.result is not shown.result and self.state is FrameState.MACHINE:
                self._decoded = None
                self._choose_known()
                self.changed.emit()
            return
        self._decoded, self._wants_another = None, False
        self._choose_known()
        self.changed.emit()

    # Strokes

    def press(self, tool: str, x: float, y: float, radius_px: float, *, erases: bool) -> None:
        """The mouse with a tool that paints or draws; frame pixels."""
        if self._gesture is not None:
            if erases:
                self.back()
            elif self._gesture.press(x, y):
                self._finish()
            else:
                self.changed.emit()
            return
        mask = self.take_hold(x, y)
        if mask is None:
            return
        self._tool = tool
        self._gesture = GESTURES[TOOLS[tool].gesture](mask, x, y, radius_px, 0 if erases else 1)
        self.changed.emit()

    def move(self, x: float, y: float) -> None:
        if self._gesture is not None:
            self._gesture.move(x, y)
            self.changed.emit()

    def release(self) -> None:
        if self._gesture is not None and self._gesture.release():
            self._finish()

    def close_polygon(self) -> None:
        if isinstance(self._gesture, Polygon) and self._gesture.close():
            self._finish()

    def back(self) -> bool:
        """Take back a step of the stroke, or the stroke; False: none goes on."""
        if self._gesture is None:
            return False
        if not self._gesture.back():
            self._gesture = None
        self.changed.emit()
        return True

    def end(self) -> None:
        """What was drawn of a stroke is kept: another frame comes, or another tool. A line that encloses
        nothing yet is none.
        """
        if isinstance(self._gesture, Polygon) and not self._gesture.close():
            self._gesture = None
        if self._gesture is not None:
            self._finish()

    def drop(self) -> bool:
        """Forget the stroke; False: none goes on."""
        was, self._gesture = self._gesture is not None, None
        self.changed.emit()
        return was

    def take_hold(self, x: float, y: float) -> U8 | None:
        """The mask of the polyp that a press there is meant for; None without a picture."""
        picture = self.picture
        if picture is None:
            return None
        masks = self.masks
        if not self._wants_another:
            under = polyp_at(masks, x, y)
            if under is not None:
                self.active = under
        if self._wants_another or self.active is None:
            known = None if self._wants_another or masks else self._label_for(self.rank) or self._followed()
            self.active = known if known is not None else self._frames.free_label()
            self._wants_another = False
        return masks.get(self.active, np.zeros(picture.shape[:2], np.uint8))

    def choose(self, label: int) -> None:
        """The polyp that is edited from now on."""
        self.end()
        self.active, self._wants_another = label, False
        self.changed.emit()

    # Whole frames

    def put(
        self, label: int, mask: U8, source: str, outlines: tuple[F32, ...] = (), rank: int | None = None
    ) -> None:
        """One polyp is this now, of the frame that is seen or of another one; on a frame of the machine its
        others become the person's, too.
        """
        rank = self.rank if rank is None else rank
        own = [mask_act(rank, label, mask, source, [_points(line) for line in outlines])]
        if self._frames.of(rank).state is FrameState.MACHINE:
            own = [*self._model_acts(rank, but=label), *own]
        if rank >= 0:
            self._drawn_last = rank, label
            self._frames.do(rank, own)

    def put_all(self, masks: Mapping[int, U8], source: str) -> None:
        """These and no others."""
        cleared = Done(CLEAR, frame_scope(self.rank), {})
        self._do([cleared, *(mask_act(self.rank, label, mask, source) for label, mask in masks.items())])
        self._choose_known()

    def put_same(self, edits: FrameEdits) -> None:
        """As another frame has it."""
        self.put_all({label: decoded(one) for label, one in edits.masks.items()}, SAME)

    def put_models(self) -> bool:
        """What the model has here; False when that is nothing."""
        masks = self._models(self.rank)
        self.put_all(masks, MODEL)
        return bool(masks)

    def clear(self) -> None:
        self.put_all({}, "")

    def remove(self) -> bool:
        """The polyp that is edited is not there; False: there is none."""
        self.end()
        mask = None if self.active is None else self.masks.get(self.active)
        if mask is None or self.active is None:
            return False
        self.put(self.active, np.zeros_like(mask), "removed")
        return True

    def set_state(self, state: FrameState) -> None:
        """Without another mask: not verified any more, or untouched."""
        self.end()
        self._do([Done(STATE, frame_scope(self.rank), {"state": state.value})])

    def verify(self, *, empty: bool) -> FrameState:
        """A person answers for what is seen: the frame's state now."""
        self.end()
        own = [] if empty or self.state is not FrameState.MACHINE else self._model_acts(self.rank)
        state = FrameState.EMPTY if empty else FrameState.VERIFIED
        self._do([*own, Done(STATE, frame_scope(self.rank), {"state": state.value})])
        return state

    def another(self) -> None:
        """The next stroke is of a polyp that is not marked yet."""
        self._wants_another = True

    # Inside

    def _finish(self) -> None:
        gesture, self._gesture = self._gesture, None
        assert gesture is not None
        assert self.active is not None
        before = self.masks.get(self.active)
        if gesture.mask is before or (before is None and not gesture.mask.any()):
            self.changed.emit()  # nothing came of it
            return
        self.put(self.active, gesture.mask, self._tool, gesture.outlines)

    def _followed(self) -> int | None:
        """The polyp that was drawn a few frames before or after: who goes on drawing means the same."""
        rank, label = self._drawn_last or (0, None)
        return label if abs(self.rank - rank) <= FOLLOWED_FRAMES else None

    def _do(self, some: list[Done]) -> None:
        if self.rank >= 0:
            self._frames.do(self.rank, some)

    def _model_acts(self, rank: int, but: int | None = None) -> list[Done]:
        models = self._models(rank).items()
        return [mask_act(rank, label, mask, MODEL) for label, mask in models if label != but]

    def _models(self, rank: int) -> dict[int, U8]:
        result = self._marks_of(rank) if rank >= 0 else None
        return {} if result is None else masks_of(result.components, result.size)

    def _masks_of(self, edits: FrameEdits) -> dict[int, U8]:
        if edits.state is FrameState.MACHINE:
            return self._models(self.rank)
        return {label: decoded(one) for label, one in edits.masks.items()}

    def _choose_known(self) -> None:
        """The polyp in hand stays where the frame has it, too."""
        masks = self.masks
        if self.active not in masks:
            self.active = max(masks, key=lambda label: int(masks[label].sum()), default=None)

    def _frame_changed(self, rank: int) -> None:
        if rank == self.rank:
            if self.active not in self.masks:
                self._choose_known()
            self.changed.emit()


def decoded(one: HumanMask) -> U8:
    """uint8 [H, W] of the frame, 0 and 1."""
    return np.ascontiguousarray(decode(one.rle))


def _points(line: F32) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in line]
