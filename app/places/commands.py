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
from app.start.pick import ask_for_recordings
from app.start.recent import RecentItems
from app.widgets.question_row import Answer
from engine.faults import FaultError
from engine.review.library.parts import are_parts, in_order
from engine.sources import SEPARATOR, parse_source
from engine.sources.base import SourceSpec
from engine.types import Presentation

FILES = ("file", "images", "joined")


class PlaceCommands(QObject):
    """Handlers of app.actions_and_keys."""

    faulted = Signal(object)  # Fault
    several = Signal(object)  # tuple[Path, ...]: to be analysed, each by itself

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
        ask_for_recordings(
            self._window, self._recent.last_folder, lambda paths: self.ask_whether_one(list(map(Path, paths)))
        )

    def open_path(self, path: Path) -> None:
        self.open_paths([path])

    def open_paths(self, paths: Sequence[Path]) -> None:
        """One recording, in one file or in several."""
        self._review.open(paths)
        self.show(REVIEW.name)

    def open_for_review(self, spec: SourceSpec) -> None:
        """A recording of the start page's list, or the one in Live."""
        self.open_paths([Path(path) for path in spec.address.split(SEPARATOR)])

    def ask_whether_one(self, paths: Sequence[Path]) -> None:
        """Several files are one recording, or each by itself: their names say which is likely."""
        if len(paths) == 1:
            self.open_path(paths[0])
            return
        ordered = in_order(paths)
        self.show(REVIEW.name)
        self._review.question.ask(
            f"{ordered[0].name} to {ordered[-1].name}: are these {len(ordered)} files one recording?",
            (
                Answer("One recording", lambda: self.open_paths(ordered)),
                Answer("Each by itself, in the library", lambda: self.several.emit(ordered)),
                Answer("Open none", self._review.take_focus),
            ),
            likely=0 if are_parts(ordered) else 1,
        )

    def drop(self, data: QMimeData) -> None:
        """What is dropped on the place Review is reviewed, what cannot be is opened in Live."""
        paths, text = dropped_on(data)
        try:
            first = spec_of_drop(paths[:1], text)
            others = [spec_of_drop([path]) for path in paths[1:]]
        except FaultError as error:
            self.faulted.emit(error.as_fault("drop"))
            return
        if others:
            self.ask_whether_one([Path(path) for path in paths])
        elif first.kind in FILES:
            self.open_for_review(first)
        else:
            self.show(LIVE.name)
            self._opens.open_drop(data)

    def _remember(self, title: str, presentation: Presentation, duration_s: float | None) -> None:
        """What was reviewed is among the recent items, too."""
        spec = parse_source(SEPARATOR.join(str(path) for path in self._review.paths))
        self._recent.opened(spec, title, duration_s)
        self._recent.keep_thumbnail(spec, thumbnail_of(presentation))
