"""The side of the page while two analyses are compared: which, how they look, figures, disagreements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.review.compare.figures_table import FiguresTable
from app.review.compare.offers import Offer
from app.review.compare.point_row import PointRow
from app.review.compare.said import about, headed, standing, table_of
from app.review.compare.second import First, Second
from app.review.compare.stretches import DisagreementList
from app.review.compare.views import View
from app.widgets import theme
from app.widgets.controls import Choice, Segments, label, line, text_button
from engine.review.compare.disagreements import Disagreement
from engine.review.compare.figures import Comparison

CHOOSE = "Choose a second model, or the same one at another preset. It is analysed while you watch."
COUNTING = "Figures are being made…"
SEGMENTS = {
    View.FIRST: ("compare-first", "A"),
    View.BESIDE: ("compare-beside", "Both"),
    View.SWIPE: ("compare-swipe", "Swipe"),
    View.COLOURS: ("compare-colours", "Colours"),
}


class ComparePanel(QWidget):
    """Shows values; what people choose comes out of its signals."""

    offer_chosen = Signal(object)  # Offer, or None: nothing
    folder_asked = Signal()
    first_chosen = Signal(object)  # OperatingPoint
    second_chosen = Signal(object)  # OperatingPoint
    toggled = Signal()  # the second analysis is to pause, or to go on
    jumped = Signal(object)  # Disagreement
    save_asked = Signal()

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(theme.PANEL_PX)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._offers: list[Offer] = []
        self.close_button = text_button(actions["compare"], "End comparison")
        self._first_name, self._second_name = label(role=theme.STRONG), label("B", role=theme.STRONG)
        self._first_about, self._second_about = (label(role=theme.CAPTION, tone="secondary") for _ in "AB")
        self.first_point, self.second_point = PointRow("A"), PointRow("B")
        self.offers = Choice("Second model")
        self._progress = label(role=theme.CAPTION, tone="secondary")
        self.pause = QPushButton("Pause")
        self.pause.setProperty("quiet", True)
        self.views = Segments("View of both")
        for view, (id_, text) in SEGMENTS.items():
            self.views.add(view, text, actions[id_])
        self.note = label(role=theme.CAPTION, tone="attention")
        self.standing = label(role=theme.CAPTION, tone="secondary")
        for words in (self.note, self.standing):
            words.setWordWrap(True)
        self.table = FiguresTable()
        self._count = label(role=theme.STRONG)
        self.save = QPushButton("Save table…")
        self.save.setToolTip("The figures and all disagreements as a CSV file")
        self.list = DisagreementList()
        for button in (self.pause, self.save):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._connect()
        self._lay_out()
        self.show_second(None, is_running=False, can_run=False)

    @property
    def first_focus(self) -> QWidget:
        return self.offers

    @property
    def progress_text(self) -> str:
        return self._progress.text()

    def show_offers(self, offers: Sequence[Offer]) -> None:
        """What there is to choose from."""
        self._offers = list(offers)
        rows: list[tuple[str, object]] = [(one.text, one) for one in offers]
        self.offers.fill([("Choose…", None), *rows, ("Choose folder…", "folder")])
        self.offers.annotate({one: one.note for one in offers})

    def show_first(self, first: First) -> None:
        self._first_name.setText(f"A  {first.begun.analysis.model_id}")
        self._first_about.setText(about(first.side))
        self.first_point.show_point(first.begun.points, first.point)

    def show_second(self, second: Second | None, *, is_running: bool, can_run: bool) -> None:
        there = second is not None
        for widget in (self.second_point, self._second_about, self.views, self.table, self._count, self.list):
            widget.setVisible(there)
        self.save.setVisible(there)
        self.offers.select(self._offer_of(second))
        self._progress.setVisible(there and not second.is_first if second is not None else False)
        self.pause.setVisible(is_running or can_run)
        self.pause.setText("Pause" if is_running else "Go on")
        if second is None:
            self.standing.setText(CHOOSE)
            self.show_note("")
            return
        self._second_about.setText(about(second.side))
        self.second_point.show_point(second.points, second.side.point)
        self._progress.setText(_progress(second, is_running))
        self.show_note(second.why_not)

    def show_note(self, text: str) -> None:
        """What stands in the way; "" for nothing."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def show_view(self, view: View) -> None:
        self.views.select(view)

    def show_disagreements(self, found: Sequence[Disagreement], origin_s: float) -> None:
        self._count.setText(headed(len(found)))
        self.list.show_all(found, origin_s)

    def show_comparison(self, found: Comparison | None, origin_s: float, whole_s: float | None) -> None:
        """None: it is being made."""
        self.table.show_lines(() if found is None else table_of(found, origin_s), is_old=found is None)
        self.save.setEnabled(found is not None)
        self.standing.setText(COUNTING if found is None else standing(found, whole_s))

    def _offer_of(self, second: Second | None) -> object:
        if second is None:
            return None
        analysis = second.side.analysis
        for one in self._offers:
            if one.analysis == analysis.id or (one.path and str(one.path) == analysis.model_path):
                return one
        return None

    def _choose(self, value: object) -> None:
        if value == "folder":
            self.folder_asked.emit()
        else:
            self.offer_chosen.emit(value)

    def _connect(self) -> None:
        self.offers.chosen.connect(self._choose)
        self.first_point.chosen.connect(self.first_chosen)
        self.second_point.chosen.connect(self.second_chosen)
        self.pause.clicked.connect(self.toggled)
        self.list.jumped.connect(self.jumped)
        self.save.clicked.connect(self.save_asked)

    def _lay_out(self) -> None:
        progress = QHBoxLayout()
        progress.addWidget(self._progress, 1)
        progress.addWidget(self.pause)
        heading = QHBoxLayout()
        heading.addWidget(self._count, 1)
        heading.addWidget(self.save)
        second = QHBoxLayout()
        second.setSpacing(theme.S)
        second.addWidget(self._second_name)
        second.addWidget(self.offers, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.M, theme.M, theme.M, theme.M)
        column.setSpacing(theme.XS)
        for widget in (self._first_name, self._first_about, self.first_point):
            column.addWidget(widget)
        column.addSpacing(theme.XS)
        column.addLayout(second)
        column.addWidget(self._second_about)
        column.addWidget(self.second_point)
        column.addLayout(progress)
        column.addWidget(self.note)
        column.addWidget(self.views)
        column.addWidget(line())
        column.addWidget(self.table)
        column.addWidget(self.standing)
        column.addWidget(line())
        column.addLayout(heading)
        column.addWidget(self.list, 1)
        column.addStretch(0)
        column.addWidget(self.close_button)


def _progress(second: Second, is_running: bool) -> str:
    progress = second.progress
    if progress.is_done:
        return "analysed"
    share = f"{100 * progress.done // progress.total} %" if progress.total else f"{progress.done} frames"
    return f"analysed {share}" if is_running else f"analysed {share}, paused"
