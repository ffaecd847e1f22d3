"""What there is to tell: faults of the pipeline and of the window, in the row of each page and as a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction

from app.widgets.controls import follow_tip
from app.widgets.notice_row import NoticeRow, newest
from app.widgets.notices import Notices
from engine.faults import Fault
from engine.types import Snapshot

if TYPE_CHECKING:
    from engine.live.pipeline import Pipeline  # cv2 and pydantic: not before the window is up


class NoticeBoard(QObject):
    """Handlers of actions among them. `told` carries all faults; `row` is that of the page in front."""

    told = Signal(object)  # tuple[Fault, ...]

    def __init__(
        self,
        rows: tuple[NoticeRow, ...],
        row: Callable[[], NoticeRow],
        actions: Mapping[str, QAction],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._rows = rows
        self._row = row
        self._actions = actions
        self._own = Notices()
        self._of_pipeline: tuple[Fault, ...] = ()
        self._pipeline: Pipeline | None = None
        for one in rows:
            one.answered.connect(self._answer)
            one.dismissed.connect(self.dismiss)
            follow_tip(one.closing, actions["close-notice"])
        self._show()

    @property
    def has_notice(self) -> bool:
        """Whether there is a message on the page in front."""
        return self._row().notice is not None

    def connect_to(self, pipeline: Pipeline | None) -> None:
        self._pipeline = pipeline

    def take(self, snapshot: Snapshot) -> None:
        """The faults of the pipeline, as they are now."""
        self._of_pipeline = snapshot.faults
        self._show()

    def tell(self, fault: Fault) -> None:
        """Show a fault that the window noticed itself."""
        self._own.add(fault)
        self._show()

    def clear(self, place: str) -> None:
        """What was noticed there does well again."""
        self._own.clear(place)
        self._show()

    def dismiss(self, fault: Fault) -> None:
        """A person has read it."""
        if not self._own.remove(fault) and self._pipeline is not None:
            self._pipeline.dismiss(fault)
        self._show()

    # Handlers of app.actions_and_keys

    def close_notice(self) -> None:
        self._row().dismiss()

    def answer_notice(self) -> None:
        self._row().answer()

    # Inside

    def _answer(self, action_id: str, fault: Fault) -> None:
        if self._own.remove(fault):
            self._show()
        self._actions[action_id].trigger()

    def _show(self) -> None:
        faults = self._own.with_those_of(self._of_pipeline)
        notice = newest(faults)
        for row in self._rows:
            row.show_notice(notice)
        self.told.emit(faults)
