"""A question in a row of the page, with a button for each answer; nothing is covered meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.widgets import theme
from app.widgets.controls import label


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` of the button, and what it does."""

    text: str
    does: Callable[[], object]


class QuestionRow(QWidget):
    """Hidden until something is asked. Esc (`escape`) is the last answer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("surface", "panel")
        self._text = label()
        self._text.setWordWrap(True)
        self._buttons: list[QPushButton] = []
        self._answers: tuple[Answer, ...] = ()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(theme.L, theme.S, theme.L, theme.S)
        self._row.setSpacing(theme.S)
        self._row.addWidget(self._text, 1)
        self.hide()

    @property
    def text(self) -> str:
        """The question; empty while none is asked."""
        return "" if self.isHidden() else self._text.text()

    def ask(self, text: str, answers: Sequence[Answer], likely: int = 0) -> None:
        """In place of a question that stands there; `likely`: the answer that Enter gives."""
        self._clear()
        self._answers = tuple(answers)
        self._text.setText(text)
        for number, answer in enumerate(answers):
            button = QPushButton(answer.text)
            button.setProperty("primary", number == likely)
            button.setAutoDefault(True)
            button.clicked.connect(lambda _=False, one=answer: self.answer(one))
            self._row.addWidget(button)
            self._buttons.append(button)
        self.show()
        self._buttons[likely].setFocus()

    def answer(self, answer: Answer) -> None:
        """As its button does."""
        self.withdraw()
        answer.does()

    def withdraw(self) -> None:
        """It is not asked any more."""
        self._clear()
        self.hide()

    def escape(self) -> bool:
        """Answer with the last one; False when nothing is asked."""
        if not self._answers:
            return False
        self.answer(self._answers[-1])
        return True

    def _clear(self) -> None:
        self._answers = ()
        for button in self._buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._buttons = []
