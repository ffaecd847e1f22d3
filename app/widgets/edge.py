"""The window's lower edge: what this program is not, always in sight."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.widgets import theme, words
from app.widgets.controls import label


class Edge(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(theme.EDGE_PX)
        self.setProperty("surface", "background")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.L, 0, theme.L, 0)
        row.addWidget(label(words.RESEARCH_ONLY, tone="secondary", role=theme.CAPTION))
        row.addStretch(1)
