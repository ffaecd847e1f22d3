"""Which keys a focused control keeps for itself, although the window has a shortcut on them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QSlider, QToolButton, QWidget

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_PRESS = (Qt.Key.Key_Space, *ENTER)
_MOVE = (Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Left, Qt.Key.Key_Right)


def belongs_to_control(key: int, focus: QWidget | None, picture: type[QWidget]) -> bool:
    """Whether the focused control gets the key: Tab walks on from controls, Space presses them.

    From the picture both are the operator's: Tab folds the panel, Space plays.
    """
    if focus is None or isinstance(focus, picture):
        return False
    if key == Qt.Key.Key_Tab:
        return True
    if key in _PRESS:
        return isinstance(focus, QAbstractButton | QComboBox | QLineEdit)
    return key in _MOVE and isinstance(focus, QComboBox | QSlider | QLineEdit)


def press(focus: QWidget | None) -> bool:
    """What Enter does to a focused button or choice, which Qt leaves to dialogs. False: it is neither."""
    if isinstance(focus, QToolButton) and focus.menu() is not None:
        focus.showMenu()
    elif isinstance(focus, QAbstractButton):
        focus.animateClick()
    elif isinstance(focus, QComboBox):
        focus.showPopup()
    else:
        return False
    return True


def next_of(areas: Sequence[QWidget], focus: QWidget | None) -> QWidget:
    """The area after the one that holds `focus`; the first when none does."""
    for place, area in enumerate(areas):
        if focus is area or (focus is not None and _group(area).isAncestorOf(focus) and place > 0):
            return areas[(place + 1) % len(areas)]
    return areas[0]


def _group(area: QWidget) -> QWidget:
    return area.parentWidget() or area
