"""A field for a few words, over the picture's lower edge: the note of a bookmark or of a finding."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.widgets import theme
from app.widgets.controls import label

STRIP_PX = 640
MAX_LETTERS = 200


class NoteField(QWidget):
    """Enter keeps what stands there, Esc leaves it as it was; `left` follows both."""

    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._inside = parent.rect()
        self._then: Callable[[str], None] = lambda text: None
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("surface", "panel")
        self._title = label(role=theme.STRONG)
        self.field = QLineEdit()
        self.field.setMaxLength(MAX_LETTERS)
        self.field.setPlaceholderText("A note, Enter keeps it")
        self.field.returnPressed.connect(self._keep)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.L, theme.S, theme.L, theme.S)
        row.setSpacing(theme.M)
        row.addWidget(self._title)
        row.addWidget(self.field, 1)
        self.hide()

    def ask(self, title: str, text: str, then: Callable[[str], None]) -> None:
        """`then` gets what was written."""
        self._then = then
        self._title.setText(title)
        self.field.setAccessibleName(title)
        self.field.setText(text)
        self.field.selectAll()
        self.show()
        self.keep_inside(self._inside)
        self.raise_()
        self.field.setFocus()

    def keep_inside(self, area: QRect) -> None:
        """Along the lower edge, in the middle."""
        self._inside = area
        width, height = min(STRIP_PX, area.width()), self.sizeHint().height()
        left = area.left() + (area.width() - width) // 2
        self.setGeometry(left, area.bottom() - height - theme.L, width, height)

    def withdraw(self) -> None:
        if not self.isHidden():
            self.hide()
            self.left.emit()

    def _keep(self) -> None:
        text = self.field.text().strip()
        self.withdraw()
        self._then(text)
