"""The tools of correction in the side panel, how far the frame is, and what is being carried on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QRect, Signal
from PySide6.QtGui import QAction, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.review.editing.polyps import NamedPolyp, PolypButtons
from app.review.editing.tools import TOOLS
from app.widgets import theme
from app.widgets.controls import Choice, action_button, label, line
from engine.review.acts import FrameState
from engine.review.editing.flow import LEAST
from engine.review.sam.ways import WAYS

COLUMNS = 3
WAYS_SAID = {
    "outline": "By its outline",
    "grabcut": "By colour and place",
    "flood": "By colour alone",
    "sam": "By a SAM model",
}
STATES = {
    FrameState.MACHINE: "Not verified",
    FrameState.TOUCHED: "Changed, not verified",
    FrameState.VERIFIED: "Verified",
    FrameState.EMPTY: "Verified: no polyp",
}
BACK_AND_AGAIN = {"mask-undo": "Undo", "mask-redo": "Redo"}
# A row each: what a frame has, where its masks come from, over many frames.
WHOLE_FRAME = (
    {"mask-another": "New polyp", "mask-remove": "Delete polyp", "mask-clear": "Clear frame"},
    {"mask-same": "Copy last", "mask-model": "Copy model", "mask-untouched": "Reset frame"},
    {"mask-follow-back": "◂ Propagate", "mask-follow": "Propagate ▸"},
)
JUDGED = {"mask-verify": "Verify", "mask-empty": "No polyp", "mask-unverify": "Unverify"}
STRIP_PX, BAR_PX = 28, 3


class MaskPanel(QWidget):
    """`show_*` shows what is in force; what people choose are the actions', but for `way_chosen`."""

    way_chosen = Signal(object)  # one of WAYS
    polyp_chosen = Signal(int)  # its label
    cancelled = Signal()
    all_undone = Signal()

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Correction")
        self._tools = {
            name: action_button(actions[f"mask-{name}"], tool.name, checkable=True)
            for name, tool in TOOLS.items()
        }
        self._hint = label(role=theme.CAPTION, tone="secondary")
        self._hint.setWordWrap(True)
        self.way = Choice("How a click finds the polyp")
        self.way.fill([(WAYS_SAID.get(name, name), name) for name in WAYS])
        self.way.chosen.connect(self.way_chosen)
        self._state = label(role=theme.STRONG)
        self._count = label(role=theme.CAPTION, tone="secondary")
        self.polyps = PolypButtons()
        self.polyps.chosen.connect(self.polyp_chosen)
        self._follow_words = label(role=theme.CAPTION, tone="secondary")
        self._follow_words.setWordWrap(True)
        self.strip = ConfidenceStrip()
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(self.cancelled)
        self.undo_all = QPushButton("Take all of them back")
        self.undo_all.clicked.connect(self.all_undone)
        self._lay_out(actions)
        self.show_following(None)

    @property
    def state(self) -> str:
        """How far the frame is, in words."""
        return self._state.text()

    def show_tool(self, name: str) -> None:
        for one, button in self._tools.items():
            button.setChecked(one == name)
        self._hint.setText(TOOLS[name].hint)
        self.way.setVisible(name == "click")

    def show_way(self, way: str, *, is_busy: bool) -> None:
        """How clicks are answered, and whether one is being looked at."""
        self.way.select(way)
        if self._tools["click"].isChecked():
            self._hint.setText("Looking…" if is_busy else TOOLS["click"].hint)

    def show_frame(
        self, state: FrameState, polyps: Sequence[NamedPolyp], active: int | None, verified: int
    ) -> None:
        many = "no polyp" if not polyps else f"{len(polyps)} polyp{'s' if len(polyps) > 1 else ''}"
        self._state.setText(STATES[state])
        self.polyps.show_polyps(polyps, active)
        self._count.setText(f"{many} · {verified} frame{'s' if verified != 1 else ''} verified")

    def show_following(self, words: str | None, *, is_running: bool = False, can_undo: bool = False) -> None:
        """What a propagation does or did; None: nothing is said of one."""
        self._follow_words.setText(words or "")
        self._follow_words.setVisible(bool(words))
        self._hint.setHidden(is_running)
        self.strip.setVisible(is_running or can_undo)
        self.cancel.setVisible(is_running)
        self.undo_all.setVisible(can_undo)

    def _lay_out(self, actions: Mapping[str, QAction]) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addWidget(line())
        said = QVBoxLayout()
        said.setSpacing(theme.S)
        said.addWidget(self._state)
        said.addWidget(self._count)
        head = QHBoxLayout()
        head.setSpacing(theme.XS)
        head.addLayout(said, COLUMNS)
        for name, text in BACK_AND_AGAIN.items():
            head.addWidget(action_button(actions[name], text), 1)
        column.addLayout(head)
        column.addWidget(self.polyps)
        column.addLayout(_grid([*self._tools.values()]))
        column.addWidget(self._hint)
        column.addWidget(self.way)
        block = QVBoxLayout()
        block.setSpacing(theme.XS)
        for texts in WHOLE_FRAME:
            block.addLayout(_row(actions, texts))
        column.addLayout(block)
        column.addWidget(self._follow_words)
        column.addWidget(self.strip)
        column.addWidget(self.cancel)
        column.addWidget(self.undo_all)
        column.addLayout(_row(actions, JUDGED))


class ConfidenceStrip(QWidget):
    """A bar a frame that was followed: the higher, the surer; a line where it would stop."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(STRIP_PX)
        self.setAccessibleName("How sure each followed frame is")
        self.values: tuple[float, ...] = ()

    def show_values(self, values: tuple[float, ...]) -> None:
        self.values = values
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(theme.RAISED))
        shown = self.values[-(self.width() // BAR_PX) :]
        for at, value in enumerate(shown):
            high = round(value * self.height())
            bar = QRect(at * BAR_PX, self.height() - high, BAR_PX - 1, high)
            painter.fillRect(bar, theme.colour(theme.ACCENT))
        level = round((1.0 - LEAST) * self.height())
        painter.fillRect(QRect(0, level, self.width(), 1), theme.colour(theme.SECONDARY))
        painter.end()


def _row(actions: Mapping[str, QAction], texts: Mapping[str, str]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(theme.XS)
    for name, text in texts.items():
        row.addWidget(action_button(actions[name], text), 1)
    return row


def _grid(buttons: list[QToolButton]) -> QGridLayout:
    grid = QGridLayout()
    grid.setSpacing(theme.XS)
    for at, button in enumerate(buttons):
        grid.addWidget(button, at // COLUMNS, at % COLUMNS)
    return grid
