"""Menus of actions: of the button with all of them, and of the right mouse button."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from app.widgets.action import Action, Section
from app.widgets.icons import icon

# What a hand on the mouse wants while it looks at a picture; the rest is in the sections below.
FIRST = ("play-pause", "step-back", "step-on", "go-to", "ai", "panel", "full-screen")


def sections(actions: Mapping[str, Action], parent: QWidget | None = None) -> QMenu:
    """A menu that holds every action, by section; a menu cannot be held down."""
    menu = QMenu(parent)
    for section in Section:
        rows = [one for one in actions.values() if one.section is section and not one.entry.released]
        menu.addMenu(section.value).addActions(rows)
    return menu


def picture_menu(actions: Mapping[str, Action], parent: QWidget) -> QMenu:
    """For a right click on the picture: what one needs there, then every section."""
    menu = sections(actions, parent)
    before = menu.actions()[0]
    menu.insertActions(before, [actions[id_] for id_ in FIRST])
    menu.insertSeparator(before)
    return menu


def menu_button(actions: Mapping[str, Action]) -> QToolButton:
    """One button whose menu holds every action, by section."""
    menu = sections(actions)
    button = QToolButton()
    button.setProperty("flat", True)
    button.setIcon(icon("menu"))
    button.setToolTip("All actions (shortcuts: ?)")
    button.setAccessibleName("All actions")
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setMenu(menu)
    menu.setParent(button, menu.windowFlags())
    return button
