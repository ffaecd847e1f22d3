"""All actions with their keys, a row each, as far as a search leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from app.settings.keys import KeyMap
from app.widgets import theme
from app.widgets.action import Action, shown_keys

COLUMNS = ("Action", "Group", "Keys")
WIDTHS_PX = {1: 160, 2: 240}
_Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole


def found(actions: Sequence[Action], words: str) -> tuple[Action, ...]:
    """Those with all these words in text, section or keys."""
    wanted = words.casefold().split()
    return tuple(one for one in actions if all(word in _searched(one) for word in wanted))


def _searched(action: Action) -> str:
    said = (action.text(), action.section.value, *action.keys, shown_keys(action.keys))
    return " ".join(said).casefold()


class KeyTable(QTableView):
    """`chosen`: the row that is marked; `asked`: its key is wanted otherwise (a double click, or Enter)."""

    chosen = Signal(object)  # Action or None
    asked = Signal()

    def __init__(self, keys: KeyMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys = keys
        self._rows = _Rows(keys, self)
        self.setModel(self._rows)
        self.setAccessibleName("Keys of all actions")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setProperty("rows", True)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(theme.CONTROL_PX)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, width_px in WIDTHS_PX.items():
            header.resizeSection(column, width_px)
        self.selectionModel().currentRowChanged.connect(lambda *_: self.chosen.emit(self.action))
        self.activated.connect(lambda _: self.asked.emit())
        self.show_found("")

    @property
    def action(self) -> Action | None:
        """The one that is marked."""
        index = self.currentIndex()
        return self._rows.actions[index.row()] if index.isValid() else None

    @property
    def listed(self) -> tuple[Action, ...]:
        return self._rows.actions

    def show_found(self, words: str) -> None:
        """What is marked stays so where it is still listed; else the first row is."""
        before = self.action
        self._rows.replace(found(tuple(self._keys.actions.values()), words))
        if self.listed:
            self.mark(before if before in self.listed else self.listed[0])
        else:
            self.chosen.emit(None)

    def mark(self, action: Action) -> None:
        self.setCurrentIndex(self._rows.index(self.listed.index(action), 0))

    def refresh(self) -> None:
        """The keys are other ones."""
        self._rows.refresh()


class _Rows(QAbstractTableModel):
    def __init__(self, keys: KeyMap, parent: QWidget) -> None:
        super().__init__(parent)
        self._keys = keys
        self.actions: tuple[Action, ...] = ()

    def replace(self, actions: tuple[Action, ...]) -> None:
        self.beginResetModel()
        self.actions = actions
        self.endResetModel()

    def refresh(self) -> None:
        if self.actions:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.actions) - 1, len(COLUMNS) - 1))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.actions)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == _Role.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: _Index, role: int = _Role.DisplayRole) -> Any:
        action, column = self.actions[index.row()], index.column()
        own = self._keys.is_own(action.entry.id)
        if role == _Role.DisplayRole:
            keys = (shown_keys(action.keys) or "none") + (", yours" if own else "")
            return (action.text().rstrip("…"), action.section.value, keys)[column]
        if role == _Role.ForegroundRole and column == 1:
            return QColor(theme.SECONDARY)
        if role == _Role.ForegroundRole and column == 2 and own:
            return QColor(theme.ACCENT)
        return None
