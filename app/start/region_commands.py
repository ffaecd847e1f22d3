"""What of the picture the network looks at: found by itself, kept, drawn by a person, or all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.player.box_drag import BoxDrag
from app.player.canvas import Canvas
from app.start.opening import Opening
from app.start.regions import Regions
from engine.types import Field, Rect, Region

if TYPE_CHECKING:
    from engine.live.pipeline import Pipeline  # cv2 and pydantic: not before the window is up

LEAST_PX = 32  # of the frame, in both directions
TOO_SMALL = "Too small for a region: it stays as it was"


class RegionCommands(QObject):
    """Handlers of app.actions_and_keys; what a person chose holds for this source, also the next time.

    `said` answers a drag in a word; `kept`: it is worth a look which; `looked_at`: what a person chose, in
    words, for as long as it holds: a region of last week may be another today.
    """

    said = Signal(str)
    kept = Signal()
    looked_at = Signal(str)

    def __init__(self, canvas: Canvas, drag: BoxDrag, opening: Opening, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._opening = opening
        self._regions = Regions()
        self._pipeline: Pipeline | None = None
        self._drag = drag
        opening.began.connect(self._begun)
        opening.closed.connect(drag.stop)

    def connect_to(self, pipeline: Pipeline | None) -> None:
        self._pipeline = pipeline
        if pipeline is not None and self._opening.spec is not None:
            self._begun()

    def draw(self) -> str:
        """The next drag over the picture marks it."""
        self._drag.ask(LEAST_PX, self._drawn, lambda at: self.said.emit(TOO_SMALL))
        return "Drag over the picture that the network should look at"

    def keep(self) -> str:
        """As it is now, whatever comes."""
        shown = self._canvas.presentation
        if shown is None or shown.frame.field is None:
            return "There is no picture yet"
        self._use(shown.frame.field)
        self.kept.emit()
        return "Region kept as it is"

    def find(self) -> str:
        self._use("field")
        return "Region found by itself"

    def whole(self) -> str:
        self._use("frame")
        return "The whole frame is looked at"

    def _drawn(self, box: Rect) -> None:
        self._use(Field(box))
        self.said.emit("Region as drawn")

    def _begun(self) -> None:
        self._drag.stop()
        if self._opening.spec is not None and self._pipeline is not None:
            self._set(self._regions.of(self._opening.spec))

    def _use(self, region: Region | Field) -> None:
        self._drag.stop()
        if self._opening.spec is not None and self._pipeline is not None:
            self._regions.keep(self._opening.spec, region)
            self._set(region)

    def _set(self, region: Region | Field | None) -> None:
        assert self._pipeline is not None
        self._pipeline.set_region(region)
        by_hand = "region by hand" if isinstance(region, Field) else ""
        self.looked_at.emit("whole frame" if region == "frame" else by_hand)
