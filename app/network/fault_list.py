"""The faults of the side panel, newest first, each with its sentence."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from app.widgets import theme, words
from app.widgets.controls import label
from engine.faults import Fault
from engine.types import Incident


class FaultList(QWidget):
    dismissed = Signal(object)  # Fault

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._faults: tuple[Fault, ...] | None = None
        self._incidents: tuple[Incident, ...] = ()
        self._column = QVBoxLayout()
        self._column.setSpacing(theme.S)
        self._log = label(role=theme.CAPTION, tone="secondary")  # of what was wrong with live sources
        self._log.setWordWrap(True)
        self._log.hide()
        both = QVBoxLayout(self)
        both.setContentsMargins(0, 0, 0, 0)
        both.addLayout(self._column)
        both.addWidget(self._log)
        self.show_faults(())

    def show_faults(self, faults: tuple[Fault, ...]) -> None:
        if faults == self._faults:
            return
        self._faults = faults
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for fault in reversed(faults):
            self._column.addWidget(self._row(fault))
        if not faults:
            self._column.addWidget(label("None", tone="secondary"))

    def show_incidents(self, incidents: tuple[Incident, ...]) -> None:
        """What is over, newest first."""
        if incidents != self._incidents:
            self._incidents = incidents
            self._log.setText("\n".join(words.incident(one) for one in reversed(incidents)))
            self._log.setVisible(bool(incidents))

    def _row(self, fault: Fault) -> QWidget:
        text = label(fault.sentence, tone="fault" if fault.fatal else "attention")
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = QPushButton("Dismiss")
        close.setAccessibleName(f"Dismiss: {fault.sentence}")
        close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close.clicked.connect(lambda: self.dismissed.emit(fault))
        row = QWidget()
        column = QVBoxLayout(row)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)
        column.addWidget(label(fault.place.capitalize(), role=theme.CAPTION, tone="secondary"))
        column.addWidget(text)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignLeft)
        return row
