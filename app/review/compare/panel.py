"""The side of the page while two analyses are compared: which, how they look, figures, disagreements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.review.compare.figures_table import FiguresTable
from app.review.compare.offers import Offer
from app.review.compare.said import OF_THESE, about, headed, progress_of, standing, table_of
from app.review.compare.second import First, Second
from app.review.compare.stretches import DisagreementList
from app.review.compare.views import View
from app.review.findings.point_row import PointRow
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
        self._second: Second | None = None
        self.close_button = text_button(actions["compare"], "End")
        self.close_button.setProperty("quiet", True)
        self._first_name, self._second_name = label(role=theme.STRONG), label("B", role=theme.STRONG)
        self._first_about, self._second_about = (label(role=theme.CAPTION, tone="secondary") for _ in "AB")
        for known in (self._first_about, self._second_about):
            known.setToolTip(OF_THESE)
        self.first_point, self.second_point = PointRow(" of A"), PointRow(" of B")
        self.offers = Choice("Second model")
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

    def show_offers(self, offers: Sequence[Offer]) -> None:
        """What there is to choose from."""
        self._offers = list(offers)
        rows: list[tuple[str, object]] = [(one.text, one) for one in offers]
        self.offers.fill([("Choose…", None), *rows, ("Choose folder…", "folder")])
        self.offers.annotate({one: one.note for one in offers})
        self.offers.select(self._offer_of(self._second))

    def show_first(self, first: First) -> None:
        self._first_name.setText(f"A  {first.begun.analysis.model_id}")
        self._first_about.setText(about(first.side))
        self.first_point.set_presets(first.begun.points, first.begun.measured)
        self.first_point.show_point(first.point)

    def show_second(self, second: Second | None, *, is_running: bool, can_run: bool) -> None:
        self._second, there = second, second is not None
        for widget in (self.second_point, self._second_about, self.views, self.table, self._count, self.list):
            widget.setVisible(there)
        self.save.setVisible(there)
        self.offers.select(self._offer_of(second))
        self.pause.setVisible(is_running or can_run)
        self.pause.setText("Pause" if is_running else "Go on")
        self.pause.setToolTip("Pause the second analysis" if is_running else "Go on with the second analysis")
        if second is None:
            self.standing.setText(CHOOSE)
            self.show_note("")
            return
        self._second_about.setText(f"{about(second.side)}{progress_of(second, is_running=is_running)}")
        self.second_point.set_presets(second.points)
        self.second_point.show_point(second.side.point)
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
        if found is not None:
            self.table.show_sides(
                *(f"{one.side.analysis.model_id} · {about(one.side)}" for one in (found.a, found.b))
            )
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
        first = QHBoxLayout()
        first.addWidget(self._first_name, 1)
        first.addWidget(self.close_button)
        known = QHBoxLayout()
        known.addWidget(self._second_about, 1)
        known.addWidget(self.pause)
        heading = QHBoxLayout()
        heading.addWidget(self._count, 1)
        heading.addWidget(self.save)
        second = QHBoxLayout()
        second.setSpacing(theme.S)
        second.addWidget(self._second_name)
        second.addWidget(self.offers, 1)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(theme.M, theme.XS, theme.M, theme.M)
        column.setSpacing(theme.XS)
        column.addLayout(first)
        column.addWidget(self._first_about)
        column.addWidget(self.first_point)
        column.addSpacing(theme.XS)
        column.addLayout(second)
        column.addLayout(known)
        for widget in (self.second_point, self.note, self.views, line(), self.table, self.standing, line()):
            column.addWidget(widget)
        column.addLayout(heading)
        column.addWidget(self.list, 1)
        column.addStretch(0)
        scroll = QScrollArea()  # a small window squeezes nothing
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        content.setProperty("surface", "panel")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(scroll, 1)
