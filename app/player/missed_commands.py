"""What a person says that the network missed: this moment at once, and then where in the picture."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, Signal

from app.player.box_drag import BoxDrag
from app.player.canvas import Canvas
from app.widgets import words
from engine.drawing.overlays import OverlayStyle, person_marks
from engine.tracking.person import LEAST_PX, PersonFinding, missed_at
from engine.types import Presentation, Rect, Snapshot, SourceState

if TYPE_CHECKING:
    from engine.live.pipeline import Pipeline  # cv2 and pydantic: not before the window is up

PLACE_MS = 6000  # so long the next click or drag is the place; then the mouse is for findings again
CLICK_FRAC = 0.15  # of the field's shorter side: the box around a click
SHOWN_S = 1.0  # while it plays, a mark is seen for so long from its moment on
_STANDS = (SourceState.PAUSED, SourceState.ENDED)


class MissedCommands(QObject):
    """Handlers of app.actions_and_keys. Hands are full: the key alone keeps the moment, with all of the view.

    A click or a drag within `PLACE_MS` gives the place, in the picture that it was made on; `said` answers.
    """

    said = Signal(str)
    changed = Signal(object)  # media times of all that is marked

    def __init__(self, canvas: Canvas, drag: BoxDrag, origin_s: Callable[[], float], parent: QObject) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._origin_s = origin_s  # media time of the first frame
        self._pipeline: Pipeline | None = None
        self._snapshot: Snapshot | None = None
        self._waits_for: int | None = None  # the number of what has no place yet
        self._marked: tuple[PersonFinding, ...] = ()  # as it was told last
        self._shown: tuple[PersonFinding, ...] = ()
        self._drag = drag

    def connect_to(self, pipeline: Pipeline | None) -> None:
        self._pipeline = pipeline

    @property
    def marked(self) -> tuple[PersonFinding, ...]:
        """All of the source that is open, the newest last."""
        return self._pipeline.missed if self._pipeline is not None else ()

    def take(self, snapshot: Snapshot) -> None:
        """Draw what was marked in the picture that is shown."""
        self._snapshot = snapshot
        if self.marked != self._marked:
            self._marked = self.marked
            self.changed.emit([finding.pts_s for finding in self._marked])
        shown = _seen(self._marked, snapshot)
        if shown != self._shown:
            self._shown = shown
            boxes = [finding.box for finding in shown]
            self._canvas.show_beside("missed", person_marks(boxes, OverlayStyle()))

    def mark(self) -> str:
        """This moment; the next click or drag says where."""
        shown = self._canvas.presentation
        if self._pipeline is None or shown is None:
            return "There is no picture to mark"
        self._waits_for = self._add(_view(shown), shown)
        self._drag.ask(LEAST_PX, self._place, self._place_around, PLACE_MS)
        return f"Marked at {self._clock(shown)}. Where: click or drag"

    def take_back(self) -> str:
        """The mark that was made last is gone."""
        if self._pipeline is None or not self.marked:
            return "You have marked nothing here"
        self._drag.stop()
        self._pipeline.take_back_missed(self.marked[-1].number)
        return "Your mark is gone"

    def _place(self, box: Rect) -> None:
        shown = self._drag.pressed_on
        if self._pipeline is None or shown is None or self._waits_for is None:
            return
        self._pipeline.take_back_missed(self._waits_for)
        self._add(box, shown)
        self.said.emit("Marked there")

    def _place_around(self, at: QPointF | None) -> None:
        shown = self._drag.pressed_on
        if at is None or shown is None:
            self.said.emit("Beside the picture: the moment is marked, no place")
            return
        view = _view(shown)
        side = round(CLICK_FRAC * min(view.w, view.h))
        self._place(Rect(round(at.x()) - side // 2, round(at.y()) - side // 2, side, side))

    def _add(self, box: Rect, shown: Presentation) -> int | None:
        assert self._pipeline is not None
        self._pipeline.mark_missed(box, shown.frame.pts_s)
        return self.marked[-1].number if self.marked else None

    def _clock(self, shown: Presentation) -> str:
        """The hour of a live picture, the place in a recording."""
        info = self._snapshot.info if self._snapshot is not None else None
        if info is not None and info.live:
            return time.strftime("%H:%M:%S")
        return words.short_clock(shown.frame.pts_s - self._origin_s())


def _view(shown: Presentation) -> Rect:
    """The endoscope's picture, as far as it is known."""
    frame = shown.frame
    return frame.field.box if frame.field is not None else Rect(0, 0, frame.width_px, frame.height_px)


def _seen(missed: tuple[PersonFinding, ...], snapshot: Snapshot) -> tuple[PersonFinding, ...]:
    """Those of the picture that stands; while it plays, of the last moments: nobody sees a single frame."""
    shown = snapshot.presentation
    if shown is None or not missed:
        return ()
    rate_hz = snapshot.info.rate_hz if snapshot.info is not None else None
    own = missed_at(missed, shown.frame.pts_s, 0.5 / (rate_hz or 25.0))
    if snapshot.source_state in _STANDS:
        return own
    recent = tuple(one for one in missed if 0.0 <= shown.frame.pts_s - one.pts_s <= SHOWN_S)
    return recent or own
