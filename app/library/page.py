"""The library's page: search and filter, the table, what waits. Shows values, tells what is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QPoint, Qt, QTimer, Signal, SignalInstance
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.library.drawn import Thumbnail
from app.library.listing import Only, Row, Shown
from app.library.said import counted, queued
from app.library.table import LibraryTable
from app.widgets import focus, theme
from app.widgets.action import Action
from app.widgets.controls import Choice, label, text_button
from app.widgets.icons import pixmap
from app.widgets.menu import menu_button
from app.widgets.notice_row import NoticeRow
from app.widgets.question_row import QuestionRow

SEEK_MS = 60  # behind a key: whoever types fast does not wait for what is no longer sought
SEARCH_PX = 280
EMPTY_ICON_PX = 40
NOTHING_FITS = "No recording fits what is sought."


class LibraryPage(QWidget):
    """Signals carry the Row that is meant."""

    opened = Signal(object)
    removed = Signal(object)
    relink_asked = Signal(object)
    queued = Signal(object)  # it waits, again perhaps
    cancelled = Signal(object)  # taken out of the queue; None: all of it
    pause_asked = Signal(bool)

    def __init__(self, actions: Mapping[str, Action], thumbnail: Thumbnail, notice: NoticeRow) -> None:
        super().__init__()
        self.setProperty("surface", "background")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.table = LibraryTable(thumbnail)
        self.question = QuestionRow()
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search in name, folder, model")
        self.search.setClearButtonEnabled(True)
        self.search.setFixedWidth(SEARCH_PX)
        self.only = Choice("Which recordings")
        self.only.fill([(one.value, one) for one in Only])
        self.only.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.only.fit_rows()
        self._queue = _QueueRow(self)
        self._count = label(tone="secondary")
        self._nothing = _nothing_yet(text_button(actions["library-add"], "Analyse a folder…"))
        self._none_fits = label(NOTHING_FITS, tone="secondary")
        self._none_fits.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._body = QStackedWidget()
        for widget in (self._nothing, self._none_fits, self.table):
            self._body.addWidget(widget)
        self._total = 0
        self._seek = QTimer(self)
        self._seek.setSingleShot(True)
        self._seek.setInterval(SEEK_MS)
        self._seek.timeout.connect(self._sought)
        self.buttons = {
            "open": _button("Open in Review", "Enter or a double click", self._of_chosen(self.opened)),
            "queue": _button("Analyse", "In the background, behind what waits", self._of_chosen(self.queued)),
            "cancel": _button("Do not analyse", "Out of the queue", self._of_chosen(self.cancelled)),
            "relink": _button("Say where it is…", "It was moved", self._of_chosen(self.relink_asked)),
            "remove": _button("Remove…", "Never the recording itself (Del)", self._of_chosen(self.removed)),
        }
        self._connect()
        self._lay_out(text_button(actions["library-add"], "Analyse a folder…"), menu_button(actions), notice)
        self._show_body()

    @property
    def count_text(self) -> str:
        return self._count.text()

    @property
    def queue_text(self) -> str:
        """What is said of the queue; empty while nothing is in it."""
        return self._queue.text

    def show_rows(self, rows: tuple[Row, ...], *, is_paused: bool) -> None:
        """Everything that is known."""
        self._total = len(rows)
        self.table.show_rows(rows)
        self._queue.show_rows(rows, is_paused=is_paused)
        self._show_body()

    def show_search(self, name: str) -> None:
        """Recordings are looked for in this folder; "": no longer."""
        self._queue.show_search(name)

    def set_names(self, names: bool) -> None:
        """Neither titles nor pictures where others look on."""
        self.table.set_names(names)

    def first_focus(self) -> QWidget:
        if self._total:
            return self.table
        return self._nothing.findChildren(QPushButton)[0]

    def focus_areas(self) -> list[QWidget]:
        """One control of each group, in the order of F6."""
        return [self.search, self.first_focus()]

    def next_area(self) -> None:
        focus.next_of(self.focus_areas(), self.window().focusWidget()).setFocus(Qt.FocusReason.TabFocusReason)

    # Inside

    def _sought(self) -> None:
        self.table.seek(self.search.text(), self.only.currentData())
        self._show_body()

    def _go_to_first(self) -> None:
        """Enter in the search: the first of what was found, which the next Enter opens."""
        self._seek.stop()
        self._sought()
        if self.table.rows:
            self.table.setCurrentIndex(self.table.model().index(0, 0))
            self.table.setFocus(Qt.FocusReason.TabFocusReason)

    def _show_body(self) -> None:
        for tool in self._tools:
            tool.setVisible(self._total > 0)
        shown = self.table if self.table.rows else self._none_fits if self._total else self._nothing
        self._body.setCurrentWidget(shown)
        self._count.setText(counted(len(self.table.rows), self._total) if self._total else "")
        self._choose()

    def _choose(self) -> None:
        row = self.table.chosen if self.table.rows else None
        can = set() if row is None else what_can_be_done(row)
        failed = row is not None and row.state is Shown.FAILED
        self.buttons["queue"].setText("Try again" if failed else "Analyse")
        self.buttons["cancel"].setText("Forget" if failed else "Do not analyse")
        for name, button in self.buttons.items():
            button.setVisible(name in can)

    def _of_chosen(self, signal: SignalInstance) -> Callable[[], None]:
        def tell() -> None:
            if self.table.chosen is not None:
                signal.emit(self.table.chosen)

        return tell

    def _more(self, row: Row, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in what_can_be_done(row):
            menu.addAction(self.buttons[name].text(), self.buttons[name].click)
        menu.popup(at)

    def _connect(self) -> None:
        self.search.textChanged.connect(lambda _: self._seek.start())
        self.search.returnPressed.connect(self._go_to_first)
        self.only.chosen.connect(lambda _: self._sought())
        self.table.opened.connect(self.opened)
        self.table.removed.connect(self.removed)
        self.table.asked_more.connect(self._more)
        self.table.chosen_changed.connect(self._choose)
        self._queue.pause_asked.connect(self.pause_asked)
        self._queue.cancel_asked.connect(lambda: self.cancelled.emit(None))

    def _lay_out(self, add: QPushButton, menu: QWidget, notice: NoticeRow) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(theme.XL, theme.L, theme.L, theme.M)
        head.setSpacing(theme.S)
        head.addWidget(label("Library", role=theme.TITLE))
        head.addStretch(1)
        self._tools = (self.search, self.only, add)  # for what there is
        for widget in (*self._tools, menu):
            head.addWidget(widget)
        body = QHBoxLayout()
        body.setContentsMargins(theme.L, 0, theme.S, 0)
        body.addWidget(self._body)
        foot = QHBoxLayout()
        foot.setContentsMargins(theme.XL, theme.S, theme.L, theme.S)
        foot.setSpacing(theme.S)
        foot.addWidget(self._count)
        foot.addStretch(1)
        for button in reversed(self.buttons.values()):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(notice)
        column.addLayout(head)
        column.addWidget(self._queue)
        column.addWidget(self.question)
        column.addLayout(body, 1)
        column.addLayout(foot)


def what_can_be_done(row: Row) -> list[str]:
    """Of a recording, the most likely first: names of the page's buttons."""
    can = []
    if row.state is Shown.MISSING:
        can.append("relink")
    elif row.state is not Shown.FAILED or row.folder is not None:
        can.append("open")
    if row.state in (Shown.PARTLY, Shown.FAILED):
        can.append("queue")
    if row.item is not None:
        can.append("cancel")
    if row.folder is not None and row.item is None:
        can.append("remove")
    return can


