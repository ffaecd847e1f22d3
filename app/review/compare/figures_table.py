"""Figures of two analyses beside each other: a name, A, B."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.review.compare.said import Line
from app.widgets import theme
from app.widgets.controls import label, set_tone

VALUE_PX = 76
ROW_PX = 17


class FiguresTable(QWidget):
    """What is no longer true is grey until the new figures are there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Figures of both models")
        self.lines: tuple[Line, ...] = ()
        self._cells: list[tuple[QLabel, QLabel, QLabel]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.S)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnStretch(0, 1)
        self._heads = label("A", role=theme.STRONG), label("B", role=theme.STRONG)
        for column, head in enumerate(self._heads, 1):
            self._grid.setColumnMinimumWidth(column, VALUE_PX)
            head.setAlignment(Qt.AlignmentFlag.AlignRight)
            self._grid.addWidget(head, 0, column)

    def show_sides(self, a: str, b: str) -> None:
        """Of which weights, preset and threshold each column is."""
        for head, text in zip(self._heads, (a, b), strict=True):
            head.setToolTip(text)

    def show_lines(self, lines: Sequence[Line], *, is_old: bool) -> None:
        """`is_old`: what stands there is of before, and new figures are being made."""
        if lines:
            self.lines = tuple(lines)
        while len(self._cells) < len(self.lines):
            self._cells.append(self._add())
        for (name, a, b), one in zip(self._cells, self.lines, strict=False):
            name.setText(one.name)
            a.setText(one.a if one.b is not None else "")
            b.setText(one.b if one.b is not None else one.a)
            for cell in (name, a, b):
                cell.setToolTip(one.tip)
        for _, a, b in self._cells:
            for cell in (a, b):
                set_tone(cell, "secondary" if is_old else "")

    def _add(self) -> tuple[QLabel, QLabel, QLabel]:
        row = len(self._cells) + 1
        name, a, b = label(tone="secondary"), label(), label()
        self._grid.setRowMinimumHeight(row, ROW_PX)
        for column, cell in enumerate((name, a, b)):
            self._grid.addWidget(cell, row, column)
        for cell in (a, b):
            cell.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return name, a, b
