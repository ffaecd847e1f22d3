"""The few controls that the desktop's own do not give: a choice, segments, a fold, a slider that jumps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QPainter, QPaintEvent, QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.widgets import theme
from app.widgets.icons import icon, pixmap

NOTE_ROLE = Qt.ItemDataRole.UserRole + 1
_Index = QModelIndex | QPersistentModelIndex


class Choice(QComboBox):
    """A combo box of (text, value) rows. `chosen` is emitted by people only, not by `fill` or `select`."""

    chosen = Signal(object)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        # A choice by mouse leaves the keys to the picture: Space and Enter must not open its list again.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(1)
        self.view().setItemDelegate(_Noted(self.view()))
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.activated.connect(lambda row: self.chosen.emit(self.itemData(row)))

    def fill(self, rows: Sequence[tuple[str, object]]) -> None:
        """Replace the rows; the selected value stays selected where it still exists."""
        kept = self.currentData()
        self.clear()
        for text, value in rows:
            self.addItem(text, value)
        self.select(kept)

    def select(self, value: object) -> None:
        """Show the row of `value`, if there is one."""
        for row in range(self.count()):
            if self.itemData(row) == value:
                self.setCurrentIndex(row)
                return

    def fit_rows(self) -> None:
        """Never so narrow that a row is cut."""
        self.ensurePolished()
        widest = max(self.fontMetrics().horizontalAdvance(self.itemText(row)) for row in range(self.count()))
        self.setMinimumWidth(widest + theme.XL + theme.XL)

    def annotate(self, notes: Mapping[object, str]) -> None:
        """What the popup says behind the rows of these values; the box has room for their names only."""
        for row in range(self.count()):
            self.setItemData(row, notes.get(self.itemData(row), ""), NOTE_ROLE)

    def refuse(self, reasons: Mapping[object, str]) -> None:
        """Grey the rows of these values, each with its reason; all others can be chosen."""
        self.annotate(reasons)
        model = self.model()
        assert isinstance(model, QStandardItemModel)
        for row in range(self.count()):
            why = reasons.get(self.itemData(row), "")
            model.item(row).setEnabled(not why)
            model.item(row).setToolTip(why)

    def showPopup(self) -> None:
        # The rows say more than the box has room for.
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + theme.L)
        super().showPopup()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # scrolling a page must not change a model

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        token = theme.SECONDARY if self.isEnabled() else theme.DISABLED
        mark = pixmap("chevron-down", token, theme.L, self.devicePixelRatioF())
        painter.drawPixmap(QPoint(self.width() - theme.XL, (self.height() - theme.L) // 2), mark)
        painter.end()


class _Noted(QStyledItemDelegate):
    """Rows of a popup with what is to be said of them."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: _Index) -> None:
        super().initStyleOption(option, index)
        if note := index.data(NOTE_ROLE):
            option.text = f"{option.text} · {note}"


class Segments(QWidget):
    """Buttons of which one is pressed: each shows and triggers an action."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.XS)
        self._buttons: dict[object, QToolButton] = {}

    def add(self, value: object, text: str, action: QAction) -> None:
        button = action_button(action, text, checkable=True)
        self._row.addWidget(button)
        self._buttons[value] = button

    def select(self, value: object) -> None:
        for key, button in self._buttons.items():
            button.setChecked(key == value)

    @property
    def selected(self) -> object:
        return next((value for value, button in self._buttons.items() if button.isChecked()), None)


class _Tip(QObject):
    """Keeps a tooltip true, as long as its widget lives."""

    def __init__(self, target: QWidget, action: QAction, words: Callable[[str], str]) -> None:
        super().__init__(target)
        self._target, self._action, self._words = target, action, words
        action.changed.connect(self.show)
        self.show()

    def show(self) -> None:
        self._target.setToolTip(self._words(self._action.toolTip()))


def follow_tip(target: QWidget, action: QAction, words: Callable[[str], str] = str) -> Callable[[], None]:
    """The tooltip of an action on a widget, with the person's keys; `words` puts it into others.

    What it gives back says it again, for `words` that have changed.
    """
    return _Tip(target, action, words).show


def action_button(action: QAction, text: str, *, checkable: bool = False) -> QToolButton:
    """A word that does what its action does; its tooltip has the key."""
    button = QToolButton()
    button.setText(text)
    button.setCheckable(checkable)
    button.setProperty("segment", True)
    follow_tip(button, action)
    button.setAccessibleName(action.text())
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    button.clicked.connect(action.trigger)
    if checkable:
        # The action decides what is pressed, so a second click does not release it.
        button.clicked.connect(lambda: button.setChecked(True))
    return button


class Fold(QWidget):
    """A heading that shows and hides what is under it."""

    toggled = Signal(bool)

    def __init__(self, title: str, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        self._heading = QToolButton()
        self._heading.setProperty("fold", True)
        self._heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._heading.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._heading.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._heading.clicked.connect(lambda: self.set_open(not self.is_open))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)
        column.addWidget(self._heading)
        column.addWidget(content)
        self.set_title(title)
        self.set_open(False)

    @property
    def is_open(self) -> bool:
        return not self._content.isHidden()

    def set_title(self, title: str) -> None:
        self._heading.setText(title)
        self._heading.setAccessibleName(title)

    def set_open(self, is_open: bool) -> None:
        self._content.setVisible(is_open)
        self._heading.setIcon(icon("chevron-down" if is_open else "chevron-right", theme.SECONDARY))
        self.toggled.emit(is_open)

    def setFocus(self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason) -> None:
        self._heading.setFocus(reason)


def flat_button(action: QAction) -> QToolButton:
    """An icon button of an action: same enabled state, tooltip with its key."""
    button = QToolButton()
    button.setProperty("flat", True)
    button.setIcon(action.icon())
    follow_tip(button, action)
    button.setAccessibleName(action.text())
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setEnabled(action.isEnabled())
    button.clicked.connect(action.trigger)
    action.enabledChanged.connect(button.setEnabled)
    return button


def text_button(action: QAction, text: str) -> QPushButton:
    """A button with words of its own that does what an action does: same enabled state and tooltip."""
    button = QPushButton(text)
    follow_tip(button, action)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setEnabled(action.isEnabled())
    button.clicked.connect(action.trigger)
    action.enabledChanged.connect(button.setEnabled)
    return button


def label(text: str = "", *, role: str = "", tone: str = "") -> QLabel:
    """A label in one of the theme's roles and tones."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    if tone:
        made.setProperty("tone", tone)
    return made


def set_tone(target: QLabel, tone: str) -> None:
    """Change a label's colour."""
    if target.property("tone") != tone:
        target.setProperty("tone", tone)
        target.style().unpolish(target)
        target.style().polish(target)


def line() -> QFrame:
    """A 1 px separator."""
    made = QFrame()
    made.setProperty("line", True)
    return made
