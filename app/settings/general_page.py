"""All settings but keys, a row each, made of their table (engine.settings)."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QToolButton, QVBoxLayout, QWidget

from app.settings.fields import FIELDS
from app.widgets import theme
from app.widgets.controls import label, line
from app.widgets.icons import icon
from engine.faults import FaultError
from engine.settings import ROWS, SettingRow, Settings, parse, value_of

PAGE_PX = 860
NONE_FOUND = "No setting has these words."


class SettingEntry(QWidget):
    """One row. `entered` carries a value that its type and a look allow; another one is said here."""

    entered = Signal(str, object)

    def __init__(self, row: SettingRow, over: str) -> None:
        super().__init__()
        self.row = row
        self.field = FIELDS[row.kind](row)
        self._value: object = row.default
        self._wrong = label(tone="fault")
        self._wrong.setWordWrap(True)
        self._wrong.hide()
        self.back = QToolButton()
        self.back.setProperty("flat", True)
        self.back.setIcon(icon("rotate-ccw"))
        self.back.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        policy = self.back.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.back.setSizePolicy(policy)
        default = row.said(row.default)
        self.back.setToolTip(f"Back to the default: {default}")
        self.back.setAccessibleName(f"{row.title}: back to the default")
        self.back.clicked.connect(lambda: self._take(row.default))
        self.field.entered.connect(self._take)
        self._lay_out(over)

    @property
    def wrong(self) -> str:
        """What is said of the value that was entered; "" of one that can be."""
        return "" if self._wrong.isHidden() else self._wrong.text()

    def show_value(self, value: object) -> None:
        """The one in force."""
        self._value = value
        self.field.show_value(value)
        self._wrong.hide()
        self.back.setVisible(value != self.row.default)

    def has(self, words: list[str]) -> bool:
        text = f"{self.row.heading} {self.row.title} {self.row.why} {self.row.key}".casefold()
        return all(word in text for word in words)

    def _take(self, value: object) -> None:
        try:
            value = parse(self.row.key, value, strict=False)
        except FaultError as wrong:
            self._wrong.setText(f"{wrong.expected[0].upper()}{wrong.expected[1:]}.")
            self._wrong.show()
            self.back.show()
            return
        self._wrong.hide()
        if value == self._value:
            self.show_value(value)
        else:
            self.entered.emit(self.row.key, value)

    def _lay_out(self, over: str) -> None:
        words = QVBoxLayout()
        words.setSpacing(theme.XS)
        words.addWidget(label(self.row.title))
        why = label(f"{self.row.why} {self.row.acts}".strip(), role=theme.CAPTION, tone="secondary")
        why.setWordWrap(True)
        words.addWidget(why)
        if over:
            again = label(
                f"{over} decides at every start; what is chosen here acts until then.",
                role=theme.CAPTION,
                tone="attention",
            )
            again.setWordWrap(True)
            words.addWidget(again)
        entry = QVBoxLayout()
        entry.setSpacing(theme.XS)
        entry.addWidget(self.field)
        entry.addWidget(self._wrong)
        self._wrong.setFixedWidth(self.field.width())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, theme.XS, 0, theme.XS)
        row.setSpacing(theme.L)
        row.addLayout(words, 1)
        row.addLayout(entry)
        row.setAlignment(entry, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.back, 0, Qt.AlignmentFlag.AlignTop)


class GeneralPage(QScrollArea):
    """`changed` carries what a person wants, by its key; the default as None. `over`: who decides a key at
    the start, where that is not the file.
    """

    changed = Signal(object)

    def __init__(self, over: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = {key: SettingEntry(row, over.get(key, "")) for key, row in ROWS.items()}
        self._headings: dict[str, QWidget] = {}
        self._none = label(NONE_FOUND, tone="secondary")
        for row in self.rows.values():
            row.entered.connect(self._entered)
        self._lay_out()
        self.show_found("")

    def show_settings(self, settings: Settings) -> None:
        """What is in force now; a wrong value that is being entered stays to be corrected."""
        for key, row in self.rows.items():
            if not row.wrong:
                row.show_value(value_of(settings, key))

    def show_choices(self, choices: Mapping[str, Mapping[str, str]]) -> None:
        """What can be chosen, by key, where that had to be looked for."""
        for key, reasons in choices.items():
            self.rows[key].field.show_choices(reasons)

    def show_found(self, words: str) -> int:
        """Show what has these words; how many it are."""
        wanted = words.casefold().split()
        shown = {key for key, row in self.rows.items() if row.has(wanted)}
        for key, row in self.rows.items():
            row.setVisible(key in shown)
        for heading, box in self._headings.items():
            box.setVisible(any(ROWS[key].heading == heading for key in shown))
        self._none.setVisible(not shown)
        return len(shown)

    def _entered(self, key: str, value: object) -> None:
        self.rows[key].show_value(value)
        self.changed.emit({key: None if value == self.rows[key].row.default else value})

    def _lay_out(self) -> None:
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, theme.L, theme.L)
        column.setSpacing(theme.S)
        for row in self.rows.values():
            heading = row.row.heading
            if heading not in self._headings:
                self._headings[heading] = box = QWidget()
                top = QVBoxLayout(box)
                top.setContentsMargins(0, theme.M if len(self._headings) > 1 else 0, 0, 0)
                top.setSpacing(theme.S)
                top.addWidget(label(heading, role=theme.STRONG))
                top.addWidget(line())
                column.addWidget(box)
            column.addWidget(row)
        column.addWidget(self._none)
        column.addStretch(1)
        content = QWidget()
        content.setMaximumWidth(PAGE_PX)
        content.setLayout(column)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(content)
