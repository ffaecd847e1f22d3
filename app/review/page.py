"""The review page: picture, time line, findings. Shows values; what people do comes out of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.player.box_drag import BoxDrag
from app.player.canvas import Canvas
from app.player.go_to import GoTo
from app.player.key_answer import KeyAnswer
from app.player.places import Span
from app.player.playback import is_recording
from app.review.along.hover import HoverPicture
from app.review.along.lanes import Mark
from app.review.along.scrub import StandIn
from app.review.along.timeline import Timeline
from app.review.findings.findings_list import Picture
from app.review.head import ReviewHead
from app.review.heat import HeatLayer
from app.review.known import Known
from app.review.note_field import NoteField
from app.review.panel import ReviewPanel
from app.review.transport_row import TransportRow
from app.widgets import theme
from app.widgets.action import Action
from app.widgets.notice_row import NoticeRow
from engine.types import Snapshot, SourceState

MESSAGES = {
    SourceState.OPENING: "Opening…",
    SourceState.FAILED: "No picture. The message above says why.",
}


class ReviewPage(QWidget):
    """`canvas`, `timeline`, `panel` are for whoever adds to it; `panel.tools` is for those of correction.
    `side` has the panel and others that take its place, `pictures` the canvas and others beside it.
    """

    marks_held = Signal(bool)  # whether marks over the picture are held back

    def __init__(
        self,
        actions: Mapping[str, Action],
        notice: NoticeRow,
        picture: Picture,
        span: Callable[[], Span],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("surface", "black")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._picture = picture
        self._has_marks = True
        self._corrects = self._replaced = False
        self.head = ReviewHead(actions)
        self.notice = notice
        self.canvas = Canvas()
        self.heat = HeatLayer(self.canvas)
        self.stand_in = StandIn(self.canvas)
        self.drag = BoxDrag(self.canvas)
        self.transport = TransportRow(actions)
        self.timeline = Timeline()
        self.panel = ReviewPanel(actions, picture)
        self.side = QStackedWidget()
        self.side.setFixedWidth(theme.PANEL_PX)
        self.side.addWidget(self.panel)
        self.pictures = QHBoxLayout()
        self.answer = KeyAnswer(self)
        self.go_to = GoTo(span, self)
        self.note = NoteField(self)
        self.hover = HoverPicture(self)
        self._lay_out()
        self.canvas.installEventFilter(self)
        self.timeline.hovered.connect(self._hover)
        for question in (self.go_to, self.note):
            question.left.connect(self.canvas.setFocus)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """The newest state of the picture, with its marks."""
        info, shown = snapshot.info, snapshot.presentation
        self.head.show_snapshot(snapshot)
        self.transport.show_snapshot(snapshot)
        self.canvas.set_message(MESSAGES.get(snapshot.source_state, ""))
        self.canvas.show_presentation(shown, info.pixel_aspect if info else 1.0)
        if shown is None or not is_recording(snapshot):
            return
        origin_s = self.transport.origin_s
        if info is not None and info.duration_s:
            self.timeline.set_length(info.duration_s)
        self.timeline.set_cursor(shown.frame.pts_s - origin_s)
        loop = snapshot.loop
        self.timeline.set_range(None if loop is None else (loop.start_s - origin_s, loop.end_s - origin_s))

    def show_known(self, known: Known, *, is_running: bool) -> None:
        """As far as the recording is analysed."""
        self.head.show_known(known, is_running=is_running)
        self.notice.show_hint((known.why_read_only, "attention") if known.why_read_only else None)
        table, origin_s = known.table, self.transport.origin_s
        marks = tuple(Mark(table.time_s(rank) - origin_s, note) for rank, note in known.bookmarks.items())
        self.timeline.show_content(
            table=table,
            times_s=table.pts_s - origin_s,
            marks=marks,
            labelled_s=tuple(table.time_s(rank) - origin_s for rank in known.labelled),
        )

    def withdraw(self) -> bool:
        """Close what is asked over the picture; False when nothing was."""
        asked = [question for question in (self.go_to, self.note) if not question.isHidden()]
        for question in asked:
            question.withdraw()
        return self.drag.stop() or bool(asked)

    def focus_areas(self) -> list[QWidget]:
        """One control of each group, in the order of F6."""
        return [self.canvas, self.panel.first_focus] if self.side.isVisible() else [self.canvas]

    def show_overlay(self, *, marks: bool, heat: bool = False) -> None:
        """What lies over the picture: marks in the style that is chosen, the probability as heat, nothing."""
        self._has_marks = marks
        self.hold_raw(False)
        self.heat.setVisible(heat)

    def hold_raw(self, raw: bool) -> None:
        """Nothing over the picture while a key is down."""
        held = raw or not self._has_marks
        self.canvas.set_raw(held or self._corrects or self._replaced)
        self.marks_held.emit(held)

    def replace_marks(self, replaced: bool) -> None:
        """Something else draws them over the picture."""
        self._replaced = replaced
        self.hold_raw(False)

    def make_room(self, for_tools: bool) -> None:
        """While masks are corrected they lie over the picture in place of its marks."""
        self._corrects = for_tools
        self.drag.stop()
        self.hold_raw(False)
        self.panel.make_room(for_tools)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.canvas and event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self.heat.setGeometry(self.canvas.rect())
            self.stand_in.setGeometry(self.canvas.rect())
            free = self._free()
            self.answer.keep_inside(free, theme.answer_px(self.window().height()))
            self.go_to.keep_inside(free)
            self.note.keep_inside(free)
        return False

    def _free(self) -> QRect:
        """Where words may stand for a moment: over the picture."""
        return QRect(self.canvas.mapTo(self, QPoint(0, 0)), self.canvas.size())

    def _hover(self, at: tuple[float, QPoint] | None) -> None:
        if at is None:
            self.hover.hide()
            return
        at_s, place = at
        table = self.timeline.content.table
        image = self._picture(table.rank_at(at_s + self.transport.origin_s)) if len(table) else None
        self.hover.show_at(at_s, image, self.mapFromGlobal(place))

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(self.notice)
        self.pictures.setSpacing(theme.XS)
        self.pictures.addWidget(self.canvas, 1)
        left.addLayout(self.pictures, 1)
        left.addWidget(self.transport)
        left.addWidget(self.timeline)
        below = QHBoxLayout()
        below.setSpacing(0)
        below.addLayout(left, 1)
        below.addWidget(self.side)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addLayout(below, 1)
        self.answer.raise_()
        self.hover.raise_()
