"""What was opened before, as rows: to open again, to forget, and without names where others look on."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QKeyEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.start.recent import RecentItem
from app.widgets import theme, words
from app.widgets.controls import follow_tip, label
from app.widgets.icons import pixmap

COLUMNS = 2
EMPTY_ICON_PX = 32
KIND_ICONS = {
    "file": "film",
    "joined": "film",
    "images": "images",
    "capture": "webcam",
    "stream": "radio-tower",
}
# Instead of a name that may be a patient's.
KIND_NAMES = {
    "file": "Recording",
    "joined": "Recording",
    "images": "Pictures",
    "capture": "Capture device",
    "stream": "Network stream",
    "demo": "Demonstration",
}
FORGET = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class RecentList(QWidget):
    """A heading with its two buttons, and the rows, newest first. Signals tell what a person asked for."""

    opened = Signal(object)  # SourceSpec
    review_asked = Signal(object)  # SourceSpec
    remove_asked = Signal(object)  # SourceSpec
    clear_asked = Signal()

    def __init__(self, names: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[RecentRow] = []
        self._names = QPushButton()
        follow_tip(self._names, names)
        self._names.clicked.connect(names.trigger)
        self._clear = QPushButton("Clear…")
        self._clear.setToolTip("Forget all recent items and their thumbnails")
        self._clear.clicked.connect(self._ask_to_clear)
        self.really = QPushButton("Forget all of them")
        self.really.clicked.connect(self.clear_asked)
        self._keep = QPushButton("Keep them")
        self._keep.clicked.connect(lambda: self._asking(False))
        for button in (self._names, self._clear, self.really, self._keep):
            button.setProperty("quiet", True)
            button.setAutoDefault(True)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.S)
        self._lay_out()
        self.show_items((), names=True)

    def show_items(self, items: Sequence[RecentItem], *, names: bool) -> None:
        """Rows, or what will appear here. `names` False: neither titles nor thumbnails."""
        self._names.setText("Hide names" if names else "Show names")
        focused = next((place for place, row in enumerate(self.rows) if row.hasFocus()), None)
        while (old := self._grid.takeAt(0)) is not None:
            if (widget := old.widget()) is not None:
                widget.setParent(None)  # at once: no name stays until Qt finds time
                widget.deleteLater()
        self.rows = [RecentRow(item, names=names) for item in items]
        for place, row in enumerate(self.rows):
            row.clicked.connect(lambda _=False, spec=row.item.spec: self.opened.emit(spec))
            row.forget_asked.connect(self.remove_asked)
            row.review_asked.connect(self.review_asked)
            self._grid.addWidget(row, place // COLUMNS, place % COLUMNS)
            row.show()  # what is hidden cannot take the focus
        if not items:
            self._grid.addWidget(_nothing_yet(), 0, 0, 1, COLUMNS)
        for column in range(COLUMNS):
            self._grid.setColumnStretch(column, 1)
        # Rows stay at the top; the empty list's target fills the place.
        for line in range(self._grid.rowCount()):
            self._grid.setRowStretch(line, 0)
        self._grid.setRowStretch(-(-len(items) // COLUMNS), 1)
        self._asking(False)
        if focused is not None and self.rows:
            self.rows[min(focused, len(self.rows) - 1)].setFocus()

    def _ask_to_clear(self) -> None:
        self._asking(True)
        self._keep.setFocus()

    def _asking(self, asking: bool) -> None:
        self.really.setVisible(asking)
        self._keep.setVisible(asking)
        self._clear.setVisible(bool(self.rows) and not asking)
        self._names.setVisible(bool(self.rows) and not asking)

    def _lay_out(self) -> None:
        heading = QHBoxLayout()
        heading.setSpacing(theme.S)
        heading.addWidget(label("Recent", role=theme.LEAD))
        heading.addStretch(1)
        for button in (self._names, self._clear, self._keep, self.really):
            heading.addWidget(button)
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._grid)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(box)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.S)
        outer.addLayout(heading)
        outer.addWidget(scroll, 1)


class RecentRow(QPushButton):
    """One recent source: thumbnail, title, length, what was marked."""

    forget_asked = Signal(object)  # SourceSpec
    review_asked = Signal(object)  # SourceSpec

    def __init__(self, item: RecentItem, *, names: bool = True) -> None:
        super().__init__()
        self.item = item
        self.shown_title = item.title if names else KIND_NAMES.get(item.kind, "Recording")
        self.setProperty("recent", True)
        self.setAutoDefault(True)
        self.setAccessibleName(f"Open {self.shown_title}")
        place = item.address if item.kind in ("file", "images") else item.title
        self.setToolTip(place if names else "The name is hidden")
        width_px, height_px = theme.THUMBNAIL_PX
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.picture = QLabel()
        self.picture.setFixedSize(width_px, height_px)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setProperty("surface", "panel")
        image = QPixmap(str(item.thumbnail)) if names else QPixmap()
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
        self.picture.setPixmap(image)
        length = words.duration(item.duration_s) if item.duration_s else "Live" if item.is_live else ""
        facts = " · ".join(part for part in (length, item.opened_utc[:10]) if part)
        text = QVBoxLayout()
        text.setSpacing(theme.XS)
        text.addStretch(1)
        text.addWidget(Shortened(self.shown_title, role=theme.STRONG))
        text.addWidget(Shortened(facts, tone="secondary"))
        if item.findings:
            text.addWidget(Shortened(item.findings, tone="secondary"))
        text.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, theme.S, 0)
        row.setSpacing(theme.M)
        row.addWidget(self.picture)
        row.addLayout(text, 1)
        for child in self.findChildren(QLabel):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in FORGET:
            self.forget_asked.emit(self.item.spec)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Open", self.click)
        if self.item.kind in ("file", "images", "joined"):
            menu.addAction("Review", lambda: self.review_asked.emit(self.item.spec))
        menu.addAction("Remove from this list\tDel", lambda: self.forget_asked.emit(self.item.spec))
        menu.popup(event.globalPos())


class Shortened(QLabel):
    """A line that is shortened in the middle where there is no room: both ends of a file's name tell it."""

    def __init__(self, text: str, *, role: str = "", tone: str = "") -> None:
        super().__init__()
        self.whole = text
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setProperty("tone", tone)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setText(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        shown = self.fontMetrics().elidedText(self.whole, Qt.TextElideMode.ElideMiddle, self.width())
        if shown != self.text():
            self.setText(shown)


def _nothing_yet() -> QWidget:
    """The empty list says what will be there, and is a target itself."""
    box = QFrame()
    box.setProperty("drop", True)
    mark = QLabel()
    mark.setPixmap(pixmap("film", theme.DISABLED, EMPTY_ICON_PX, box.devicePixelRatioF()))
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
