"""Menus made from the table of actions: of the button with all of them, and of the right mouse button."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from app.actions import ACTIONS, Place

# What a hand on the mouse wants while it looks at a picture; the rest is in the sections below.
FIRST = ("play-pause", "step-back", "step-on", "go-to", "ai", "panel", "full-screen")


def sections(actions: Mapping[str, QAction], parent: QWidget | None = None) -> QMenu:
    """A menu that holds every action of the table, by section; a menu cannot be held down."""
    menu = QMenu(parent)
    for place in Place:
        section = menu.addMenu(place.value)
        section.addActions([actions[e.id] for e in ACTIONS if e.place is place and not e.hold])
    return menu


def picture_menu(actions: Mapping[str, QAction], parent: QWidget) -> QMenu:
    """For a right click on the picture: what one needs there, then every section."""
    menu = sections(actions, parent)
    before = menu.actions()[0]
    menu.insertActions(before, [actions[id_] for id_ in FIRST])
    menu.insertSeparator(before)
    return menu
