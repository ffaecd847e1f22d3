"""Where a key is pressed that is wanted for an action: it hears every key, those of the window too."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLabel, QWidget

from app.settings.keys import pressed

ASKING = "Press the key… (Esc: leave it)"


class KeyField(QLabel):
    """Hidden until `ask`. `came` carries the key, portable; `left`: none is wanted after all."""

    came = Signal(str)
    left = Signal()
    escaped = Signal()  # left by Esc, not for something else

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(ASKING, parent)
        self.setProperty("pressing", True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setAccessibleName("Press the key that you want")
        self.hide()

    def ask(self) -> None:
        self.show()
        self.setFocus()

    def event(self, event: QEvent) -> bool:
        kind = event.type()
        if isinstance(event, QKeyEvent):
            event.accept()
            if kind is QEvent.Type.KeyPress and not event.isAutoRepeat():
                self._pressed(event)
            return True  # before Qt makes shortcuts, or the next control, of it
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._leave()

    def _pressed(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not event.modifiers():
            self._leave()
            self.escaped.emit()
        elif key := pressed(event):
            self.hide()
            self.came.emit(key)

    def _leave(self) -> None:
        if not self.isHidden():
            self.hide()
            self.left.emit()
