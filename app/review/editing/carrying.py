"""Masks carried on through their finding: begun by a key, told in the panel, taken back at once."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QObject, Signal

from app.review.editing.following import Followed, Following
from app.review.editing.frames import Frames
from app.review.editing.masks import SeenMasks
from app.review.editing.panel import MaskPanel
from engine.sources.base import SourceSpec


class Place(Protocol):
    """What the page knows."""

    def spec(self) -> SourceSpec: ...

    def range_from(self, rank: int, *, back: bool) -> int:
        """How far masks are carried from a frame: the end (or beginning) of its finding."""


class Carrying(QObject):
    """One at a time. Its frames are kept together at its end, and not at all when it is cancelled."""

    failed = Signal(object)  # Fault

    def __init__(
        self, frames: Frames, masks: SeenMasks, place: Place, panel: MaskPanel, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._frames = frames
        self._masks = masks
        self._place = place
        self._panel = panel
        self._last_stroke = 0
        self._sure: list[float] = []
        self._following = Following(frames, place.spec, self)
        self._following.failed.connect(self.failed)
        self._following.progressed.connect(self._show_progress)
        self._following.ended.connect(self._show_ended)
        panel.cancelled.connect(self.cancel)
        panel.all_undone.connect(self._undo_all)

    @property
    def is_running(self) -> bool:
        return self._following.is_running

    def begin(self, *, back: bool) -> str:
        """From the frame that is seen to the end (or beginning) of its finding; a word answers the key."""
        rank = self._masks.rank
        masks = {label: mask for label, mask in self._masks.masks.items() if mask.any()}
        if self.is_running:
            return "It is being carried on already"
        if not masks:
            return "There is nothing to carry on"
        to = self._place.range_from(rank, back=back)
        if to == rank:
            return "The finding ends here"
        self._sure = []
        self._panel.strip.show_values(())
        self._panel.show_following("Carried on…", is_running=True)
        self._following.start(rank, to, masks)
        return "Back" if back else "Carried on"

    def cancel(self) -> None:
        """Nothing of it is kept."""
        self._following.cancel()

    def close(self) -> None:
        """Its thread has ended when this returns."""
        self._following.close()

    # Inside

    def _show_progress(self, rank: int, confidence: float) -> None:
        self._sure.append(confidence)
        self._panel.strip.show_values(tuple(self._sure))
        words = f"Carried to frame {rank}, {confidence:.0%} sure (lowest {min(self._sure):.0%})"
        self._panel.show_following(words, is_running=True)

    def _show_ended(self, followed: Followed | None) -> None:
        if followed is None:
            self._panel.show_following("Cancelled. Nothing of it was kept.")
            return
        self._last_stroke = followed.stroke
        why = f": {followed.why}" if followed.why else ""
        if not followed.frames:
            self._panel.show_following(f"No frame was changed{why}.")
            return
        many = f"{followed.frames} frame{'s' if followed.frames > 1 else ''}"
        words = f"Carried over {many} to frame {followed.last_rank}{why}."
        self._panel.show_following(words, can_undo=True)

    def _undo_all(self) -> None:
        self._frames.undo_many(self._last_stroke)
        self._panel.show_following("Taken back in all of these frames.")
