"""How one gets from one place to another, and how a recording gets into Review."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtWidgets import QWidget

from app.places.stack import PlaceStack
from app.places.table import LIVE, REVIEW
from app.review.place import ReviewPlace
from app.start.dropped import spec_of_drop
from app.start.open_commands import OpenCommands, dropped_on
from app.start.opening import Opening, thumbnail_of
from app.start.pick import ask_for_recording
from app.start.recent import RecentItems
from engine.faults import FaultError
from engine.sources.base import SourceSpec
from engine.types import Presentation

FILES = ("file", "images")


class PlaceCommands(QObject):
    """Handlers of app.actions_and_keys."""

    faulted = Signal(object)  # Fault

    def __init__(
        self,
        window: QWidget,
        pages: PlaceStack,
        review: ReviewPlace,
        opens: OpenCommands,
        opening: Opening,
        recent: RecentItems,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._pages = pages
        self._review = review
        self._opens = opens
        self._opening = opening
        self._recent = recent
        self.show = pages.show_place
        review.shown.connect(self._remember)

    def review(self) -> None:
        """The recording that is open in Live; without one, ask which."""
        spec = self._opening.spec
        if self._pages.name == LIVE.name and spec is not None and spec.kind in FILES:
            self.open_for_review(spec)
        else:
            self.ask_for_review()

    def ask_for_review(self) -> None:
        ask_for_recording(self._window, self._recent.last_folder, lambda path: self.open_path(Path(path)))

    def open_path(self, path: Path) -> None:
        self.open_paths([path])

    def open_paths(self, paths: Sequence[Path]) -> None:
        """One recording, in one file or in several."""
        self._review.open(paths)
        self.show(REVIEW.name)

    def open_for_review(self, spec: SourceSpec) -> None:
        """A recording of the start page's list, or the one in Live."""
        self.open_path(Path(spec.address))

    def drop(self, data: QMimeData) -> None:
        """What is dropped on the place Review is reviewed, what cannot be is opened in Live."""
        try:
            spec = spec_of_drop(*dropped_on(data))
        except FaultError as error:
            self.faulted.emit(error.as_fault("drop"))
            return
        if spec.kind in FILES:
            self.open_for_review(spec)
        else:
            self.show(LIVE.name)
            self._opens.open_drop(data)

    def _remember(self, title: str, presentation: Presentation, duration_s: float | None) -> None:
        """What was reviewed is among the recent items, too."""
        path = self._review.paths[0]
        spec = SourceSpec("images" if path.is_dir() else "file", str(path))
        self._recent.opened(spec, title, duration_s)
        self._recent.keep_thumbnail(spec, thumbnail_of(presentation))
