"""The side of the review page: findings, what a person says of them, tools, and where outlines begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.review.findings.findings_list import FindingsList, Picture
from app.review.findings.point_row import PointRow
from app.review.findings.point_sliders import PointSliders
from app.review.findings.rows import FILTERS, SORTS, chosen, counted
from app.widgets import theme
from app.widgets.action import Action
from app.widgets.controls import Choice, label, line, text_button
from engine.review.rows import Row
from engine.types import OperatingPoint

VERDICTS = (("keep", "Keep"), ("reject", "Reject"), ("unsure", "Unsure"))
LOOKING = "Nothing was found yet. Findings come here while the recording is analysed."
PAUSED = "Nothing was found yet, and the analysis is paused. Go on with it above the picture."
UNREADABLE = "The recording cannot be read."
UNOPENED = "What is known of this recording cannot be opened. The message above says why."
NONE = "Nothing was found at this setting. Lower the threshold, or choose the preset Sensitive."
NONE_OF_THESE = "None of these. Choose All above the list."


class ReviewPanel(QWidget):
    """`tools` is where the tools of correction go. `listed`: another filter or order was chosen."""

    jumped = Signal(object)  # Row
    listed = Signal()
    point_chosen = Signal(object)  # OperatingPoint

    def __init__(
        self, actions: Mapping[str, Action], picture: Picture, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setFixedWidth(theme.PANEL_PX)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._actions = actions
        self._all: tuple[Row, ...] = ()
        self._none = LOOKING
        self._count = label("Findings", role=theme.STRONG)
        self.only = Choice("Which findings")
        self.only.fill([(name, name) for name in FILTERS])
        self.order = Choice("Order of findings")
        self.order.fill([(name, name) for name in SORTS])
        self.findings = FindingsList(picture)
        self._nothing = label(LOOKING, tone="secondary")
        self._nothing.setWordWrap(True)
        self.verdicts = {id_: text_button(actions[id_], text) for id_, text in VERDICTS}
        self.correct = text_button(actions["correct"], "Correct masks")
        self.compare = text_button(actions["compare"], "Compare models")
        self.export = text_button(actions["export"], "Export…")
        self.data_set = text_button(actions["data-set"], "Add to data set")
        self._out = (self.data_set, self.export)
        self.tools = QVBoxLayout()
        self.tools.setSpacing(theme.S)
        self._line = line()
        self.point = PointRow(captions=True)
        self.sliders = PointSliders()
        self.point.chosen.connect(self._choose_point)
        self.sliders.chosen.connect(self._choose_point)
        for id_ in self.verdicts:  # after the buttons themselves, which follow their actions alone
            actions[id_].enabledChanged.connect(self._enable_verdicts)
        self.only.chosen.connect(lambda _: self._list())
        self.order.chosen.connect(lambda _: self._list())
        self.findings.jumped.connect(self.jumped)
        self._lay_out()
        self._list()

    @property
    def rows(self) -> tuple[Row, ...]:
        """Those that are listed, in their order."""
        return self.findings.rows

    @property
    def count_text(self) -> str:
        return self._count.text()

    @property
    def nothing_text(self) -> str:
        """What stands in place of the list; "" while there is one."""
        return "" if self._nothing.isHidden() else self._nothing.text()

    @property
    def first_focus(self) -> QWidget:
        return self.findings

    @property
    def listing(self) -> tuple[str, str]:
        """Names of the filter and of the order."""
        return self.only.currentData(), self.order.currentData()

    def list_as(self, only: str, order: str) -> None:
        """Names that are none leave it as it is."""
        self.only.select(only)
        self.order.select(order)
        self._list()

    def show_rows(self, rows: Sequence[Row], *, whole: bool, is_running: bool = True) -> None:
        """All findings there are; `whole`: all of the recording is analysed; else whether that goes on."""
        self._all, self._none = tuple(rows), NONE if whole else LOOKING if is_running else PAUSED
        self._list()

    def show_none(self, why: str) -> None:
        """There is nothing to look for."""
        self._none = why
        self._list()

    def make_room(self, for_tools: bool) -> None:
        """While masks are corrected nothing else is asked."""
        self.correct.setText("End correction" if for_tools else "Correct masks")
        for widget in (
            *self.verdicts.values(),
            self.compare,
            self._line,
            self.point,
            self.sliders,
            *self._out,
        ):
            widget.setHidden(for_tools)

    def show_point(self, point: OperatingPoint) -> None:
        """The one at which the findings are made."""
        self.point.show_point(point)
        self.sliders.show_point(point)

    def _choose_point(self, point: OperatingPoint) -> None:
        self.show_point(point)
        self.point_chosen.emit(point)

    def _list(self) -> None:
        rows = chosen(self._all, self.only.currentData(), self.order.currentData())
        self._count.setText(counted(self._all))
        self.findings.show_rows(rows)
        self._nothing.setText(NONE_OF_THESE if self._all else self._none)
        self._nothing.setVisible(not rows)
        self.findings.setVisible(bool(rows))
        self._enable_verdicts()
        self.listed.emit()

    def _enable_verdicts(self) -> None:
        for id_, button in self.verdicts.items():
            button.setEnabled(bool(self.rows) and self._actions[id_].isEnabled())

    def _lay_out(self) -> None:
        choice = QHBoxLayout()
        choice.setSpacing(theme.S)
        choice.addWidget(self.only)
        choice.addWidget(self.order)
        verdicts = QHBoxLayout()
        verdicts.setSpacing(theme.S)
        for button in self.verdicts.values():
            verdicts.addWidget(button)
        self._count.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.M, theme.M, theme.M, theme.M)
        column.setSpacing(theme.S)
        column.addWidget(self._count)
        column.addLayout(choice)
        column.addWidget(self.findings, 1)
        column.addWidget(self._nothing, 1, Qt.AlignmentFlag.AlignTop)
        column.addLayout(verdicts)
        column.addLayout(self.tools)
        tasks = QHBoxLayout()
        tasks.setSpacing(theme.S)
        tasks.addWidget(self.correct)
        tasks.addWidget(self.compare)
        column.addLayout(tasks)
        column.addWidget(self._line)
        column.addWidget(self.point)
        column.addWidget(self.sliders)
        out = QHBoxLayout()
        out.setSpacing(theme.S)
        out.addWidget(self.data_set)
        out.addWidget(self.export)
        column.addLayout(out)
