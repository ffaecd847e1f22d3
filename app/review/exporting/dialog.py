"""The window of an export, beside the video: what is wanted, how far it is, what leaves, where it is."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QImage
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.review.exporting.form import ExportForm
from app.review.exporting.sheet import Sheet
from app.widgets import theme
from app.widgets.controls import label, set_tone

TITLE = "Export"
LOOK_AT_IT = (
    "Up to 50 of the frames, as they were written. Look for names, dates, faces and rooms before it leaves: "
    "only a person can tell."
)


class ExportDialog(QDialog):
    """Four pages, one at a time. Esc and the window's button put it away; a running export goes on."""

    export_asked = Signal()
    cancel_asked = Signal()
    kept = Signal()  # the person has looked
    discarded = Signal()
    again_asked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"{TITLE} – polyplive")
        self.form = ExportForm()
        self.sheet = Sheet()
        self.export = _button("Export", primary=True)
        self.cancel = _button("Cancel")
        self.keep = _button("Keep it", primary=True)
        self.discard = _button("Throw it away")
        self.open_folder = _button("Open folder", primary=True)
        self.again = _button("Export something else")
        self.put_away = _button("Close")
        self._doing = label(role=theme.STRONG)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._told = label(role=theme.STRONG)
        self._where = label(tone="secondary")
        self._where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._folder: Path | None = None
        self._pages = QStackedWidget()
        self._outer = QVBoxLayout(self)
        self._lay_out()
        self._connect()
        self.show_form()

    @property
    def state(self) -> str:
        """ "form", "doing", "looking" or "told"."""
        return ("form", "doing", "looking", "told")[self._pages.currentIndex()]

    @property
    def told(self) -> str:
        """What came of it."""
        return self._told.text()

    @property
    def where(self) -> str:
        return self._where.text()

    def show_form(self) -> None:
        self._pages.setCurrentIndex(0)
        self._fit()

    def show_doing(self, what: str) -> None:
        self._bar.setRange(0, 0)
        self._doing.setText(what)
        self.cancel.setEnabled(True)
        self._pages.setCurrentIndex(1)
        self._fit()

    def show_progress(self, done: int, total: int) -> None:
        self._bar.setRange(0, max(total, 1))
        self._bar.setValue(done)
        self._doing.setText(f"Picture {done} of {total}")

    def show_sheet(self, image: QImage) -> None:
        """What leaves, to be looked at."""
        self.sheet.show_image(image)
        self._pages.setCurrentIndex(2)
        self._fit()
        screen = self.screen().availableSize()
        self._resize(*theme.window_px(theme.WINDOW_PX, (screen.width() * 9 // 10, screen.height() * 9 // 10)))
        self.keep.setFocus()

    def show_told(self, text: str, where: Path | None, *, fault: bool = False) -> None:
        """The end: where it is, or why it is not."""
        self._folder = where
        self._told.setText(text)
        set_tone(self._told, "fault" if fault else "")
        self._where.setText("" if where is None else str(where))
        self._where.setVisible(where is not None)
        self.open_folder.setVisible(where is not None)
        self.again.setText("Back" if fault else "Export something else")
        self._pages.setCurrentIndex(3)
        self._fit()
        (self.again if where is None else self.open_folder).setFocus()

    def _fit(self) -> None:
        """As high as this page needs."""
        here = self._all[self._pages.currentIndex()]
        for page in self._all:
            fits = QSizePolicy.Policy.Preferred if page is here else QSizePolicy.Policy.Ignored
            page.setSizePolicy(fits, fits)
        wide = theme.DIALOG_PX - 2 * theme.XL
        high = here.heightForWidth(wide) if here.hasHeightForWidth() else here.sizeHint().height()
        self._resize(theme.DIALOG_PX, high + 2 * theme.XL)

    def _resize(self, width: int, height: int) -> None:
        """Its middle stays where it is, and all of it on the screen."""
        before = self.frameGeometry()
        self._pages.updateGeometry()  # what an earlier page needed holds no more
        self._outer.activate()
        self.resize(width, height)
        if self.isVisible():
            free, frame = self.screen().availableGeometry(), self.frameGeometry()
            frame.moveCenter(before.center())
            frame.moveRight(min(frame.right(), free.right()))
            frame.moveBottom(min(frame.bottom(), free.bottom()))
            self.move(max(frame.x(), free.x()), max(frame.y(), free.y()))

    def _connect(self) -> None:
        self.export.clicked.connect(self.export_asked)
        self.cancel.clicked.connect(lambda: self.cancel.setEnabled(False))
        self.cancel.clicked.connect(self.cancel_asked)
        self.keep.clicked.connect(self.kept)
        self.discard.clicked.connect(self.discarded)
        self.again.clicked.connect(self.again_asked)
        self.open_folder.clicked.connect(self._open)
        self.put_away.clicked.connect(self.close)
        self.form.changed.connect(lambda: self.export.setEnabled(self.form.can_be))
        self.form.full_frame.toggled.connect(lambda _: self._fit())
        self.form.changed.connect(self._fit)

    def _open(self) -> None:
        if self._folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))

    def _lay_out(self) -> None:
        for words in (self._told, self._where, self._doing):
            words.setWordWrap(True)
        look = label(LOOK_AT_IT)
        look.setWordWrap(True)
        pages: tuple[tuple[tuple[QWidget, ...], tuple[QPushButton, ...]], ...] = (
            ((label(TITLE, role=theme.TITLE), self.form), (self.export,)),
            ((label("Exporting", role=theme.TITLE), self._doing, self._bar), (self.cancel,)),
            ((label("This leaves", role=theme.TITLE), look, self.sheet), (self.discard, self.keep)),
            ((self._told, self._where), (self.put_away, self.again, self.open_folder)),
        )
        self._all = [_page(widgets, buttons) for widgets, buttons in pages]
        for page in self._all:
            self._pages.addWidget(page)
        self._outer.setContentsMargins(theme.XL, theme.XL, theme.XL, theme.XL)
        self._outer.addWidget(self._pages)


def _page(widgets: tuple[QWidget, ...], buttons: tuple[QPushButton, ...]) -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(theme.M)
    for widget in widgets:
        column.addWidget(widget, 1 if isinstance(widget, Sheet) else 0)
    column.addStretch(0 if any(isinstance(widget, Sheet) for widget in widgets) else 1)
    row = QHBoxLayout()
    row.setSpacing(theme.S)
    row.addStretch(1)
    for button in buttons:
        row.addWidget(button)
    column.addLayout(row)
    return page


def _button(text: str, *, primary: bool = False) -> QPushButton:
    made = QPushButton(text)
    made.setProperty("primary", primary)
    made.setAutoDefault(True)
    return made
