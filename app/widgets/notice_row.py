"""Faults as one line under the status row, and the hatched strips that say that nothing is being marked.

Both have a place of their own outside the picture: its size never changes, nothing ever covers it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from app.widgets import theme
from app.widgets.icons import icon, pixmap
from engine.faults import Fault, FaultCode

# What the banner's one button offers: its words, and the id of the action (app.actions_and_keys).
_AGAIN = ("Try again", "retry")
_OTHER = ("Choose another…", "open-recording")
_MODEL = ("Choose model", "model")
_RUNTIME = ("Choose runtime", "runtime")
ANSWERS: dict[FaultCode, tuple[str, str]] = {
    FaultCode.SOURCE_MISSING: _OTHER,
    FaultCode.SOURCE_UNREADABLE: _OTHER,
    FaultCode.SOURCE_LOST: _AGAIN,
    FaultCode.DEVICE_MISSING: _AGAIN,
    FaultCode.URL_UNREACHABLE: _AGAIN,
    FaultCode.MODEL_MISSING: _MODEL,
    FaultCode.MODEL_SCHEMA: _MODEL,
    FaultCode.MODEL_HASH: _MODEL,
    FaultCode.MODEL_LOAD: _MODEL,
    FaultCode.INFERENCE: _RUNTIME,
    FaultCode.RUNTIME_MISSING: _RUNTIME,
    FaultCode.EXTRA_MISSING: _RUNTIME,
    FaultCode.ARGUMENT: _OTHER,
}
ANEW = "start anew"  # in a remedy: what is known of a recording cannot be used, and is set aside
_DETAILS = ("Show faults", "faults")


@dataclass(frozen=True, slots=True)
class Notice:
    """What the banner shows: the newest fault and how many others there are."""

    fault: Fault
    others: int

    @property
    def answer(self) -> tuple[str, str]:
        if self.fault.code is FaultCode.REVIEW and ANEW in self.fault.remedy:
            return "Start anew", "review-anew"
        return ANSWERS.get(self.fault.code, _DETAILS)


def newest(faults: Iterable[Fault]) -> Notice | None:
    """The notice for these faults; a fatal one comes before a newer one that is not."""
    ordered = sorted(faults, key=lambda fault: (fault.fatal, fault.at_s))
    return Notice(ordered[-1], len(ordered) - 1) if ordered else None


class NoticeRow(QWidget):
    """Always there and mostly empty and black, so that the picture below never moves.

    `hides`: only there when it has something to say, for pages without a picture.
    """

    dismissed = Signal(object)  # Fault
    answered = Signal(str, object)  # action id, Fault
    changed = Signal()

    def __init__(self, parent: QWidget | None = None, *, hides: bool = False) -> None:
        super().__init__(parent)
        self._hides = hides
        self.setFixedHeight(theme.NOTICE_ROW_PX)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._notice: Notice | None = None
        self._hint: tuple[str, str] | None = None
        self._icon = QLabel()
        self._text = _Lines()
        if hides:
            self._text.needs_px.connect(self._grow)
        self._others = QLabel()
        self._others.setProperty("tone", "secondary")
        self._button = QPushButton(_DETAILS[0])
        self._button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._button.clicked.connect(self.answer)
        self._close = QToolButton()
        self._close.setIcon(icon("x"))
        self._close.setProperty("flat", True)
        self._close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._close.setAccessibleName("Close the message")
        self._close.clicked.connect(self.dismiss)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.L, 0, theme.S, 0)
        row.setSpacing(theme.M)
        row.addWidget(self._icon)
        row.addWidget(self._text, 1)
        row.addWidget(self._others)
        row.addWidget(self._button)
        row.addWidget(self._close)
        self._refresh()

    @property
    def closing(self) -> QToolButton:
        """The banner's cross."""
        return self._close

    @property
    def notice(self) -> Notice | None:
        return self._notice

    @property
    def text(self) -> str:
        """The words that stand there now."""
        return self._full_text()

    def fitted_px(self) -> int:
        """Width that its words, and its buttons where it has some, need on one line."""
        metrics = self._text.fontMetrics()
        parts: tuple[QWidget, ...] = (self._icon, self._others, self._button, self._close)
        beside = sum(part.sizeHint().width() + theme.M for part in parts if not part.isHidden())
        return metrics.horizontalAdvance(self._full_text()) + beside + 2 * theme.L

    def show_notice(self, notice: Notice | None) -> None:
        if notice != self._notice:
            self._notice = notice
            self._refresh()

    def show_hint(self, hint: tuple[str, str] | None) -> None:
        """A line (text, tone) without a button; a fault comes before it."""
        if hint != self._hint:
            self._hint = hint
            self._refresh()

    def answer(self) -> None:
        """Press the banner's button."""
        if self._notice is not None:
            self.answered.emit(self._notice.answer[1], self._notice.fault)

    def dismiss(self) -> None:
        """Press the banner's cross."""
        if self._notice is not None:
            self.dismissed.emit(self._notice.fault)

    @property
    def shown_text(self) -> str:
        """What there is room for of `text`."""
        return self._text.text()

    def _grow(self, text_px: int) -> None:
        self.setFixedHeight(max(theme.NOTICE_ROW_PX, text_px + 2 * theme.S))

    def _full_text(self) -> str:
        if self._notice is not None:
            return self._notice.fault.sentence
        return self._hint[0] if self._hint is not None else ""

    def _refresh(self) -> None:
        notice, hint = self._notice, self._hint
        tone = ("fault" if notice.fault.fatal else "attention") if notice else (hint[1] if hint else "")
        token = theme.FAULT if tone == "fault" else theme.ATTENTION
        parts: tuple[QWidget, ...] = (self._others, self._button, self._close)
        for part in parts:
            part.setVisible(notice is not None)
        self._icon.setVisible(bool(tone))
        self._text.show_words(self._full_text())
        self._text.setToolTip(self._full_text() if notice else "")
        self._text.setProperty("tone", "" if notice else tone)
        self.setProperty("surface", "panel" if notice else "black")
        if tone:
            self._icon.setPixmap(pixmap("triangle-alert", token, theme.ICON_PX, self.devicePixelRatioF()))
        if notice is not None:
            self._button.setText(notice.answer[0])
            self._others.setText(f"+{notice.others}" if notice.others else "")
            self._others.setToolTip(f"{notice.others} more under Faults")
        for widget in (self, self._text):
            widget.style().unpolish(widget)
            widget.style().polish(widget)
        self.setAccessibleName(self._full_text())
        if self._hides:
            self.setVisible(notice is not None)
        self.changed.emit()


