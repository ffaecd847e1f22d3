"""Asked once before a live picture is left: a strip over the picture's edge; the picture goes on."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.widgets import theme
from app.widgets.action import Action, shown_keys
from app.widgets.controls import label

# Nobody answered: whoever pressed a key by mistake has gone on working.
ASKS_FOR_MS = 15_000

QUESTION = "A live source is open. Leave polyplive?"


class LeaveQuestion(QWidget):
    """Not modal. `answered`: True to leave. Staying is what Enter, Esc and no answer at all mean."""

    answered = Signal(bool)

    def __init__(self, quit_: Action, parent: QWidget) -> None:
        super().__init__(parent)
        self._quit = quit_
        self._question = label(QUESTION, role=theme.STRONG)
        self._inside = parent.rect()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("surface", "panel")
        self.setAccessibleName(QUESTION)
        self.stay = QPushButton("Stay")
        self.stay.setProperty("primary", True)
        self.leave = QPushButton("Leave")
        for button, leaves in ((self.stay, False), (self.leave, True)):
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.clicked.connect(lambda _=False, leaves=leaves: self._answer(leaves))
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.L, theme.S, theme.L, theme.S)
        row.setSpacing(theme.M)
        row.addWidget(self._question)
        row.addWidget(self.stay)
        row.addWidget(self.leave)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(ASKS_FOR_MS)
        self._timer.timeout.connect(lambda: self._answer(False))
        self.hide()

    @property
    def is_asking(self) -> bool:
        return not self.isHidden()

    def ask(self) -> None:
        keys = shown_keys(self._quit.keys)
        self._question.setText(f"{QUESTION} {keys} again leaves." if keys else QUESTION)
        self.show()
        self.keep_inside(self._inside)
        self.raise_()
        self.stay.setFocus()
        self._timer.start()

    def keep_inside(self, area: QRect) -> None:
        """Along the lower edge, in the middle."""
        self._inside = area
        size = self.sizeHint().boundedTo(area.size())
        left = area.left() + (area.width() - size.width()) // 2
        top = area.bottom() - size.height() - theme.L
        self.setGeometry(left, top, size.width(), size.height())

    def withdraw(self) -> None:
        """It is answered, or there is nothing left to ask about."""
        self._timer.stop()
        self.hide()

    def _answer(self, leaves: bool) -> None:
        self.withdraw()
        self.answered.emit(leaves)
