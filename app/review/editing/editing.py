"""Correction of masks, switched on and off: tools, keys and mouse of the frame that is seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence

from app.player.canvas import Canvas
from app.review.editing.carrying import Carrying
from app.review.editing.clicking import Clicking
from app.review.editing.drawn import Drawn
from app.review.editing.frames import AskEdits, Frames
from app.review.editing.layer import MaskLayer
from app.review.editing.masks import SeenMasks
from app.review.editing.panel import MaskPanel
from app.review.editing.polyps import NamedPolyp
from app.review.editing.tools import TOOLS
from engine.review.acts import PERSONS, VOUCHED, FrameState
from engine.sources.base import SourceSpec
from engine.types import Presentation, Result

FIRST_RADIUS_FRAC = 0.03  # of the picture's shorter side
STEP = 1.2  # of a notch of the wheel
LEAST_PX, MOST_FRAC = 1.0, 0.5


class Place(Protocol):
    """What the page knows, and does for the tools."""

    def why_read_only(self) -> str: ...

    def spec(self) -> SourceSpec: ...

    def marks_of(self, rank: int) -> Result | None:
        """What the model has at a frame; None where it is not known (yet)."""

    def label_for(self, rank: int) -> int | None:
        """The finding that is seen at a frame."""

    def name_of(self, label: int) -> str:
        """Whose polyp that is, in a word or two."""

    def next_rank(self, rank: int, *, goes_on: bool) -> int | None:
        """The frame to be looked at after this one; None behind the last one. `goes_on`: what a person found
        is in it, and he is following it.
        """

    def range_from(self, rank: int, *, back: bool) -> int:
        """How far masks are carried from a frame: the end (or beginning) of its finding."""

    def go_to_rank(self, rank: int) -> None: ...

    def sam_weights(self) -> str:
        """As the settings name them; "": none."""

    def pause(self) -> bool:
        """Stop playing; whether it played."""


class MaskEditing(QObject):
    """Handlers of app.actions_and_keys among its methods; the words that they give answer the key."""

    switched = Signal(bool)
    failed = Signal(object)  # Fault

    def __init__(
        self, canvas: Canvas, ask: AskEdits, place: Place, actions: Mapping[str, QAction], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._place = place
        self._shown: Presentation | None = None
        self._radius_px: float | None = None
        self.is_on = False
        self.tool = next(iter(TOOLS))
        self.frames = Frames(ask, self)
        self.masks = SeenMasks(self.frames, place.label_for, place.marks_of, self)
        self.clicking = Clicking(self.masks, place.sam_weights, self)
        self.drawn = Drawn(self.frames)
        self.layer = MaskLayer(canvas)
        self._empty = actions["mask-empty"]
        self.panel = MaskPanel(actions)
        self.panel.hide()
        self.carrying = Carrying(self.frames, self.masks, place, self.panel, self)
        self._connect()

    def begin(self) -> None:
        """The side-car is open."""
        self.frames.reload()

    def close(self) -> None:
        """No thread of it runs when this returns; what was done has been asked to be kept."""
        self.masks.end()
        self.clicking.close()
        self.carrying.close()

    def show(self, shown: Presentation | None) -> None:
        """What the canvas shows."""
        self._shown = shown
        if self.is_on:
            self.masks.show(shown)

    def reload(self) -> None:
        """Something could not be kept: what is on the disk is shown."""
        if self.frames.is_known:
            self.frames.reload()

    def hold_raw(self, raw: bool) -> None:
        """Nothing over the picture while a key is down."""
        if self.is_on:
            self.layer.setHidden(raw)

    # Handlers of app.actions_and_keys

    def toggle(self) -> str:
        if self.is_on:
            self._switch(False)
            return "Correction off"
        if why := self._place.why_read_only():
            return why
        if self._shown is None or not self.frames.is_known:
            return "Not yet: it is being opened"
        self._place.pause()
        self._switch(True)
        return "Correction"

    def brush(self) -> str:
        return self._take("brush")

    def eraser(self) -> str:
        return self._take("eraser")

    def polygon(self) -> str:
        return self._take("polygon")

    def drag(self) -> str:
        return self._take("drag")

    def click(self) -> str:
        return self._take("click")

    def same(self) -> str:
        before = self.frames.last_before(self.masks.rank)
        if before is None:
            return "No frame before this was changed"
        self.masks.put_same(before)
        return "Same as the frame before"

    def model(self) -> str:
        return "As the model has it" if self.masks.put_models() else "The model has nothing here"

    def clear(self) -> str:
        self.masks.clear()
        return "Cleared"

    def another(self) -> str:
        self.masks.another()
        return "The next stroke is another polyp"

    def remove(self) -> str:
        return "Removed" if self.masks.remove() else "No polyp is chosen"

    def choose(self, number: int) -> str:
        """From 1, in the order in which they are listed."""
        labels = sorted(self.masks.masks)
        if number > len(labels):
            return f"There is no polyp {number} in this frame"
        self.masks.choose(labels[number - 1])
        return f"Polyp {number}"

    def unverify(self) -> str:
        if self.masks.state not in VOUCHED:
            return "It is not verified"
        self.masks.set_state(FrameState.TOUCHED)
        return "Not verified any more"

    def untouched(self) -> str:
        self.masks.set_state(FrameState.MACHINE)
        return "As if nobody had touched it"

    def undo(self) -> str:
        if not self.masks.back():
            self.frames.undo(self.masks.rank)
        return "Undone"

    def redo(self) -> str:
        self.frames.redo(self.masks.rank)
        return "Done again"

    def verify(self) -> str:
        return self._verify(empty=False)

    def verify_empty(self) -> str:
        return self._verify(empty=True)

    def follow(self) -> str:
        return self.carrying.begin(back=False)

    def follow_back(self) -> str:
        return self.carrying.begin(back=True)

    def escape(self) -> bool:
        """Stop the innermost thing that goes on; False when there is none."""
        if self.carrying.is_running:
            self.carrying.cancel()
            return True
        if self.is_on and self.masks.is_stroking:
            return self.masks.drop()
        if self.is_on:
            self._switch(False)
            return True
        return False

    # Inside

    def _connect(self) -> None:
        layer, masks, panel = self.layer, self.masks, self.panel
        layer.pressed.connect(self._press)
        layer.moved.connect(masks.move)
        layer.released.connect(masks.release)
        layer.closed.connect(masks.close_polygon)
        layer.turned.connect(self._turn)
        masks.changed.connect(self._show_masks)
        self.clicking.failed.connect(self.failed)
        self.clicking.changed.connect(self._show_way)
        self.carrying.failed.connect(self.failed)
        panel.polyp_chosen.connect(masks.choose)
        panel.way_chosen.connect(self.clicking.use)

    def _switch(self, on: bool) -> None:
        self.is_on = on
        self.masks.show(self._shown if on else None)
        self.layer.setVisible(on)
        self.layer.resize(self._canvas.size())
        self.panel.setVisible(on)
        if on:
            self._take(self.tool)
        self.switched.emit(on)

    def _take(self, tool: str) -> str:
        self.masks.end()
        self.tool = tool
        self.panel.show_tool(tool)
        self._show_size()
        return TOOLS[tool].name

    @property
    def radius_px(self) -> float:
        """Of the brush, frame pixels."""
        picture = self.masks.picture
        side_px = 500 if picture is None else min(picture.shape[:2])
        if self._radius_px is None:
            self._radius_px = FIRST_RADIUS_FRAC * side_px
        return min(max(self._radius_px, LEAST_PX), MOST_FRAC * side_px)

    def _turn(self, notches: float) -> None:
        if TOOLS[self.tool].has_size:
            self._radius_px = self.radius_px * STEP**notches
            self._show_size()

    def _show_size(self) -> None:
        tool = TOOLS[self.tool]
        self.layer.show_brush(self.radius_px * tool.reach if tool.has_size else None)

    def _press(self, x: float, y: float, is_right: bool) -> None:
        if self._place.pause():
            return  # the picture that was meant has gone on
        if TOOLS[self.tool].gesture:
            self.masks.press(self.tool, x, y, self.radius_px * TOOLS[self.tool].reach, erases=is_right)
        else:
            self.clicking.press(x, y, inside=not is_right)

    def _show_masks(self) -> None:
        masks = self.masks
        seen = masks.seen_masks
        polyps = tuple(
            NamedPolyp(label, number, self._place.name_of(label))
            for number, label in enumerate(sorted(seen), 1)
        )
        self.layer.show_polyps(seen, polyps, masks.active)
        self.layer.show_guide(masks.guide)
        self.layer.show_state(f"frame {masks.rank} · {masks.state.value}" if masks.rank >= 0 else "")
        self.panel.show_frame(masks.state, polyps, masks.active, self.frames.vouched)

    def _verify(self, *, empty: bool) -> str:
        rank = self.masks.rank
        if rank < 0 or self._place.pause():
            return ""
        if not empty and not self.masks.masks:
            key = self._empty.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            return "No polyp is marked" + (f". If there is none: {key}" if key else "")
        state = self.masks.verify(empty=empty)
        own = any(label >= PERSONS for label in self.masks.masks)
        onwards = self._place.next_rank(rank, goes_on=own)
        if onwards is not None:
            self._place.go_to_rank(onwards)
        return "Verified" if state is FrameState.VERIFIED else "Verified: no polyp"

    def _show_way(self) -> None:
        self.panel.show_way(self.clicking.way, is_busy=self.clicking.is_busy)