class _Lines(QLabel):
    """As many whole lines as there is room for; `needs_px` tells the height that all of it would need."""

    needs_px = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._words = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setMinimumWidth(1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)

    def show_words(self, text: str) -> None:
        self._words = text
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.needs_px.emit(self._height_px(self._words))
        words, shown = self._words.split(" "), self._words
        while self._height_px(shown) > self.height() and len(words) > 1:
            words.pop()
            shown = " ".join(words) + "…"
        if shown != self.text():
            self.setText(shown)

    def _height_px(self, text: str) -> int:
        room = QRect(0, 0, max(1, self.width()), 1 << 16)
        return self.fontMetrics().boundingRect(room, Qt.TextFlag.TextWordWrap, text).height()


class HatchStrip(QWidget):
    """A thin strip above and below the picture, hatched while nothing is being marked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(theme.HATCH_PX)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._tone = ""

    @property
    def tone(self) -> str:
        """ "attention", "fault", or "" while it is plain black."""
        return self._tone

    def set_tone(self, tone: str) -> None:
        if tone != self._tone:
            self._tone = tone
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(theme.BLACK))
        if self._tone:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            token = theme.FAULT if self._tone == "fault" else theme.ATTENTION
            painter.setPen(QPen(theme.colour(token), theme.XS))
            height = self.height()
            for x in range(-height, self.width() + height, theme.L):
                painter.drawLine(QPointF(x, height + 2), QPointF(x + height + 4, -2))
        painter.end()
