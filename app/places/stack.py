"""The pages of all places, one of them in front. A place keeps its state when one leaves it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.places.fronts import Front
from app.places.strip import PlaceStrip
from app.places.table import PlaceRow
from app.widgets.notice_row import NoticeRow


class PlaceStack(QStackedWidget):
    """`moved`: another place is in front."""

    moved = Signal()

    def __init__(self, strip: PlaceStrip, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strip = strip
        self._fronts: dict[str, Front] = {}
        self._shown: dict[str, QWidget] = {}  # of each place the page that was in front last
        self._of: dict[QWidget, str] = {}
        self._notices: dict[QWidget, NoticeRow] = {}
        self._name = ""
        self._before = ""
        self.currentChanged.connect(self._page_changed)

    def add(self, row: PlaceRow, front: Front, pages: Sequence[tuple[QWidget, NoticeRow]]) -> None:
        """A place with its pages, each with the row of its messages; the first one is shown first."""
        self._fronts[row.name] = front
        self._shown[row.name] = pages[0][0]
        for page, notice in pages:
            self._of[page] = row.name
            self._notices[page] = notice
            self.addWidget(page)

    @property
    def name(self) -> str:
        """Of the place in front."""
        return self._name

    @property
    def front(self) -> Front:
        """What keys mean now."""
        return self._fronts[self._name]

    @property
    def notices(self) -> tuple[NoticeRow, ...]:
        return tuple(self._notices.values())

    @property
    def notice(self) -> NoticeRow:
        """The row of messages of the page in front."""
        return next(row for page, row in self._notices.items() if page is self.currentWidget())

    def show_place(self, name: str) -> None:
        """As it was left."""
        self.setCurrentWidget(self._shown[name])
        self.front.take_focus()

    def show_before(self) -> None:
        """The place that was in front before this one."""
        self.show_place(self._before)

    def _page_changed(self) -> None:
        page = self.currentWidget()
        if page is None:
            return  # the window is taken down
        left, self._name = self._name, self._of[page]
        self._shown[self._name] = page
        if left != self._name:
            self._before = left or self._name
            self._strip.show_place(self._name)
            if left:
                self._fronts[left].rest()
            self.moved.emit()
