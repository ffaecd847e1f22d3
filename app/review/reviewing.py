"""One recording under review: what is known, shown on the page, and what people do on the page, kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from app.player.transport_commands import TransportCommands
from app.review.along.lanes import LEVELS, Bar
from app.review.along.scrub import Scrub
from app.review.compare.comparing import Comparing
from app.review.correction import ReviewedPlace
from app.review.editing.editing import MaskEditing
from app.review.exporting.exporting import Exporting
from app.review.findings.finding_acts import FindingActs
from app.review.findings.point import PointInForce, words_of
from app.review.findings.rows import after, before, levels, meant, struck
from app.review.job import Begun
from app.review.known import Known
from app.review.left import Left
from app.review.opened import OpenedReview
from app.review.page import ReviewPage
from app.review.panel import UNOPENED, UNREADABLE
from app.review.pictures import SmallPictures
from app.review.side_car import PLACE
from app.widgets.action import Action
from app.widgets.notice_row import NoticeRow
from engine.drawing.overlays import OverlayStyle, person_marks
from engine.faults import Fault
from engine.review.rows import Row
from engine.settings import Review
from engine.types import OperatingPoint, Presentation, Rect, Snapshot, SourceState

LOOK_MS = 300


class Reviewing(QObject):
    """Ends with `close`. Handlers of app.actions_and_keys among its methods."""

    changed = Signal(object)  # Snapshot
    failed = Signal(object)  # Fault
    kept = Signal()  # an act is on the disk

    def __init__(
        self,
        opened: OpenedReview,
        actions: Mapping[str, Action],
        notice: NoticeRow,
        transport: TransportCommands,
        settings: Callable[[], Review],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._transport = transport
        self._places: list[Rect] = []  # that a person marked in the frame that is seen
        self._told: set[Fault] = set()  # of the player, once each
        self._awaited: Row | None = None  # was jumped to, and is not seen yet
        self._begun: Begun | None = None
        self._points: PointInForce | None = None
        self.opened = opened
        opened.setParent(self)
        self._pictures = SmallPictures(self.opened.side_car, self)
        self.page = ReviewPage(actions, notice, self._pictures.of, transport.span)
        self._scrub = Scrub(
            self.page.stand_in,
            self._picture_near,
            lambda at_s: transport.seek(at_s + self.page.transport.origin_s),
            self,
        )
        place = ReviewedPlace(opened, lambda: self.page.transport.origin_s, lambda: settings().sam_weights)
        self._look_soon = QTimer(self)  # strokes follow each other: the list and the lanes may wait a little
        self._look_soon.setSingleShot(True)
        self._look_soon.setInterval(LOOK_MS)
        self.editing = MaskEditing(self.page.canvas, self.opened.job.ask, place, actions, self)
        self.acts = FindingActs(
            self.page,
            self.opened.job,
            lambda: opened.known,
            lambda: opened.here,
            self._choose,
            self.editing.reload,
        )
        self.exporting = Exporting(
            self.page,
            lambda: None if self._begun is None else self._begun.folder,
            lambda: opened.known,
            lambda: None if opened.snapshot is None else opened.snapshot.loop,
            lambda: self.page.panel.findings.chosen,
            self.opened.job.ask,
            settings,
            self,
        )
        self.exporting.said.connect(self.page.answer.say)
        transport.connect_to(self.opened.pipeline)
        self.comparing = Comparing(
            self.page, self.opened, lambda: self._points, lambda: opened.known, actions, self
        )
        self._connect()
        self._connect_editing()
        self._connect_comparing()

    def close(self) -> None:
        """All that was done is on the disk when this returns."""
        if self.opened.known is not None:
            only, order = self.page.panel.listing
            self.opened.keep_left(Left(max(self.opened.here, 0), *self.page.timeline.part, only, order))
        self._transport.connect_to(None)
        self._look_soon.stop()
        self.editing.close()
        self.comparing.close()
        self.exporting.close()
        if self._points is not None:
            self._points.close()
        self.opened.close()
        self.comparing.end()

    @property
    def known(self) -> Known | None:
        """None until the side-car was read."""
        return self.opened.known

    @property
    def snapshot(self) -> Snapshot | None:
        return self.opened.snapshot

    # Handlers of app.actions_and_keys

    def next_finding(self) -> str:
        return self._jump(after, "No finding behind this")

    def previous_finding(self) -> str:
        return self._jump(before, "No finding before this")

    def no_overlay(self) -> str:
        self.page.show_overlay(marks=False)
        return "Overlay: none"

    def heat(self) -> str:
        self.page.show_overlay(marks=False, heat=True)
        return "Overlay: probability"

    def toggle_analysis(self) -> str:
        return self.opened.job.toggle()

    def fit_timeline(self) -> str:
        self.page.timeline.fit()
        return "Whole time line"

    def nudge_threshold(self, steps: int) -> str:
        return f"Threshold {self.page.panel.point.nudge_threshold(steps):.2f}"

    # Inside

    def _show_left(self, left: Left) -> None:
        self.page.panel.list_as(left.only, left.order)
        self.page.timeline.begin_with(left.from_s, left.to_s)

    def _connect(self) -> None:
        opened, page = self.opened, self.page
        opened.changed.connect(self._show)
        opened.recorded.connect(self._show_left)
        opened.begun.connect(self._show_begun)
        page.panel.point_chosen.connect(self._use_point)
        opened.unopened.connect(self._show_why_none)
        opened.progressed.connect(self._show_known)
        opened.failed.connect(self.failed)
        opened.job.changed.connect(self._show_job)
        opened.job.kept.connect(self.kept)
        opened.side_car.failed.connect(lambda _: page.answer.clear())  # it is not so
        self._pictures.came.connect(page.panel.findings.repaint_pictures)
        self._pictures.came.connect(page.timeline.repaint_lanes)
        page.canvas.on_painted = self._painted
        page.timeline.dragged.connect(self._scrub.drag)
        page.timeline.sought.connect(self._scrub.go)
        self._pictures.came.connect(self._scrub.look)
        page.panel.jumped.connect(self._jump_to_best)
        page.panel.listed.connect(self._show_bars)
        page.go_to.asked.connect(lambda place: page.answer.say(self._transport.go_to_place(place)))
        page.timeline.show_content(thumbnail=self._thumbnail)

    def _connect_editing(self) -> None:
        opened, editing = self.opened, self.editing
        opened.drawn = editing.drawn.of
        opened.begun.connect(lambda _: editing.begin())
        opened.failed.connect(lambda _: editing.reload())
        editing.frames.changed.connect(lambda _: opened.bridge.ring())
        editing.frames.kept.connect(self._look_soon.start)
        editing.frames.written.connect(self.kept)
        self._look_soon.timeout.connect(opened.job.look)
        editing.failed.connect(self.failed)
        self.page.panel.tools.addWidget(editing.panel)
        editing.switched.connect(self.page.make_room)

    def _connect_comparing(self) -> None:
        opened, comparing = self.opened, self.comparing
        opened.begun.connect(comparing.begin)
        comparing.failed.connect(self.failed)
        comparing.first_chosen.connect(self._use_point)
        self.editing.switched.connect(lambda on: comparing.leave() if on else None)

    def _show(self, snapshot: Snapshot) -> None:
        for fault in snapshot.faults:
            if fault not in self._told:
                self._told.add(fault)
                self.failed.emit(replace(fault, place=PLACE))
        self._transport.take(snapshot)
        self.page.show_snapshot(snapshot)
        if snapshot.source_state is SourceState.FAILED and self.opened.known is None:
            self._show_why_none()
        self._scrub.show(snapshot.presentation)
        self._show_places()
        self._follow()
        self.editing.show(snapshot.presentation)
        self.comparing.show(snapshot)
        self.changed.emit(snapshot)

    def _show_why_none(self) -> None:
        snapshot = self.opened.snapshot
        failed = snapshot is not None and snapshot.source_state is SourceState.FAILED
        self.page.panel.show_none(UNREADABLE if failed else UNOPENED)

    def _painted(self, presentation: Presentation, start_s: float, end_s: float) -> None:
        self.opened.pipeline.painted(presentation, start_s, end_s)

    def _show_begun(self, begun: Begun) -> None:
        self._begun = begun
        self._points = PointInForce(begun, self.opened, lambda: self.opened.here, self)
        self._points.failed.connect(self.failed)
        self.page.panel.point.set_presets(begun.points, begun.measured)
        self._show_point(begun.point)
        if begun.point != begun.analysis.point:
            self._points.use(begun.point)

    def _use_point(self, point: OperatingPoint) -> None:
        self._show_point(point)
        if self._points is not None:
            self._points.use(point)
            self.comparing.grown()

    def _show_point(self, point: OperatingPoint) -> None:
        self.page.panel.show_point(point)
        self.page.timeline.show_content(threshold=point.threshold)
        if self._begun is not None:
            self.page.transport.show_by(words_of(self._begun, point))

    def _show_known(self, known: Known) -> None:
        if self._points is not None:
            self._points.grown(known)
        self._pictures.renew()
        self.page.show_known(known, is_running=self.opened.job.is_running)
        self.page.panel.findings.origin_s = self.page.transport.origin_s
        self.opened.show_struck(struck(known.rows))
        self._list(known)
        self._follow()
        self._show_places()
        self.comparing.grown()

    def _show_places(self) -> None:
        """What a person marked in this frame, and has not drawn there."""
        here, rows = self.opened.here, self.opened.known.rows if self.opened.known is not None else ()
        drawn = self.editing.frames.of(here).masks
        boxes = [
            row.anchor.box
            for row in rows
            if row.labels and row.anchor.rank == here and drawn.keys().isdisjoint(row.labels)
        ]
        if boxes != self._places:
            self._places = boxes
            shapes = person_marks(boxes, OverlayStyle())
            self.page.canvas.show_beside("added", shapes)
            self.editing.layer.show_places(shapes)

    def _list(self, known: Known) -> None:
        job = self.opened.job
        self.page.panel.show_rows(
            known.rows, whole=known.progress.is_done, is_running=job.is_running or bool(known.why_read_only)
        )

    def _show_job(self) -> None:
        if self.opened.known is not None:
            self._list(self.opened.known)
            self.page.head.show_known(self.opened.known, is_running=self.opened.job.is_running)

    def _show_bars(self) -> None:
        origin_s = self.page.transport.origin_s
        chosen = self.page.panel.findings.chosen
        rows = sorted(self.page.panel.rows, key=lambda row: row.first_rank)
        bars = tuple(
            Bar(row.start_s - origin_s, row.end_s - origin_s, row.verdict, row == chosen, level)
            for row, level in zip(rows, levels(rows, LEVELS), strict=True)
        )
        self.page.timeline.show_content(bars=bars)

    def _thumbnail(self, at_s: float) -> QImage | None:
        rank = self._analysed_rank(at_s)
        return None if rank is None else self._pictures.of(rank)

    def _picture_near(self, at_s: float) -> QImage | None:
        rank = self._analysed_rank(at_s)
        return None if rank is None else self._pictures.near(rank)

    def _analysed_rank(self, at_s: float) -> int | None:
        """None where it is not analysed yet."""
        table = self.page.timeline.content.table
        pts_s = at_s + self.page.transport.origin_s
        return table.rank_at(pts_s) if len(table) and pts_s <= table.pts_s[-1] else None

    def _jump(self, way: Callable[[Iterable[Row], int], Row | None], none: str) -> str:
        rows = self.page.panel.rows
        awaited = self._awaited  # the key is pressed faster than pictures come
        found = way(rows, self.opened.here if awaited is None else awaited.first_rank)
        if found is None:
            return none
        self._choose(found)
        self._awaited = found
        self.opened.pipeline.seek_frame(found.first_rank)
        return f"Finding {1 + sum(row.first_rank < found.first_rank for row in rows)} of {len(rows)}"

    def _jump_to_best(self, row: Row) -> None:
        self._choose(row)
        self._awaited = row
        self.opened.pipeline.pause()
        self.opened.pipeline.seek_frame(row.best_rank)
        self.page.canvas.setFocus()

    def _follow(self) -> None:
        """Who judges what is seen never judges another one."""
        findings, here = self.page.panel.findings, self.opened.here
        if self._awaited is not None:
            if not self._awaited.first_rank <= here <= self._awaited.last_rank:
                return
            self._awaited = None
        row = meant(self.page.panel.rows, here, findings.chosen)
        if row is not None and row is not findings.chosen:
            findings.choose(row.anchor)
            self._show_bars()

    def _choose(self, row: Row) -> None:
        self.page.panel.findings.choose(row.anchor)
        self.page.timeline.reveal(row.start_s - self.page.transport.origin_s)
        self._show_bars()
