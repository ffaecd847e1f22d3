"""The disagreements of two analyses as a list: a row each, and a click goes there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from app.review.compare.said import listed
from app.widgets import theme
from engine.review.compare.disagreements import ONLY_A, Disagreement

LEAST_PX = 72


class DisagreementList(QListWidget):
    """`jumped`: a person wants to see that one."""

    jumped = Signal(object)  # Disagreement

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Disagreements")
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMinimumHeight(LEAST_PX)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.found: tuple[Disagreement, ...] = ()
        self._origin_s = 0.0
        self.itemClicked.connect(lambda item: self.jumped.emit(self.found[self.row(item)]))

    def show_all(self, found: Sequence[Disagreement], origin_s: float) -> None:
        if tuple(found) == self.found and origin_s == self._origin_s:
            return
        self.found, self._origin_s = tuple(found), origin_s
        at = self.verticalScrollBar().value()
        self.clear()
        for one in self.found:
            item = QListWidgetItem(listed(one, origin_s))
            item.setForeground(theme.colour(theme.ACCENT if one.who == ONLY_A else theme.SECOND))
            self.addItem(item)
        self.verticalScrollBar().setValue(at)

    def choose(self, one: Disagreement) -> None:
        """Mark its row."""
        if one in self.found:
            self.setCurrentRow(self.found.index(one))

    def sizeHint(self) -> QSize:
        """No more than it must have: what is left of the panel is its."""
        return QSize(super().sizeHint().width(), LEAST_PX)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and self.currentRow() >= 0:
            self.jumped.emit(self.found[self.currentRow()])
