"""Where everything begins: four ways to a picture, what was opened before, and whether the AI is ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app import theme, words
from app.actions import ACTIONS
from app.banner import NoticeRow
from app.controls import label, set_tone
from app.icons import pixmap
from app.recent import RecentItem
from app.source_forms import DeviceForm, StreamForm
from app.status_row import menu_button
from engine.types import Snapshot

CONTENT_PX = 1120
RECENT_COLUMNS = 2
CARD_ICON_PX = 32
# id of the action, words under the title
CARDS = (
    ("open-recording", "Open recording", "A video file, with exact frame steps"),
    ("open-device", "Capture device", "An endoscope's picture, live"),
    ("open-stream", "Network stream", "RTSP, UDP, SRT or HTTP"),
    ("open-demo", "Demonstration", "A drawn colon; needs nothing else"),
)
KIND_ICONS = {"file": "film", "images": "images", "capture": "webcam", "stream": "radio-tower"}


class StartPage(QWidget):
    """`opened` carries SourceSpec and SourceOptions (None: defaults)."""

    opened = Signal(object, object)
    refresh_asked = Signal()

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "background")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        icons = {entry.id: entry.icon for entry in ACTIONS}
        self.cards = {
            id_: _Card(actions[id_], title, text, icons[id_], checkable=id_ in ("open-device", "open-stream"))
            for id_, title, text in CARDS
        }
        self.device_form = DeviceForm()
        self.device_form.asked.connect(self.opened)
        self.device_form.refresh_asked.connect(self.refresh_asked)
        self.stream_form = StreamForm()
        self.stream_form.asked.connect(self.opened)
        self._forms = QStackedWidget()
        self._forms.addWidget(self.device_form)
        self._forms.addWidget(self.stream_form)
        self._forms.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self._forms.hide()
        self._recent = QGridLayout()
        self._recent.setContentsMargins(0, 0, 0, 0)
        self._recent.setSpacing(theme.S)
        self.notice = NoticeRow(hides=True)
        self._readiness = label()
        self._readiness_mark = QLabel()
        self._readiness_tone = ""
        self.rows: list[_RecentRow] = []
        self._lay_out(menu_button(actions))
        self.show_readiness(None)
        self.show_recent(())

    @property
    def readiness(self) -> str:
        return self._readiness.text()

    @property
    def first_focus(self) -> QWidget:
        return self.cards["open-recording"]

    def show_device_form(self) -> None:
        self._show_form("open-device", self.device_form, self.device_form.devices)

    def show_stream_form(self) -> None:
        self._show_form("open-stream", self.stream_form, self.stream_form.address)

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

    def show_recent(self, items: Sequence[RecentItem]) -> None:
        """Rows with thumbnails, newest first; without any, what will appear here."""
        while (old := self._recent.takeAt(0)) is not None:
            if (widget := old.widget()) is not None:
                widget.deleteLater()
        self.rows = [_RecentRow(item, self._opener(item)) for item in items]
        for place, row in enumerate(self.rows):
            self._recent.addWidget(row, place // RECENT_COLUMNS, place % RECENT_COLUMNS)
        if not items:
            self._recent.addWidget(_nothing_yet(), 0, 0, 1, RECENT_COLUMNS)
        for column in range(RECENT_COLUMNS):
            self._recent.setColumnStretch(column, 1)
        # Rows stay at the top; the empty list's target fills the place.
        for line in range(self._recent.rowCount()):
            self._recent.setRowStretch(line, 0)
        self._recent.setRowStretch(-(-len(items) // RECENT_COLUMNS), 1)

    def _opener(self, item: RecentItem) -> Callable[[], None]:
        return lambda: self.opened.emit(item.spec, None)

    def _show_form(self, card: str, form: QWidget, focus: QWidget) -> None:
        for id_, other in self.cards.items():
            other.setChecked(id_ == card)
        self._forms.setCurrentWidget(form)
        self._forms.setFixedHeight(form.sizeHint().height())
        self._forms.show()
        focus.setFocus()

    def _lay_out(self, menu: QWidget) -> None:
        head = QHBoxLayout()
        titles = QVBoxLayout()
        titles.setSpacing(theme.XS)
        titles.addWidget(label("polyplive", role=theme.TITLE))
        titles.addWidget(label("Outlines polyps in colonoscopy video while it plays", tone="secondary"))
        head.addLayout(titles)
        head.addStretch(1)
        head.addWidget(menu, 0, Qt.AlignmentFlag.AlignTop)
        cards = QHBoxLayout()
        cards.setSpacing(theme.M)
        for card in self.cards.values():
            cards.addWidget(card, 1)
        recent_box = QWidget()
        recent_column = QVBoxLayout(recent_box)
        recent_column.setContentsMargins(0, 0, 0, 0)
        recent_column.addLayout(self._recent)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(recent_box)
        ready = QHBoxLayout()
        ready.setSpacing(theme.S)
        ready.addWidget(self._readiness_mark)
        ready.addWidget(self._readiness, 1)
        self._readiness.setWordWrap(True)
        content = QWidget()
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
        column.addWidget(label("Recent", role=theme.LEAD))
        column.addWidget(scroll, 1)
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

    def __init__(self, action: QAction, title: str, text: str, icon: str, *, checkable: bool) -> None:
        super().__init__()
        self.setProperty("card", True)
        self.setCheckable(checkable)
        self.setAutoDefault(True)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        self.setToolTip(action.toolTip())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.clicked.connect(action.trigger)
        mark = QLabel()
        mark.setPixmap(pixmap(icon, theme.ACCENT, CARD_ICON_PX, self.devicePixelRatioF()))
        under = label(text, tone="secondary")
        under.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.L, theme.L, theme.L, theme.L)
        column.setSpacing(theme.XS)
        column.addWidget(mark)
        column.addStretch(1)
        column.addWidget(label(title, role=theme.LEAD))
        column.addWidget(under)
        for child in self.findChildren(QLabel):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def nextCheckState(self) -> None:
        """Pressed while its form is open: the page decides, not the click."""


class _RecentRow(QPushButton):
    """One recent source: thumbnail, title, length, what was marked."""

    def __init__(self, item: RecentItem, open_it: Callable[[], None]) -> None:
        super().__init__()
        self.item = item
        self.setProperty("recent", True)
        self.setAutoDefault(True)
        self.setAccessibleName(f"Open {item.title}")
        self.setToolTip(item.address or item.title)
        self.clicked.connect(lambda: open_it())
        width_px, height_px = theme.THUMBNAIL_PX
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        picture = QLabel()
        picture.setFixedSize(width_px, height_px)
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        picture.setProperty("surface", "panel")
        image = QPixmap(str(item.thumbnail))
        ratio = self.devicePixelRatioF()
        if image.isNull():
            image = pixmap(KIND_ICONS.get(item.kind, "circle-play"), theme.DISABLED, theme.XL, ratio)
        else:
            image = image.scaled(
                QSize(width_px, height_px) * ratio,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            image.setDevicePixelRatio(ratio)
        picture.setPixmap(image)
        title = label(item.title, role=theme.STRONG)
        title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        length = words.duration(item.duration_s) if item.duration_s else "Live" if item.kind != "demo" else ""
        facts = " · ".join(part for part in (length, item.opened_utc[:10]) if part)
        text = QVBoxLayout()
        text.setSpacing(theme.XS)
        text.addStretch(1)
        text.addWidget(title)
        text.addWidget(label(facts, tone="secondary"))
        if item.findings:
            text.addWidget(label(item.findings, tone="secondary"))
        text.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, theme.S, 0)
        row.setSpacing(theme.M)
        row.addWidget(picture)
        row.addLayout(text, 1)
        for child in self.findChildren(QLabel):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


def _nothing_yet() -> QWidget:
    """The empty list says what will be there, and is a target itself."""
    box = QFrame()
    box.setProperty("drop", True)
    mark = QLabel()
    mark.setPixmap(pixmap("film", theme.DISABLED, CARD_ICON_PX, box.devicePixelRatioF()))
    column = QVBoxLayout(box)
    column.setSpacing(theme.S)
    column.addStretch(1)
    for widget in (
        mark,
        label("Drop a video, a folder of pictures or a stream's address here", role=theme.LEAD),
        label("What you open appears here, with a picture and what was marked in it.", tone="secondary"),
    ):
        column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
    column.addStretch(1)
    return box
