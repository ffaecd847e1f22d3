"""The places of the window: which is in front, what keys mean there, and how one gets from one to another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from app.network.commands import AiControls
from app.places.strip import PlaceStrip
from app.player.full_screen import FullScreen
from app.player.over_picture import OverPicture
from app.player.transport_commands import TransportCommands
from app.review.place import ReviewPlace
from app.start.dropped import spec_of_drop
from app.start.open_commands import OpenCommands, dropped_on
from app.start.opening import Opening, thumbnail_of
from app.start.pick import ask_for_recording
from app.start.recent import RecentItems
from app.view_commands import ViewCommands
from engine.faults import FaultError
from engine.sources.base import SourceSpec
from engine.types import Presentation

FILES = ("file", "images")


class PlaceCommands(QObject):
    """Handlers of app.actions_and_keys. A place keeps its state when one leaves it; live video goes on."""

    faulted = Signal(object)  # Fault
    changed = Signal()

    def __init__(
        self,
        window: QMainWindow,
        pages: QStackedWidget,
        strip: PlaceStrip,
        review: ReviewPlace,
        live_transport: TransportCommands,
        opening: Opening,
        recent: RecentItems,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._pages = pages
        self._strip = strip
        self._review = review
        self._live_transport = live_transport
        self._opening = opening
        self._recent = recent
        self._live_page: QWidget | None = None
        pages.currentChanged.connect(self._page_changed)
        review.shown.connect(self._remember)

    @property
    def is_review(self) -> bool:
        """Whether the place in front is Review."""
        return self._pages.currentWidget() is self._review

    def show_live(self) -> None:
        self._review.transport.stop()
        if self.is_review and self._live_page is not None:
            self._pages.setCurrentWidget(self._live_page)
            self._live_page.setFocus()

    def show_review(self) -> None:
        """A recording stops where it is; a live picture goes on behind."""
        self._live_transport.stop()
        self._pages.setCurrentWidget(self._review)
        self._review.take_focus()

    def review(self) -> None:
        """The recording that is open in Live; without one, ask which."""
        spec = self._opening.spec
        if not self.is_review and spec is not None and spec.kind in FILES:
            self.open_for_review(spec)
        else:
            self.ask_for_review()

    def ask_for_review(self) -> None:
        ask_for_recording(self._window, self._recent.last_folder, lambda path: self.open_path(Path(path)))

    def open_path(self, path: Path) -> None:
        self._review.open([path])
        self.show_review()

    def open_for_review(self, spec: SourceSpec) -> None:
        """A recording of the start page's list, or the one in Live."""
        self.open_path(Path(spec.address))

    def drop(self, data: QMimeData, elsewhere: Callable[[QMimeData], None]) -> None:
        """What is dropped on the place Review is reviewed; `elsewhere` takes what is dropped on another."""
        if not self.is_review:
            elsewhere(data)
            return
        try:
            spec = spec_of_drop(*dropped_on(data))
        except FaultError as error:
            self.faulted.emit(error.as_fault("drop"))
            return
        if spec.kind in FILES:
            self.open_for_review(spec)
        else:
            self.show_live()
            elsewhere(data)

    def _remember(self, title: str, presentation: Presentation, duration_s: float | None) -> None:
        """What was reviewed is among the recent items, too."""
        path = self._review.paths[0]
        spec = SourceSpec("images" if path.is_dir() else "file", str(path))
        self._recent.opened(spec, title, duration_s)
        self._recent.keep_thumbnail(spec, thumbnail_of(presentation))

    def _page_changed(self) -> None:
        if not self.is_review:
            self._live_page = self._pages.currentWidget()
        self._strip.show_place("place-review" if self.is_review else "place-live")
        self.changed.emit()


class LiveFront:
    """What keys mean while the place Live is in front."""

    def __init__(self, view: ViewCommands, over: OverPicture, ai: AiControls, opens: OpenCommands) -> None:
        self.open_recording, self.close = opens.open_recording, opens.close_source
        self.go_to = over.go_to
        self.hold_raw, self.release_raw = view.hold_raw, view.release_raw
        self.leave, self.fit = view.leave, view.fit
        self.toggle_panel, self.next_area = view.toggle_panel, view.next_area
        self.threshold_down, self.threshold_up = ai.threshold_down, ai.threshold_up


class ReviewFront:
    """What they mean while the place Review is."""

    def __init__(self, places: PlaceCommands, review: ReviewPlace, full_screen: FullScreen) -> None:
        self._review, self._full_screen = review, full_screen
        self.open_recording = places.ask_for_review
        self.close = review.close_review
        self.go_to = review.go_to
        self.hold_raw, self.release_raw = review.hold_raw, review.release_raw
        self.fit = review.fit
        self.toggle_panel, self.next_area = review.toggle_panel, review.next_area
        self.threshold_down, self.threshold_up = review.threshold_down, review.threshold_up

    def leave(self) -> None:
        """Esc: first what lies over the picture, then full screen."""
        if not self._review.escape():
            self._full_screen.leave()
        self._review.take_focus()
