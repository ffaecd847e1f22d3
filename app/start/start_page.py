"""Where everything begins: four ways to a picture, what was opened before, and whether the AI is ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.start.recent import RecentItem
from app.start.recent_list import RecentList, RecentRow
from app.start.source_forms import DeviceForm, StreamForm
from app.widgets import theme, words
from app.widgets.action import Action
from app.widgets.controls import follow_tip, label, set_tone, text_button
from app.widgets.icons import pixmap
from app.widgets.menu import menu_button
from app.widgets.notice_row import NoticeRow
from engine.types import Snapshot

CONTENT_PX = 1120
CARD_ICON_PX = 32
# id of the action, words under the title
CARDS = (
    ("open-recording", "Open recording", "A video file, with exact frame steps"),
    ("open-device", "Capture device", "An endoscope's picture, live"),
    ("open-stream", "Network stream", "RTSP, UDP, SRT or HTTP"),
    ("open-demo", "Demonstration", "A drawn colon; needs nothing else"),
)


class StartPage(QWidget):
    """`opened` carries SourceSpec and SourceOptions (None: defaults)."""

    opened = Signal(object, object)
    refresh_asked = Signal()

    def __init__(self, actions: Mapping[str, Action], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "background")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.cards = {
            id_: _Card(actions[id_], title, text, checkable=id_ in ("open-device", "open-stream"))
            for id_, title, text in CARDS
        }
        self.device_form = DeviceForm()
        self.device_form.asked.connect(self.opened)
        self.device_form.refresh_asked.connect(self.refresh_asked)
        self.stream_form = StreamForm()
        self.stream_form.asked.connect(self.opened)
        self.stream_form.changed.connect(self._fit_form)
        self._forms = QStackedWidget()
        self._forms.addWidget(self.device_form)
        self._forms.addWidget(self.stream_form)
        self._forms.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self._forms.hide()
        self.recent = RecentList(actions["names"])
        self.recent.opened.connect(lambda spec: self.opened.emit(spec, None))
        self.notice = NoticeRow(hides=True)
        self._readiness = label()
        self._readiness_mark = QLabel()
        self._readiness_tone = ""
        self._lay_out(text_button(actions["review-open"], "Review recording…"), menu_button(actions))
        self.show_readiness(None)

    @property
    def readiness(self) -> str:
        return self._readiness.text()

    @property
    def rows(self) -> list[RecentRow]:
        return self.recent.rows

    @property
    def first_focus(self) -> QWidget:
        return self.cards["open-recording"]

    @property
    def focus_after_closing(self) -> QWidget:
        """Where one goes on after a source was closed: at it, in the list."""
        return self.rows[0] if self.rows else self.first_focus

    def show_device_form(self) -> None:
        self._show_form("open-device", self.device_form, self.device_form.devices)

    def show_stream_form(self) -> None:
        self._show_form("open-stream", self.stream_form, self.stream_form.address)
        self.stream_form.begin()

    def show_readiness(self, snapshot: Snapshot | None) -> None:
        text, tone = words.readiness(snapshot)
        self._readiness.setText(text)
        if tone != self._readiness_tone:
            self._readiness_tone = tone
            set_tone(self._readiness, "secondary" if tone == "good" else tone)
            token = {"good": theme.GOOD, "fault": theme.FAULT, "attention": theme.ATTENTION}
            name = "cpu" if tone in ("good", "secondary") else "triangle-alert"
            ratio = self.devicePixelRatioF()
            self._readiness_mark.setPixmap(pixmap(name, token.get(tone, theme.SECONDARY), theme.L, ratio))

    def show_recent(self, items: Sequence[RecentItem], *, names: bool = True) -> None:
        """What was opened before, newest first; `names` False: without titles and pictures."""
        self.recent.show_items(items, names=names)

    def _show_form(self, card: str, form: QWidget, focus: QWidget) -> None:
        for id_, other in self.cards.items():
            other.setChecked(id_ == card)
        self._forms.setCurrentWidget(form)
        self._forms.show()
        self._fit_form()
        focus.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_form()

    def _fit_form(self) -> None:
        """As high as its words need where it is: nothing is cut, and nothing is given away."""
        form = self._forms.currentWidget()
        if form is None or self._forms.isHidden():
            return
        wide_px = self._forms.width()
        wanted_px = form.heightForWidth(wide_px) if form.hasHeightForWidth() else form.sizeHint().height()
        self._forms.setFixedHeight(wanted_px)

    def _lay_out(self, review: QWidget, menu: QWidget) -> None:
        head = QHBoxLayout()
        titles = QVBoxLayout()
        titles.setSpacing(theme.XS)
        titles.addWidget(label("polyplive", role=theme.TITLE))
        titles.addWidget(label("Outlines polyps in colonoscopy video while it plays", tone="secondary"))
        head.addLayout(titles)
        head.addStretch(1)
        head.addWidget(review, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(menu, 0, Qt.AlignmentFlag.AlignTop)
        cards = QHBoxLayout()
        cards.setSpacing(theme.M)
        for card in self.cards.values():
            cards.addWidget(card, 1)
        ready = QHBoxLayout()
        ready.setSpacing(theme.S)
        ready.addWidget(self._readiness_mark)
        ready.addWidget(self._readiness, 1)
        self._readiness.setWordWrap(True)
        self._content = content = QWidget()
        content.setMaximumWidth(CONTENT_PX)
        content.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.L)
        column.addLayout(head)
        column.addSpacing(theme.S)
        column.addLayout(cards)
        column.addWidget(self._forms)
        column.addSpacing(theme.S)
        column.addWidget(self.recent, 1)
        column.addLayout(ready)
        middle = QHBoxLayout()
        middle.setContentsMargins(theme.XXL, theme.XXL, theme.XXL, theme.L)
        middle.addStretch(1)
        middle.addWidget(content, 100)
        middle.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.notice)
        outer.addLayout(middle, 1)


class _Card(QPushButton):
    """A large target: icon, title, one line."""

    def __init__(self, action: Action, title: str, text: str, *, checkable: bool) -> None:
        super().__init__()
        self.setProperty("card", True)
        self.setCheckable(checkable)
        self.setAutoDefault(True)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        follow_tip(self, action)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.clicked.connect(action.trigger)
        mark = QLabel()
        mark.setPixmap(pixmap(action.entry.icon, theme.ACCENT, CARD_ICON_PX, self.devicePixelRatioF()))
        under = label(text, tone="secondary")
        under.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.L, theme.L, theme.L, theme.L)
        column.setSpacing(theme.XS)
        under.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(mark)
        column.addStretch(1)
        column.addWidget(label(title, role=theme.LEAD))
        column.addWidget(under)
        under.setMinimumHeight(2 * under.fontMetrics().lineSpacing())  # titles stand in one line
        for child in self.findChildren(QLabel):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def nextCheckState(self) -> None:
        """Pressed while its form is open: the page decides, not the click."""
