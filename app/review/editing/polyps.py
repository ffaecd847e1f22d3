"""The polyps of the frame that is seen, a button each: its number, its colour, whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QToolButton, QWidget

from app.review.editing.actions import KEYED
from app.widgets import theme
from engine.drawing.overlays import SKY_BLUE, WHITE

SWATCH_PX = 10
COLUMNS = 2
# Told apart by every kind of colour vision, on mucosa's reds (Okabe and Ito, lightened); numbers tell more.
COLOURS = (SKY_BLUE, WHITE, (0x3D, 0xDC, 0x97), (0xE2, 0xA6, 0xD8))


@dataclass(frozen=True, slots=True)
class NamedPolyp:
    """`number`: from 1, by its label among those of the frame. `whose`: such as "at 0:12.5", "new"."""

    label: int
    number: int
    whose: str

    @property
    def colour(self) -> tuple[int, int, int]:
        return COLOURS[(self.number - 1) % len(COLOURS)]


class PolypButtons(QWidget):
    """`chosen`: the label of the polyp that is edited from now on."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Polyps of this frame")
        self._shown: tuple[Sequence[NamedPolyp], int | None] = ((), None)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.XS)
        self.buttons: tuple[QToolButton, ...] = ()
        self.hide()

    def show_polyps(self, polyps: Sequence[NamedPolyp], active: int | None) -> None:
        """Hidden while there is nothing to choose from."""
        if (polyps, active) == self._shown:
            return
        if polyps != self._shown[0]:
            self._make(polyps)
        self._shown = polyps, active
        for button, polyp in zip(self.buttons, polyps, strict=True):
            button.setChecked(polyp.label == active)
        self.setVisible(bool(polyps))

    def _make(self, polyps: Sequence[NamedPolyp]) -> None:
        for old in self.buttons:
            self._grid.removeWidget(old)
            old.deleteLater()
        self.buttons = tuple(self._button(polyp) for polyp in polyps)
        for at, button in enumerate(self.buttons):
            self._grid.addWidget(button, at // COLUMNS, at % COLUMNS)

    def _button(self, polyp: NamedPolyp) -> QToolButton:
        button = QToolButton()
        button.setText(f"{polyp.number}  {polyp.whose}")
        button.setIcon(_swatch(polyp.colour))
        button.setIconSize(QSize(SWATCH_PX, SWATCH_PX))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setCheckable(True)
        button.setProperty("polyp", True)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        key = f" ({polyp.number})" if polyp.number <= KEYED else ""
        button.setToolTip(f"Edit polyp {polyp.number}{key}")
        button.clicked.connect(lambda: self.chosen.emit(polyp.label))
        return button


def _swatch(colour: tuple[int, int, int]) -> QIcon:
    made = QPixmap(SWATCH_PX, SWATCH_PX)
    made.fill(QColor(*colour))
    return QIcon(made)