class _QueueRow(QWidget):
    """What is analysed now and what waits; not there while nothing does."""

    pause_asked = Signal(bool)
    cancel_asked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("surface", "panel")
        self._text = label(tone="secondary")
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._paused = False
        self._said, self._search = "", ""
        self.pause = _button("Pause", "", lambda: self.pause_asked.emit(not self._paused))
        self.cancel = _button("Cancel all", "What was analysed stays", self.cancel_asked.emit)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.XL, theme.XS, theme.L, theme.XS)
        row.setSpacing(theme.S)
        row.addWidget(self._text, 1)
        row.addWidget(self.pause)
        row.addWidget(self.cancel)
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text()

    def show_rows(self, rows: tuple[Row, ...], *, is_paused: bool) -> None:
        waiting = sum(row.state is Shown.WAITING for row in rows)
        failed = sum(row.state is Shown.FAILED for row in rows)
        working = next((row for row in rows if row.state is Shown.WORKING), None)
        self._paused = is_paused
        self._said = queued(waiting, failed, working, paused=is_paused)
        self.pause.setText("Go on" if is_paused else "Pause")
        self.pause.setVisible(bool(waiting or working))
        self.cancel.setText("Cancel all" if waiting or working else "Forget")
        self.cancel.setVisible(bool(waiting or failed or working))
        self._show()

    def show_search(self, name: str) -> None:
        self._search = f"Looking for recordings in {name}…" if name else ""
        self._show()

    def _show(self) -> None:
        self._text.setText(" · ".join(part for part in (self._search, self._said) if part))
        self.setVisible(bool(self._text.text()))


def _button(text: str, tip: str, does: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(lambda _=False: does())
    return button


def _nothing_yet(add: QPushButton) -> QWidget:
    """The empty library says what will be there, and has one target."""
    box = QWidget()
    mark = QLabel()
    mark.setPixmap(pixmap("library", theme.DISABLED, EMPTY_ICON_PX, box.devicePixelRatioF()))
    add.setProperty("primary", True)
    column = QVBoxLayout(box)
    column.setSpacing(theme.M)
    column.addStretch(1)
    for widget in (
        mark,
        label("Recordings that you review appear here", role=theme.TITLE),
        label("Drop a folder or videos here: they are analysed in the background.", tone="secondary"),
        add,
    ):
        column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
    column.addStretch(1)
    return box
