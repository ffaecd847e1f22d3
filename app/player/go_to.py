"""`G`: a field for a frame or a time, over the picture's edge; it says where that is before one goes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.player.places import EXAMPLES, Place, Span, place_of
from app.widgets import theme
from app.widgets.controls import label, set_tone

FIELD_PX = 140
STRIP_PX = 720
MAX_LETTERS = 32


class GoTo(QWidget):
    """`asked` carries a Place. Enter goes there, Esc and a click elsewhere close it; `left` follows both."""

    asked = Signal(object)
    left = Signal()

    def __init__(self, span: Callable[[], Span], parent: QWidget) -> None:
        super().__init__(parent)
        self._span = span
        self._inside = parent.rect()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("surface", "panel")
        self.field = _Field()
        self.field.setFixedWidth(FIELD_PX)
        self.field.setMaxLength(MAX_LETTERS)
        self.field.setAccessibleName("Go to frame or time")
        self.field.textChanged.connect(self._tell)
        self.field.returnPressed.connect(self._go)
        self.field.left.connect(self.withdraw)
        self._hint = label(EXAMPLES, tone="secondary")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.L, theme.S, theme.L, theme.S)
        row.setSpacing(theme.M)
        row.addWidget(label("Go to", role=theme.STRONG))
        row.addWidget(self.field)
        row.addWidget(self._hint, 1)
        self.hide()

    @property
    def hint(self) -> str:
        """What the field says of what stands in it."""
        return self._hint.text()

    def ask(self) -> None:
        self.field.clear()
        self._tell("")
        self.show()
        self.keep_inside(self._inside)
        self.raise_()
        self.field.setFocus()

    def keep_inside(self, area: QRect) -> None:
        """Along the lower edge, in the middle."""
        self._inside = area
        width, height = min(STRIP_PX, area.width()), self.sizeHint().height()
        top = area.bottom() - height - theme.L
        self.setGeometry(area.left() + (area.width() - width) // 2, top, width, height)

    def withdraw(self) -> None:
        if not self.isHidden():
            self.hide()
            self.left.emit()

    def _tell(self, text: str) -> None:
        """Say where it is, or what is wrong with it; never a lone letter that is still being typed."""
        try:
            said, tone = (place_of(text, self._span()).said, "") if text.strip() else (EXAMPLES, "secondary")
        except ValueError as error:
            said, tone = str(error), "attention"
        self._hint.setText(said)
        self._hint.setToolTip(said)
        set_tone(self._hint, tone)

    def _go(self) -> None:
        try:
            place: Place = place_of(self.field.text(), self._span())
        except ValueError:
            return  # the hint says why
        self.withdraw()
        self.asked.emit(place)


class _Field(QLineEdit):
    left = Signal()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self.left.emit()
