"""The table of recordings: only rows in sight are drawn, and only their pictures fetched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QHeaderView, QTreeView, QWidget

from app.library.drawn import Drawn, Thumbnail
from app.library.listing import COLUMNS, NUMBERS, Column, Only, Row, listed
from app.library.said import said, tip
from app.widgets import theme

WIDTHS_PX = {
    Column.LENGTH: 76,
    Column.FINDINGS: 76,
    Column.VERIFIED: 76,
    Column.MODEL: 140,
    Column.OPENED: 148,
    Column.STATE: 168,
}
REMOVE = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
_Index = QModelIndex | QPersistentModelIndex


class LibraryTable(QTreeView):
    """`opened`: Enter or a double click; `removed`: Del; `asked_more`: a menu is wanted there."""

    opened = Signal(object)  # Row
    removed = Signal(object)  # Row
    asked_more = Signal(object, QPoint)  # Row
    chosen_changed = Signal()

    def __init__(self, thumbnail: Thumbnail, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = _Rows(self)
        self.setModel(self._rows)
        self._drawn = Drawn(thumbnail, self._row_at, self)
        self.setItemDelegate(self._drawn)
        self.setUniformRowHeights(True)
        self.setRootIsDecorated(False)
        self.setItemsExpandable(False)
        self.setMouseTracking(True)
        self.setAllColumnsShowFocus(True)
        self.setFrameShape(QTreeView.Shape.NoFrame)
        self.setAccessibleName("Recordings")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        palette = self.palette()
        palette.setColor(palette.ColorRole.Highlight, theme.colour(theme.HOVER))  # drawn under the cells
        self.setPalette(palette)
        self._lay_out_header()
        self.activated.connect(lambda index: self.opened.emit(self._row_at(index)))
        self.selectionModel().currentChanged.connect(self.chosen_changed)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Those that are listed, in their order."""
        return self._rows.rows

    @property
    def chosen(self) -> Row | None:
        index = self.currentIndex()
        return self._row_at(index) if index.isValid() else None

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        """Of all recordings; what was chosen stays chosen, and in its place, where it is still listed."""
        self._keeping_the_choice(lambda: self._rows.show(rows))

    def seek(self, words: str, only: Only) -> None:
        """List those alone."""
        self._keeping_the_choice(lambda: self._rows.seek(words, only))

    def set_names(self, names: bool) -> None:
        """Neither titles nor pictures where others look on."""
        self._drawn.names = names
        self.viewport().update()

    def repaint_pictures(self) -> None:
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in REMOVE and self.chosen is not None:
            self.removed.emit(self.chosen)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.chosen is not None:
            self.opened.emit(self.chosen)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self.indexAt(self.viewport().mapFrom(self, event.pos()))
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            index = self.currentIndex()
        if index.isValid():
            self.setCurrentIndex(index)
            self.asked_more.emit(self._row_at(index), event.globalPos())

    def _keeping_the_choice(self, change: Callable[[], None]) -> None:
        before, at = self.chosen, self.verticalScrollBar().value()
        change()
        if before is not None and self.chosen is None:
            place = next((n for n, row in enumerate(self.rows) if row.key == before.key), None)
            self.setCurrentIndex(QModelIndex() if place is None else self._rows.index(place, 0))
        self.verticalScrollBar().setValue(at)
        self.chosen_changed.emit()

    def _row_at(self, index: _Index) -> Row:
        return self._rows.rows[index.row()]

    def _lay_out_header(self) -> None:
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        header.setHighlightSections(False)
        for number, column in enumerate(COLUMNS):
            if column in WIDTHS_PX:
                header.setSectionResizeMode(number, QHeaderView.ResizeMode.Interactive)
                self.setColumnWidth(number, WIDTHS_PX[column])
            else:
                header.setSectionResizeMode(number, QHeaderView.ResizeMode.Stretch)
        header.setSortIndicator(COLUMNS.index(Column.OPENED), Qt.SortOrder.DescendingOrder)
        self.setSortingEnabled(True)


class _Rows(QAbstractItemModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.rows: tuple[Row, ...] = ()
        self._all: tuple[Row, ...] = ()
        self._words, self._only = "", Only.ALL
        self._by, self._down = Column.OPENED, True

    def show(self, rows: tuple[Row, ...]) -> None:
        if rows != self._all:
            self._all = rows
            self._list()

    def seek(self, words: str, only: Only) -> None:
        self._words, self._only = words, only
        self._list()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._by, self._down = COLUMNS[column], order is Qt.SortOrder.DescendingOrder
        self._list()

    def _list(self) -> None:
        rows = listed(self._all, self._words, self._only, self._by, down=self._down)
        same = len(rows) == len(self.rows)  # states change more often than rows come and go
        if same and all(row.key == old.key for row, old in zip(rows, self.rows, strict=True)):
            self.rows = rows
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(COLUMNS) - 1))
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def index(self, row: int, column: int, parent: _Index = QModelIndex()) -> QModelIndex:
        return QModelIndex() if parent.isValid() else self.createIndex(row, column)

    def parent(self, index: _Index = QModelIndex()) -> QModelIndex:  # type: ignore[override]
        return QModelIndex()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].value
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if COLUMNS[section] in NUMBERS else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], COLUMNS[index.column()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return said(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column in NUMBERS else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None
