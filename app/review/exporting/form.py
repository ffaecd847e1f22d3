"""What is wanted of an export: what for, which frames, of which part, how a clip looks, where to."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QPushButton, QWidget

from app.player.status_row import Elided
from app.review.exporting.choices import (
    FULL_FRAME,
    LOOKS,
    Range,
    There,
    free_folder,
    only_rows,
    usual_only,
    what_is_missed,
    why_nothing,
)
from app.widgets import theme
from app.widgets.controls import Choice, label, set_tone
from engine.review.exports.formats import FORMATS, Look, Only

USUAL = "masks"


class ExportForm(QWidget):
    """`changed`: something else is wanted; `folder_asked`: another place for it."""

    changed = Signal()
    folder_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._there: There | None = None
        self._parent = Path.home()
        self.format = Choice("What for")
        self.format.fill([(row.title, name) for name, row in FORMATS.items()])
        self.format.select(USUAL)
        self._about = label(tone="secondary", role=theme.CAPTION)
        self.only = Choice("Which frames")
        self.range = Choice("Range")
        self.look = Choice("Look of the clip")
        self.look.fill([(words, look) for look, words in LOOKS.items()])
        self.full_frame = QCheckBox("Full frame, not the endoscope's picture alone")
        self._warning = label(FULL_FRAME, tone="attention", role=theme.CAPTION)
        self._warning.setVisible(False)
        self._folder = Elided()
        self._change = QPushButton("Change…")
        self._hint = label()
        for words in (self._about, self._warning, self._hint):
            words.setWordWrap(True)
        self._lay_out()
        self.format.chosen.connect(lambda _: self._show_format())
        self.only.chosen.connect(lambda _: self._show_hint())
        self.full_frame.toggled.connect(self._warning.setVisible)
        self._change.clicked.connect(self.folder_asked)
        self._show_format()

    @property
    def name(self) -> str:
        return str(self.format.currentData())

    @property
    def wanted_only(self) -> Only:
        return Only(self.only.currentData())

    @property
    def wanted_range(self) -> Range:
        found: Range = self.range.currentData()
        return found

    @property
    def wanted_look(self) -> Look:
        return Look(self.look.currentData())

    @property
    def hint(self) -> str:
        """What stands below: why nothing would come of it, or what would be missed."""
        return self._hint.text()

    @property
    def can_be(self) -> bool:
        return self._there is not None and not why_nothing(self.name, self.wanted_only, self._there)

    def folder(self, now: datetime) -> Path:
        """Where it goes: a new folder."""
        return free_folder(self._parent, self.name, now)

    def show_there(self, there: There, parent: Path) -> None:
        """What there is to choose among now; what was chosen stays where it still can be."""
        self._there, self._parent = there, parent
        self._show_format()

    def _show_format(self) -> None:
        row, there = FORMATS[self.name], self._there or There()
        self._about.setText(f"{row.about[0].upper()}{row.about[1:]}.")
        self.only.fill(list(only_rows(self.name, there)))
        self.only.select(usual_only(self.name, there))
        self.only.setEnabled(self.only.count() > 1)
        ranges: list[tuple[str, object]] = [("The whole recording", None)]
        ranges += [
            (f"{words}, frames {found[0]} to {found[1]}", found)
            for words, found in (("The loop", there.loop), ("This finding", there.finding))
            if found is not None
        ]
        self.range.fill(ranges)
        self.look.setVisible(row.looks)
        self._look_words.setVisible(row.looks)
        self.full_frame.setVisible(row.pictures)
        self._warning.setVisible(row.pictures and self.full_frame.isChecked())
        self._folder.set_text(str(self._parent))
        self._show_hint()

    def _show_hint(self) -> None:
        there = self._there
        nothing = "" if there is None else why_nothing(self.name, self.wanted_only, there)
        self._hint.setText(nothing or ("" if there is None else what_is_missed(there)))
        set_tone(self._hint, "attention" if nothing else "secondary")
        self._hint.setVisible(bool(self._hint.text()))
        self.changed.emit()

    def _lay_out(self) -> None:
        self._look_words = label("Look", tone="secondary")
        place = QWidget()
        folder = QHBoxLayout(place)
        folder.setContentsMargins(0, 0, 0, 0)
        folder.setSpacing(theme.S)
        folder.addWidget(self._folder, 1)
        folder.addWidget(self._change)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.L)
        grid.setVerticalSpacing(theme.S)
        grid.setColumnStretch(1, 1)
        rows: tuple[tuple[QWidget | None, QWidget], ...] = (
            (label("What for", tone="secondary"), self.format),
            (None, self._about),
            (label("Which", tone="secondary"), self.only),
            (label("Range", tone="secondary"), self.range),
            (self._look_words, self.look),
            (None, self.full_frame),
            (None, self._warning),
            (label("Into a new folder in", tone="secondary"), place),
        )
        for number, (words, control) in enumerate(rows):
            if words is not None:
                grid.addWidget(words, number, 0)
            grid.addWidget(control, number, 1)
        grid.addWidget(self._hint, len(rows), 0, 1, 2)
        grid.setRowStretch(len(rows) + 1, 1)
        grid.setAlignment(self.full_frame, Qt.AlignmentFlag.AlignLeft)
