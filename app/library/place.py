"""The place Library in the window: made when it is first in front, or when something waits to be analysed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.widgets.action import Action
from app.widgets.late_import import LateImport
from app.widgets.notice_row import NoticeRow
from engine.review.library.queue import Queue
from engine.settings import Settings

if TYPE_CHECKING:
    from app.library.browsing import Browsing  # numpy and cv2: not before somebody looks
    from app.library.listing import Row
    from engine.review.places import Places


class LibraryPlace(QWidget):
    """`model`: what a recording is analysed with; `settings`: those in force now; `folders`: where recordings
    were opened.
    """

    faulted = Signal(object)  # Fault
    opened = Signal(object)  # tuple[Path, ...]: to be reviewed
    file_asked = Signal(object)  # Row: where is it now?

    def __init__(
        self,
        actions: Mapping[str, Action],
        model: Callable[[], Path],
        settings: Callable[[], Settings],
        folders: Callable[[], Sequence[Path]],
    ) -> None:
        super().__init__()
        self.setProperty("surface", "background")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._actions = actions
        self._model, self._settings, self._folders = model, settings, folders
        self.notice = NoticeRow(hides=True)
        self.browsing: Browsing | None = None
        self._import: LateImport | None = None
        self._waiting: list[Callable[[Browsing], None]] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self.notice)
        self._column.addStretch(1)

    def connect_to(self, pipeline: object | None) -> None:
        """The window is up: what waited when it was closed goes on. None: it closes."""
        if pipeline is None:
            self.close_place()
        elif Queue().exists:
            self._make()

    def add(self, paths: Sequence[Path]) -> None:
        """Analyse these, or what lies in these folders."""
        self._when_made(lambda browsing: browsing.add(paths))

    def say_where(self, row: Row, path: Path) -> None:
        """The recording of a row is this file now."""
        self._when_made(lambda browsing: browsing.say_where(row, path))

    def set_names(self, names: bool) -> None:
        """Neither names nor pictures where others look on."""
        if self.browsing is not None:
            self.browsing.page.set_names(names)

    def take_focus(self) -> None:
        if self.browsing is not None:
            self.browsing.page.first_focus().setFocus()

    def next_area(self) -> None:
        if self.browsing is not None:
            self.browsing.page.next_area()

    def escape(self) -> bool:
        """A question is answered with its way out; False when none is asked."""
        return self.browsing is not None and self.browsing.page.question.escape()

    def close_place(self) -> None:
        """What is analysed stops, and goes on at the next start."""
        if self._import is not None:
            self._import.forget()
        browsing, self.browsing = self.browsing, None
        if browsing is not None:
            browsing.close()

    # Qt

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._make()
        self._when_made(lambda browsing: browsing.come())

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self.browsing is not None:
            self.browsing.rest()

    # Inside

    def _make(self) -> None:
        if self.browsing is None and self._import is None:
            self._import = LateImport("app.library.browsing", self)
            self._import.done.connect(self._begin)
            self._import.failed.connect(self.faulted)
            self._import.start()

    def _when_made(self, do: Callable[[Browsing], None]) -> None:
        self._make()
        if self.browsing is None:
            self._waiting.append(do)
        else:
            do(self.browsing)

    def _begin(self, module: ModuleType) -> None:
        self._import = None
        while self._column.count():
            self._column.takeAt(0)
        self.browsing = made = module.Browsing(
            self._actions, self.notice, self._places, self._model, self._preset, self._folders, self
        )
        made.opened.connect(self.opened)
        made.file_asked.connect(self.file_asked)
        made.failed.connect(self.faulted)
        made.page.set_names(self._settings().screen.names)
        self._column.addWidget(made.page)
        waiting, self._waiting = self._waiting, []
        for do in waiting:
            do(made)
        if self.isVisible():
            self.take_focus()

    def _preset(self) -> str:
        return self._settings().ai.preset

    def _places(self) -> Places:
        from engine.review.places import places_of  # cv2: not before somebody looks

        chosen = self._settings().review
        return places_of(chosen.side_cars, chosen.library)
