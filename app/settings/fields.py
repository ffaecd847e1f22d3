"""TABLE of what a setting is entered with, by kind. Each shows a value, and tells what a person entered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.widgets import theme, words
from app.widgets.controls import Choice
from app.widgets.pick import ask_for_file, ask_for_folder
from engine.settings import Kind, SettingRow

FIELD_PX = 320
# What the table of settings cannot know: words of other tables.
SAID = {"ai.runtime": words.runtime_name}


class Field(QWidget):
    """`entered` carries what a person wants, text where it is typed."""

    entered = Signal(object)

    def __init__(self, row: SettingRow, control: QWidget) -> None:
        super().__init__()
        self.row = row
        self.control = control
        self.setFixedWidth(FIELD_PX)
        control.setAccessibleName(row.title)
        self.setFocusProxy(control)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)
        column.addWidget(control)

    def show_value(self, value: object) -> None:
        """What is in force; nothing is `entered` by that."""

    def show_choices(self, reasons: Mapping[str, str]) -> None:
        """What can be chosen, by its reason why not; for those that must be looked for."""


class SwitchField(Field):
    def __init__(self, row: SettingRow) -> None:
        self.box = QCheckBox()
        super().__init__(row, self.box)
        self.box.clicked.connect(lambda on: self.entered.emit(on))

    def show_value(self, value: object) -> None:
        self.box.setChecked(bool(value))
        self.box.setText(self.row.said(bool(value)))


class ChoiceField(Field):
    def __init__(self, row: SettingRow) -> None:
        self.choice = Choice(row.title)
        super().__init__(row, self.choice)
        self._values: tuple[str, ...] = row.choices
        self._fill()
        self.choice.chosen.connect(self.entered)

    def show_value(self, value: object) -> None:
        if value not in self._values:  # such as a model by its folder
            self._values = (*self._values, str(value))
            self._fill()
        self.choice.select(value)

    def show_choices(self, reasons: Mapping[str, str]) -> None:
        more = [value for value in self._values if value not in reasons]
        self._values = (*reasons, *more)
        self._fill()
        self.choice.refuse({value: why for value, why in reasons.items() if why})

    def _fill(self) -> None:
        said = SAID.get(self.row.key, self.row.said)
        self.choice.fill([(said(value), value) for value in self._values])


class TextField(Field):
    """Taken when Enter is pressed or the field is left."""

    def __init__(self, row: SettingRow) -> None:
        self.line = QLineEdit()
        super().__init__(row, self.line)
        self._shown = ""
        limits = " ".join(part for part in (row.unit, row.limits) if part)
        self.line.setPlaceholderText(", ".join(part for part in (row.usual, limits) if part))
        self.line.editingFinished.connect(self._finished)

    def show_value(self, value: object) -> None:
        self._shown = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
        self.line.setText(self._shown)

    def _finished(self) -> None:
        text = self.line.text().strip()
        if text != self._shown:
            self._shown = text
            self.entered.emit(text or self.row.default)


class PathField(TextField):
    """Typed, or chosen in a dialog."""

    def __init__(self, row: SettingRow) -> None:
        super().__init__(row)
        self.pick = QPushButton("Choose…")
        self.pick.clicked.connect(self._ask)
        buttons = QHBoxLayout()
        buttons.addWidget(self.pick)
        buttons.addStretch(1)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.addLayout(buttons)

    def show_value(self, value: object) -> None:
        super().show_value(value)
        self.line.setToolTip(str(value or ""))
        self.line.setCursorPosition(0)

    def _ask(self) -> None:
        if self.row.picks == "folder":
            ask_for_folder(self, self.row.title, self.entered.emit)
        else:
            start_in = Path(self._shown).parent if self._shown else None
            ask_for_file(self, self.row.title, "All files (*)", start_in, self.entered.emit)


FIELDS: Mapping[Kind, Callable[[SettingRow], Field]] = {
    Kind.SWITCH: SwitchField,
    Kind.CHOICE: ChoiceField,
    Kind.NUMBER: TextField,
    Kind.PATH: PathField,
}
