"""What keys, drops and the focus mean in the place in front."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Protocol

from PySide6.QtCore import QMimeData

from app.library.place import LibraryPlace
from app.player.full_screen import FullScreen
from app.review.place import ReviewPlace
from app.start.open_commands import OpenCommands
from app.widgets.action import Needs


class Front(Protocol):
    """What every place can do. An answer is said over its picture."""

    def available(self) -> Set[Needs]:
        """What is there for actions just now."""

    def take_focus(self) -> None: ...
    def rest(self) -> None:
        """Another place comes to the front: a recording stops where it is, a live picture goes on."""

    def drop(self, data: QMimeData) -> None: ...
    def open_recording(self) -> None: ...
    def open_again(self) -> None: ...
    def close(self) -> None: ...
    def go_to(self) -> None: ...
    def hold_raw(self) -> None: ...
    def release_raw(self) -> None: ...
    def leave(self) -> None: ...
    def toggle_panel(self) -> None: ...
    def next_area(self) -> None: ...
    def fit(self) -> str: ...
    def threshold_down(self) -> str: ...
    def threshold_up(self) -> str: ...


class ReviewFront:
    """The place Review. `asks` for a recording; `drop` takes what is dropped there."""

    def __init__(
        self,
        review: ReviewPlace,
        full_screen: FullScreen,
        asks: Callable[[], None],
        drop: Callable[[QMimeData], None],
    ) -> None:
        self._review, self._full_screen = review, full_screen
        self.open_recording, self.drop = asks, drop
        self.open_again, self.close = review.open_again, review.close_review
        self.go_to = review.go_to
        self.hold_raw, self.release_raw = review.hold_raw, review.release_raw
        self.fit, self.take_focus = review.fit, review.take_focus
        self.toggle_panel, self.next_area = review.toggle_panel, review.next_area
        self.threshold_down, self.threshold_up = review.threshold_down, review.threshold_up

    def available(self) -> Set[Needs]:
        if not self._review.has_recording:
            return set()
        editing = Needs.CORRECTION if self._review.is_correcting else Needs.JUDGING
        return {Needs.PICTURE, Needs.RECORDING, Needs.REVIEW, editing}

    def leave(self) -> None:
        """Esc: first what lies over the picture, then full screen."""
        if not self._review.escape():
            self._full_screen.leave()
        self._review.take_focus()

    def rest(self) -> None:
        self._review.transport.stop()


class Page(Protocol):
    """What a place without a picture is made of."""

    def take_focus(self) -> None: ...
    def next_area(self) -> None: ...
    def escape(self) -> bool:
        """Close what is asked there; False when nothing was."""


class PageFront:
    """A place without a picture: what is opened or dropped there is seen in Live.

    Esc ends what is asked, then goes back.
    """

    def __init__(self, page: Page, opens: OpenCommands, back: Callable[[], None]) -> None:
        self.open_recording = opens.open_recording
        self.drop: Callable[[QMimeData], None] = opens.open_drop
        self.take_focus, self.next_area = page.take_focus, page.next_area
        self.close = back
        self.leave = lambda: None if page.escape() else back()

    def available(self) -> Set[Needs]:
        return set()

    def rest(self) -> None:
        """Nothing moves here."""

    def fit(self) -> str:
        return ""

    open_again = go_to = hold_raw = release_raw = toggle_panel = rest
    threshold_down = threshold_up = fit


class LibraryFront(PageFront):
    """The place Library: what is dropped there is analysed."""

    def __init__(
        self,
        library: LibraryPlace,
        opens: OpenCommands,
        back: Callable[[], None],
        drop: Callable[[QMimeData], None],
    ) -> None:
        super().__init__(library, opens, back)
        self.drop = drop
