"""The row over the picture: the word, what is playing, how fast, and the few buttons an operator needs."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.player.alarm_button import AlarmButton
from app.player.word_label import StateWordLabel
from app.widgets import theme, words
from app.widgets.action import Action
from app.widgets.controls import flat_button, follow_tip
from app.widgets.menu import menu_button
from engine.types import AiState, Snapshot, StateWord

AI_TEXTS = {
    AiState.ON: "AI on",
    AiState.LOADING: "AI starting",
    AiState.OFF: "AI off",
    AiState.FAULT: "AI fault",
}
NUMBERS = "What computes the masks · due to painted, median · pictures shown a second · pictures dropped"
DASHED = "The outlines are of an older picture, moved with it, dashed. One that is missing is not late"
# Of the word's letters: both are there for eyes 2 m away, too.
ICON_FRAC, LATE_FRAC = 0.8, 0.65
LATE_PX = 260  # what is wrong just now has so much room before the figures give way
WITHOUT_PICTURES = frozenset({StateWord.NO_SIGNAL, StateWord.FROZEN, StateWord.FAILED, StateWord.OPENING})


class StatusRow(QWidget):
    """`fade` leaves only the word, and how late masks are: full screen, when the mouse rests."""

    def __init__(self, actions: Mapping[str, Action], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("surface", "black")
        self.word = StateWordLabel()
        self._late = _Fitted("late", "attention", LATE_PX)
        self._late.hide()
        self.alarm = AlarmButton(actions["alarm"])
        self._source = Elided()
        self._line = self._region = ""
        self._numbers = _Fitted("numbers", "secondary", 0)
        self._ai = QToolButton()
        self._ai.setCheckable(True)
        self._ai.setProperty("switch", True)
        self._ai.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        follow_tip(self._ai, actions["ai"])
        self._ai.setText(AI_TEXTS[AiState.LOADING])
        self._ai.clicked.connect(actions["ai"].trigger)
        self._menu = menu_button(actions)
        self._buttons = [
            self._ai,
            flat_button(actions["close"]),
            flat_button(actions["panel"]),
            flat_button(actions["full-screen"]),
            self._menu,
        ]
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(theme.L, 0, theme.S, 0)
        row.setSpacing(theme.XS)
        row.addWidget(self.word)
        row.addWidget(self.alarm)
        row.addWidget(self._late)
        row.addSpacing(theme.M)
        row.addWidget(self._source, 1)
        row.addWidget(self._numbers)
        row.addSpacing(theme.M)
        for button in self._buttons:
            row.addWidget(button)
        row.insertSpacing(row.count() - 4, theme.S)
        self._fading = [self._source, self._numbers, *self._buttons]
        self.set_word_px(theme.WORD_PX)

    @property
    def first_focus(self) -> QWidget:
        return self._ai

    @property
    def numbers(self) -> str:
        return self._numbers.whole

    def least_px(self) -> int:
        """Width that it needs for what is not faded."""
        return self._row.minimumSize().width()

    def set_word_px(self, height_px: int) -> None:
        """The word's size; the row is as high as it needs."""
        self.word.set_height_px(height_px)
        self.alarm.set_height_px(min(round(height_px * ICON_FRAC), theme.CONTROL_PX - theme.XS))
        self._late.set_letters_px(max(theme.BASE_PX, round(height_px * LATE_FRAC)))
        row_px = max(theme.STATUS_ROW_PX, round(height_px * theme.STATUS_ROW_PX / theme.WORD_PX))
        if row_px != self.height():
            self.setFixedHeight(row_px)

    def show_snapshot(self, snapshot: Snapshot, *, named: bool = True) -> None:
        """All but the word, which the page sets at once: these figures may lag a little."""
        self._line = words.source_line(snapshot.info, named=named)
        self.set_region(self._region)
        self._numbers.set_text(words.numbers_line(snapshot), NUMBERS)
        # Green only while there are pictures that it marks.
        self._ai.setChecked(snapshot.ai_state is AiState.ON and snapshot.word not in WITHOUT_PICTURES)
        self._ai.setText(AI_TEXTS[snapshot.ai_state])
        self._ai.setAccessibleName(self._ai.text())

    def set_region(self, text: str) -> None:
        """What a person has chosen that the network looks at, behind what is known of the source."""
        self._region = text
        self._source.set_text(" · ".join(part for part in (self._line, text) if part))

    @property
    def late(self) -> str:
        return self._late.whole

    def set_late(self, text: str) -> None:
        """Beside the word: how late masks are, what is wrong with the view; "" for nothing. Never fades."""
        self._late.set_text(text, DASHED if text.startswith("Marks") else "")
        self._late.setVisible(bool(text))

    def fade(self, faded: bool) -> None:
        for widget in self._fading:
            widget.setVisible(not faded)


class _Fitted(QLabel):
    """A line as wide as its words; where that is too much they are shortened, down to `least_px`."""

    def __init__(self, name: str, tone: str, least_px: int) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("tone", tone)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.whole = ""
        self._least_px = least_px
        self._letters_px = theme.BASE_PX

    def set_text(self, text: str, explained: str = "") -> None:
        if text != self.whole:
            self.whole = text
            self.setAccessibleName(text)
            self.setToolTip("\n".join(part for part in (text, explained) if part))
            self.updateGeometry()
            self._elide()

    def set_letters_px(self, letters_px: int) -> None:
        if letters_px != self._letters_px:
            self._letters_px = letters_px
            self.setStyleSheet(f"font-size: {letters_px}px")
            self.updateGeometry()
            self._elide()

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self.whole) + 1, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        whole = self.sizeHint()
        return QSize(min(whole.width(), self._least_px), whole.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self.whole, Qt.TextElideMode.ElideRight, self.width())
        if shown != self.text():
            self.setText(shown)


class Elided(QLabel):
    """A line that gives way to its neighbours: shortened in the middle, whole in the tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("tone", "secondary")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._whole = ""

    def set_text(self, text: str) -> None:
        if text != self._whole:
            self._whole = text
            self.setToolTip(text)
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, self.width())
        if shown != self.text():
            self.setText(shown)
