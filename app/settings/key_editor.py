"""The keys of one action: change one by pressing another, add one, take one away, back to the default."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.settings.key_field import KeyField
from app.settings.keys import KeyMap
from app.widgets import theme
from app.widgets.action import Action, shown_keys
from app.widgets.controls import label
from app.widgets.icons import icon


class KeyEditor(QWidget):
    """Shows an action; what is pressed is in force at once. `ended`: nothing is asked any more."""

    ended = Signal()

    def __init__(self, keys: KeyMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys = keys
        self._action: Action | None = None
        self._instead = ""  # the key that is changed, "" while one is added
        self._wanted = ""
        self.title = label(role=theme.LEAD)
        self.title.setWordWrap(True)
        self._where = label(tone="secondary")
        self._rows = QVBoxLayout()
        self._rows.setSpacing(theme.XS)
        self.add = QPushButton("Add a key")
        self.add.clicked.connect(lambda: self.ask(""))
        self.field = KeyField()
        self.field.came.connect(self.take)
        self.field.left.connect(self._settle)
        self.field.escaped.connect(self.ended)
        self._said = label()
        self._said.setWordWrap(True)
        self.swap, self.leave = QPushButton(), QPushButton("Leave it")
        self.swap.setProperty("primary", True)
        self.swap.clicked.connect(self._swap)
        self.leave.clicked.connect(self._settle)
        self.leave.clicked.connect(self.ended)
        self.back = QPushButton()
        self.back.clicked.connect(lambda: self._keys.reset(self._id))
        keys.changed.connect(self._settle)
        self._lay_out()
        self.show_action(None)

    @property
    def said(self) -> str:
        """What stands there of the key that was pressed; "" when there is nothing to say."""
        return "" if self._said.isHidden() else self._said.text()

    def show_action(self, action: Action | None) -> None:
        self._action = action
        self._settle()

    def ask(self, instead: str | None = None) -> None:
        """Wait for a key: in the place of `instead`, "" for one more, None for the first one."""
        if self._action is None:
            return
        first = self._action.keys[0] if self._action.keys else ""
        self._settle()
        self._instead = first if instead is None else instead
        self.field.ask()

    def take(self, key: str) -> None:
        """A key was pressed: it is in force, or it is said who has it."""
        assert self._action is not None
        others = self._keys.others(self._id, key)
        if key in self._action.keys:
            self._settle()
        elif others:
            self._wanted = key
            self._offer(others)
        else:
            self._give(key)

    # Inside

    @property
    def _id(self) -> str:
        assert self._action is not None
        return self._action.entry.id

    def _give(self, key: str) -> None:
        if self._instead:
            self._keys.replace(self._id, self._instead, key)
        else:
            self._keys.add(self._id, key)
        self.ended.emit()

    def _offer(self, others: tuple[Action, ...]) -> None:
        taken = " and ".join(f"“{other.text().rstrip('…')}”" for other in others)
        key = shown_keys([self._wanted])
        instead = f" Swapped, that gets {shown_keys([self._instead])}." if self._instead else ""
        self._said.setText(f"{key} is {taken}.{instead}")
        self.swap.setText("Swap them" if self._instead else "Take it from there")
        for widget in (self._said, self.swap, self.leave):
            widget.show()
        self.swap.setFocus()

    def _swap(self) -> None:
        self._give(self._wanted)

    def _settle(self) -> None:
        """As it is now, with nothing asked."""
        self._instead = self._wanted = ""
        self.field.hide()
        for widget in (self._said, self.swap, self.leave):
            widget.hide()
        while (item := self._rows.takeAt(0)) is not None:
            if (row := item.widget()) is not None:
                row.deleteLater()
        action = self._action
        self.setEnabled(action is not None)
        self.title.setText("" if action is None else action.text().rstrip("…"))
        self._where.setText("" if action is None else action.section.value)
        self.add.setHidden(action is None)
        self.back.setVisible(action is not None and self._keys.is_own(action.entry.id))
        if action is None:
            return
        self.back.setText(f"Back to {shown_keys(action.entry.keys)}")
        for key in action.keys:
            self._rows.addWidget(self._row(key))
        if not action.keys:
            self._rows.addWidget(label("It has no key.", tone="secondary"))

    def _row(self, key: str) -> QWidget:
        shown = shown_keys([key])
        change = QPushButton(shown)
        change.setToolTip(f"Press another key in the place of {shown}")
        change.clicked.connect(partial(self.ask, key))
        away = QToolButton()
        away.setProperty("flat", True)
        away.setIcon(icon("x"))
        away.setAccessibleName(f"Without {shown}")
        away.setToolTip(f"Without {shown}")
        away.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        away.clicked.connect(lambda: self._keys.remove(self._id, key))
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.XS)
        row.addWidget(change, 1)
        row.addWidget(away)
        return box

    def _lay_out(self) -> None:
        answers = QHBoxLayout()
        answers.setSpacing(theme.S)
        answers.addWidget(self.swap)
        answers.addWidget(self.leave)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.L, theme.M, theme.L, theme.M)
        column.setSpacing(theme.S)
        column.addWidget(self.title)
        column.addWidget(self._where)
        column.addSpacing(theme.S)
        column.addLayout(self._rows)
        column.addWidget(self.add)
        column.addWidget(self.field)
        column.addWidget(self._said)
        column.addLayout(answers)
        column.addSpacing(theme.S)
        column.addWidget(self.back)
        column.addStretch(1)
