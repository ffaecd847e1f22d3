"""Two analyses of the recording under review: the second one chosen, both seen, figures handed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAction

from app.review.along.lanes import LANES
from app.review.compare.lane import BOTH_LANES, alone_of, bars_of
from app.review.compare.layer import Shown
from app.review.compare.offers import Offer
from app.review.compare.panel import ComparePanel
from app.review.compare.said import SAME, answered
from app.review.compare.saving import Saving
from app.review.compare.second import First, SecondAnalysis
from app.review.compare.views import ComparedViews, View
from app.review.compare.work import CompareWork, Question
from app.review.findings.point import PointInForce
from app.review.job import Begun
from app.review.known import Found, Known
from app.review.marks import Marks
from app.review.opened import OpenedReview
from app.review.page import ReviewPage
from app.widgets.pick import ask_for_folder, ask_where_to_save
from engine.review.compare.disagreements import Disagreement, next_disagreement, previous_disagreement
from engine.review.compare.figures import Comparison, Pair
from engine.types import OperatingPoint, Presentation, Size, Snapshot

CHOOSE = "Choose a second model first"
NONE = "They agree everywhere"
KEEP_MS = 1000  # the sliders of the second one stand still


class Comparing(QObject):
    """Ends with `close`. Handlers of app.actions_and_keys among its methods."""

    failed = Signal(object)  # Fault
    first_chosen = Signal(object)  # OperatingPoint: of the first one
    switched = Signal(bool)  # the panel is the comparison's

    def __init__(
        self,
        page: ReviewPage,
        opened: OpenedReview,
        points: Callable[[], PointInForce | None],
        known: Callable[[], Known | None],
        actions: Mapping[str, QAction],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._page = page
        self._opened = opened
        self._points = points
        self._known = known
        self._begun: Begun | None = None
        self._snapshot: Snapshot | None = None
        self._pair: Pair | None = None
        self._found: Comparison | None = None
        self._work: CompareWork | None = None
        self._saving = Saving(self)
        self.panel = ComparePanel(actions)
        page.side.addWidget(self.panel)
        self.views = ComparedViews(page.canvas, page.pictures, page.replace_marks, self)
        self.second = SecondAnalysis(opened.side_car, opened.job, self._first, self)
        self.marks = Marks(opened.side_car, self._size, self)
        self._keep = QTimer(self)
        self._keep.setSingleShot(True)
        self._keep.setInterval(KEEP_MS)
        self._keep.timeout.connect(self.second.keep)
        self._connect()

    @property
    def is_on(self) -> bool:
        """Whether the panel is the comparison's."""
        return self._page.side.currentWidget() is self.panel

    @property
    def is_busy(self) -> bool:
        return self._work is not None and self._work.is_busy

    def begin(self, begun: Begun) -> None:
        """The first analysis is there; what it was compared with last time is, too."""
        self._begun = begun
        self._work = CompareWork(begun.folder, self)
        self._work.paired.connect(self._show_pair)
        self._work.compared.connect(self._show_found)
        self._work.failed.connect(self.failed)
        self.second.recall()

    def grown(self) -> None:
        """More is known of the first one, or it is looked at at another point."""
        second = self.second.second
        if second is not None and second.is_first:
            self.second.look()
        self._ask()
        self._name()
        if self.is_on:
            self._show_second()

    def show(self, snapshot: Snapshot) -> None:
        """The frame that is seen."""
        self._snapshot = snapshot
        shown = snapshot.presentation
        if self.views.is_on:
            aspect = snapshot.info.pixel_aspect if snapshot.info else 1.0
            self.views.show(shown, self._shown_of(shown), aspect)

    def leave(self) -> None:
        """The panel is the findings' again; lane and figures stay."""
        self._see(View.FIRST)
        self._page.side.setCurrentWidget(self._page.panel)
        self.switched.emit(False)

    def escape(self) -> bool:
        """Leave it; False when it was not on."""
        if self.is_on:
            self.leave()
            return True
        return False

    def close(self) -> None:
        """Before the side-car's thread ends; `end` is called behind that."""
        if self._keep.isActive():
            self._keep.stop()
            self.second.keep()
        if self._work is not None:
            self._work.close()
        self._saving.close()

    def end(self) -> None:
        self.second.close()

    # Handlers of app.actions_and_keys

    def toggle(self) -> str:
        if self.is_on:
            self.leave()
            return "Findings"
        if self._begun is None:
            return ""
        self._page.side.setCurrentWidget(self.panel)
        self._page.side.show()
        self.second.offer()
        self._show_second()
        self._ask()
        self.switched.emit(True)
        return "Comparison"

    def next_disagreement(self) -> str:
        return self._jump(next_disagreement, "No disagreement behind this")

    def previous_disagreement(self) -> str:
        return self._jump(previous_disagreement, "No disagreement before this")

    def side_by_side(self) -> str:
        return self._see(View.BESIDE)

    def swipe(self) -> str:
        return self._see(View.SWIPE)

    def colours(self) -> str:
        return self._see(View.COLOURS)

    def first_alone(self) -> str:
        return self._see(View.FIRST)

    # Inside

    def _connect(self) -> None:
        panel, second = self.panel, self.second
        panel.offer_chosen.connect(second.choose)
        panel.folder_asked.connect(self._ask_for_folder)
        panel.first_chosen.connect(self.first_chosen)
        panel.second_chosen.connect(self._use)
        panel.toggled.connect(second.toggle)
        panel.jumped.connect(self._go_to)
        panel.save_asked.connect(self._ask_where_to_save)
        self._saving.saved.connect(lambda path: self._page.answer.say(f"Saved {path.name}"))
        self._saving.failed.connect(self.failed)
        second.changed.connect(self._second_changed)
        second.offered.connect(panel.show_offers)
        second.failed.connect(self.failed)
        self._opened.failed.connect(self._refused)
        self.marks.made.connect(self._opened.bridge.ring)
        self._page.marks_held.connect(self.views.hold_raw)

    def _first(self) -> First:
        points = self._points()
        assert self._begun is not None
        assert points is not None
        return First(self._begun, points.point)

    def _size(self) -> Size | None:
        shown = self._snapshot.presentation if self._snapshot is not None else None
        return None if shown is None else shown.frame.size

    def _shown_of(self, shown: Presentation | None) -> Shown:
        """What the networks say: not what a person has made of it."""
        if shown is None:
            return Shown()
        rank = shown.frame.index
        return Shown(self._opened.marks.of(rank), self.marks.of(rank))

    def _ask_for_folder(self) -> None:
        self.panel.show_second(self.second.second, is_running=False, can_run=False)
        ask_for_folder(
            self.panel.window(),
            "Second model",
            lambda path: self.second.choose(Offer(Path(path).name, Path(path))),
        )

    def _use(self, point: OperatingPoint) -> None:
        self.second.use(point)
        self._keep.start()

    def _second_changed(self) -> None:
        if self.second.second is None:
            self._pair = self._found = None
            if self._work is not None:
                self._work.forget()
            self._see(View.FIRST)
            self._page.timeline.set_lanes(LANES)
            self._page.timeline.show_content(second=(), alone=())
        else:
            self._page.timeline.set_lanes(BOTH_LANES)
            self._name()
            self._ask()
        self._show_second()

    def _name(self) -> None:
        second = self.second.second
        if second is None:
            return
        a, b = self._first().side, second.side
        named = [one.analysis.model_id for one in (a, b)]
        if second.is_first:
            named = [f"{one.analysis.model_id} {one.point.preset}" for one in (a, b)]
        self.views.name(*named)

    def _refused(self) -> None:
        """What was chosen cannot be: what is in force is shown."""
        if self.is_on:
            self._show_second()

    def _show_second(self) -> None:
        second, first = self.second.second, self._first()
        self.panel.show_first(first)
        self.panel.show_second(second, is_running=self.second.is_running, can_run=self.second.can_run)
        if second is not None and second.is_first and second.side == first.side:
            self.panel.show_note(SAME)

    def _ask(self) -> None:
        second, points, known = self.second.second, self._points(), self._known()
        if second is None or points is None or known is None or self._work is None:
            return
        found = points.found
        whole = found is None or found.frames == len(known.table)
        question = Question(self._first().side, second.side, found, self.is_on and whole)
        old = self._pair
        if old is None or (old.a, old.b) != (question.a, question.b):
            self.panel.show_comparison(None, 0.0, None)
            self._found = None
        being_made = found is None and points.point != known.analysis.point
        if not being_made and (whole or not known.progress.is_done):  # else more of it comes at once
            self._work.ask(question)

    def _show_pair(self, pair: Pair) -> None:
        self._pair = pair
        origin_s = self._page.transport.origin_s
        made = pair.made_b
        found = Found(made.point, made.frames, made.confirmed, made.sightings)
        self.marks.show(pair.b.analysis, pair.b.point, found)
        disagreements = pair.disagreements
        self._page.timeline.show_content(
            second=bars_of(found.findings, origin_s), alone=alone_of(disagreements, origin_s)
        )
        self.panel.show_disagreements(disagreements, origin_s)

    def _show_found(self, found: Comparison) -> None:
        self._found = found
        self.panel.show_comparison(found, self._page.transport.origin_s, self._recording_s())

    def _recording_s(self) -> float | None:
        known = self._known()
        return None if known is None else known.recording.duration_s

    def _see(self, view: View) -> str:
        if view is not View.FIRST and self.second.second is None:
            return self._ask_for_second()
        self.views.see(view)
        self._opened.show_machine(self.views.is_on)
        self.panel.show_view(view)
        if self._snapshot is not None:
            self.show(self._snapshot)
        return view.value

    def _ask_for_second(self) -> str:
        """There is none: it is chosen in the panel."""
        if not self.is_on and self._begun is not None:
            self.toggle()
        return CHOOSE

    def _jump(self, way: Callable[[tuple[Disagreement, ...], int], Disagreement | None], none: str) -> str:
        pair = self._pair
        if pair is None:
            return self._ask_for_second() if self.second.second is None else "Figures are being made"
        found = self.panel.list.found
        if not found:
            return NONE
        shown = self._snapshot.presentation if self._snapshot is not None else None
        one = way(found, -1 if shown is None else shown.frame.index)
        if one is None:
            return none
        self._show_at(one)
        return answered(one, 1 + found.index(one), len(found), pair.a, pair.b)

    def _go_to(self, one: Disagreement) -> None:
        self._opened.pipeline.pause()
        self._show_at(one)

    def _show_at(self, one: Disagreement) -> None:
        self.panel.list.choose(one)
        self._page.timeline.reveal(one.start_s - self._page.transport.origin_s)
        self._opened.pipeline.seek_frame(one.first_rank)

    def _ask_where_to_save(self) -> None:
        known = self._known()
        if known is None or self._found is None:
            return
        name = Path(known.recording.title).stem
        ask_where_to_save(self.panel.window(), "Save table", f"{name}-comparison.csv", self.save)

    def save(self, path: Path) -> None:
        """The table as CSV."""
        if self._found is not None:
            self._saving.save(path, self._found, self._page.transport.origin_s)
