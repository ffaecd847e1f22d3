"""The place Review in the window: empty until a recording is opened in it, made when that happens first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.player.canvas import Overlay
from app.player.playback import is_recording
from app.player.transport_commands import TransportCommands
from app.widgets import focus, theme
from app.widgets.action import Action
from app.widgets.controls import follow_tip, label
from app.widgets.late_import import LateImport
from app.widgets.notice_row import NoticeRow
from app.widgets.question_row import Answer, QuestionRow
from engine.faults import FaultError
from engine.settings import Review
from engine.sources.base import SourceOptions
from engine.types import Snapshot

if TYPE_CHECKING:
    from app.review.reviewing import Reviewing  # cv2, pyqtgraph: not before somebody reviews
    from engine.review.places import Places

NUDGE_STEPS = 2  # hundredths
EMPTY = "Open a recording to review it"
EMPTY_HINT = "Drop a video here, or open one. Its findings are looked for while you watch."


class ReviewPlace(QWidget):
    """Handlers of app.actions_and_keys among its methods. `model`: the folder of the model that is chosen;
    `settings`: what is chosen of its section now.
    """

    faulted = Signal(object)  # Fault
    began = Signal()  # what was told of the one before is no longer true
    shown = Signal(str, object, object)  # its title, its first Presentation, its duration_s
    kept = Signal()  # an act is on the disk: what was said of that is no longer true
    came = Signal()  # what can be done has changed
    chosen = Signal(object)  # settings to be kept, by their dotted keys

    def __init__(
        self,
        actions: Mapping[str, Action],
        model: Callable[[], Path],
        preset: str,
        settings: Callable[[], Review],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._model = model
        self._preset = preset
        self._settings = settings
        self._options = SourceOptions()
        self._overlay: Overlay = lambda result: ()
        self.notice = NoticeRow()
        self.transport = TransportCommands(lambda: self._origin_s())
        self.reviewing: Reviewing | None = None
        self.paths: tuple[Path, ...] = ()
        self._snapshot: Snapshot | None = None
        self._was_shown = False
        self._import: LateImport | None = None
        self._module: ModuleType | None = None
        self._stack = QStackedWidget(self)
        self._empty = _Empty(actions["review-open"], self.notice)
        self._stack.addWidget(self._empty)
        self.question = QuestionRow()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.question)
        column.addWidget(self._stack)

    @property
    def title(self) -> str:
        """The name of what is open."""
        return self.paths[0].name if self.paths else ""

    @property
    def has_recording(self) -> bool:
        return self._snapshot is not None and is_recording(self._snapshot)

    @property
    def is_correcting(self) -> bool:
        """Whether masks are corrected just now."""
        return self.reviewing is not None and self.reviewing.editing.is_on

    def set_overlay(self, overlay: Overlay) -> None:
        """How findings are drawn, here as in Live."""
        self._overlay = overlay
        if self.reviewing is not None:
            self.reviewing.page.canvas.set_overlay(overlay)
            self.reviewing.page.show_overlay(marks=True)

    def use(self, options: SourceOptions) -> None:
        """How recordings are decoded."""
        self._options = options

    def open(self, paths: Sequence[Path]) -> None:
        """Close what is open here and open this; the live page is left alone."""
        self.close_review()
        self.question.withdraw()
        self.began.emit()
        self.paths = tuple(path.absolute() for path in paths)
        self._empty.say(f"Opening {self.title}…", "")
        if self._module is not None:
            self._begin(self._module)
        elif self._import is None:
            self._import = LateImport("app.review.reviewing", self)
            self._import.done.connect(self._begin)
            self._import.failed.connect(self.faulted)
            self._import.start()
        self.came.emit()

    def open_again(self) -> None:
        """As it is now: it may have come back, or be another one."""
        if self.paths:
            self.open(self.paths)

    def close_review(self) -> None:
        """What was done is on the disk when this returns."""
        reviewing, self.reviewing = self.reviewing, None
        if reviewing is not None:
            reviewing.close()
            self._empty.take_notice(self.notice)
            self._stack.removeWidget(reviewing.page)
            reviewing.page.deleteLater()
            reviewing.deleteLater()
        self.paths, self._snapshot, self._was_shown = (), None, False
        self._empty.say(EMPTY, EMPTY_HINT)
        self.came.emit()

    def close_place(self) -> None:
        """The window closes."""
        if self._import is not None:
            self._import.forget()
        self.close_review()

    def say(self, text: str) -> None:
        """Answer a key in a word."""
        if self.reviewing is not None and self.isVisible():
            self.reviewing.page.answer.say(text)

    # Handlers of app.actions_and_keys, with a recording open

    @property
    def desk(self) -> Reviewing:
        assert self.reviewing is not None
        return self.reviewing

    def go_to(self) -> None:
        self.desk.page.go_to.ask()

    def toggle_panel(self) -> None:
        if self.reviewing is not None:
            side = self.desk.page.side
            side.setVisible(side.isHidden())

    def next_area(self) -> None:
        if self.reviewing is None:
            self._empty.button.setFocus(Qt.FocusReason.TabFocusReason)
            return
        areas = self.desk.page.focus_areas()
        focus.next_of(areas, self.window().focusWidget()).setFocus(Qt.FocusReason.TabFocusReason)

    def fit(self) -> str:
        self.desk.page.canvas.fit()
        return "Whole picture"

    def hold_raw(self) -> None:
        self.desk.page.hold_raw(True)
        self.desk.editing.hold_raw(True)

    def release_raw(self) -> None:
        if self.reviewing is not None:
            self.desk.page.hold_raw(False)
            self.desk.editing.hold_raw(False)

    def threshold_down(self) -> str:
        return "" if self.reviewing is None else self.desk.nudge_threshold(-NUDGE_STEPS)

    def threshold_up(self) -> str:
        return "" if self.reviewing is None else self.desk.nudge_threshold(NUDGE_STEPS)

    def start_anew(self) -> str:
        """Asked before where what is known is as it should be: no undo brings it back into the window."""
        known = None if self.reviewing is None else self.desk.known
        if known is None:
            self._start_anew()
            return ""
        if known.why_read_only:
            return known.why_read_only
        answers = (Answer("Start anew", self._start_anew), Answer("Go on with it", self.take_focus))
        self.question.ask(
            f"Start the review of {self.title} anew? Its findings, notes and corrected masks are set aside, "
            "in a folder beside the new one.",
            answers,
            likely=1,
        )
        return ""

    def _start_anew(self) -> None:
        """What is known is set aside, and nothing of it lost; the recording is opened again."""
        from engine.review.library.index import Library
        from engine.review.library.kept import start_anew
        from engine.review.store import find_side_car

        paths = self.paths
        self.close_review()
        try:
            folder = find_side_car(paths, self._places(), Library().side_car_of)
            if folder is not None:
                start_anew(folder)
        except FaultError as fault:
            self.faulted.emit(fault.as_fault("review"))
        self.open(paths)

    def escape(self) -> bool:
        """Close what lies over the picture, or is asked; False when nothing did."""
        if self.question.escape():
            return True
        if self.reviewing is None:
            return False
        desk = self.desk
        return desk.page.withdraw() or desk.editing.escape() or desk.comparing.escape()

    def take_focus(self) -> None:
        (self._empty.button if self.reviewing is None else self.desk.page.canvas).setFocus()

    # Inside

    def _origin_s(self) -> float:
        return 0.0 if self.reviewing is None else self.reviewing.page.transport.origin_s

    def _begin(self, module: ModuleType) -> None:
        self._module = module
        if not self.paths:
            return  # closed again meanwhile
        try:
            opened = module.OpenedReview(
                self.paths, self._places(), self._model, self._preset, self._options, self
            )
            self._show(
                module.Reviewing(
                    opened,
                    self._actions,
                    self.notice,
                    self.transport,
                    self._settings,
                    self,
                )
            )
        except FaultError as error:  # no recording can be meant by that
            self.faulted.emit(error.as_fault("review"))
            self.close_review()

    def _places(self) -> Places:
        from engine.review.places import places_of  # cv2: not before somebody reviews

        now = self._settings()
        return places_of(now.side_cars, now.library)

    def _show(self, made: Reviewing) -> None:
        made.changed.connect(self._take)
        made.failed.connect(self.faulted)
        made.kept.connect(self.kept)
        made.editing.switched.connect(self.came)
        made.exporting.chosen.connect(self.chosen)
        self.reviewing = made
        made.page.canvas.set_overlay(self._overlay)
        self._stack.addWidget(made.page)
        self._stack.setCurrentWidget(made.page)
        made.page.canvas.setFocus()
        self.came.emit()

    def _take(self, snapshot: Snapshot) -> None:
        had, self._snapshot = self.has_recording, snapshot
        if had is not self.has_recording:
            self.came.emit()
        info, presentation = snapshot.info, snapshot.presentation
        if not self._was_shown and info is not None and presentation is not None:
            self._was_shown = True
            self.shown.emit(info.title, presentation, info.duration_s)


class _Empty(QWidget):
    """Says what the place is for, and has one target."""

    def __init__(self, action: Action, notice: NoticeRow) -> None:
        super().__init__()
        self.setProperty("surface", "background")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._title = label(EMPTY, role=theme.TITLE)
        self._hint = label(EMPTY_HINT, tone="secondary")
        self.button = QPushButton("Open recording…")
        self.button.setProperty("primary", True)
        follow_tip(self.button, action)
        self.button.clicked.connect(action.trigger)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.M)
        self._column.addWidget(notice)
        self._column.addStretch(1)
        for widget in (self._title, self._hint, self.button):
            self._column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        self._column.addStretch(1)

    def say(self, title: str, hint: str) -> None:
        self._title.setText(title)
        self._hint.setText(hint)
        self.button.setVisible(bool(hint))

    def take_notice(self, notice: NoticeRow) -> None:
        self._column.insertWidget(0, notice)
