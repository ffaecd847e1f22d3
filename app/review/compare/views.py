"""VIEWS of two analyses of one frame: side by side, divided by a line, told by colour and line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QHBoxLayout

from app.player.canvas import Canvas
from app.review.compare.layer import CompareLayer, Shown, Tag, in_second_colour
from app.widgets import theme
from engine.drawing.shape import Shape
from engine.types import Presentation, Result


class View(Enum):
    """The value is how it is called."""

    FIRST = "A alone"
    BESIDE = "Side by side"
    SWIPE = "Swipe"
    COLOURS = "Colours"


VIEWS: Mapping[View, str] = {
    View.FIRST: "The marks of the first one",
    View.BESIDE: "Both pictures beside each other, zoomed and moved together",
    View.SWIPE: "Left of the line the first one, right of it the second; drag the line",
    View.COLOURS: "Even where both are, hatched where one is alone",
}


class ComparedViews(QObject):
    """`first` is the canvas of the page; a second one stands beside it where that is wanted.

    `replace_marks` hears whether the page's own marks are to be held back.
    """

    def __init__(
        self,
        first: Canvas,
        row: QHBoxLayout,
        replace_marks: Callable[[bool], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._first = first
        self._replace_marks = replace_marks
        self.second = Canvas()
        self.second.setAccessibleName("Picture with the marks of the second model")
        self.second.hide()
        row.addWidget(self.second, 1)
        self.layer = CompareLayer(first)
        self._beside = CompareLayer(self.second)
        self.view = View.FIRST
        self._names = ("A", "B")
        self._shown = Shown()
        first.viewed.connect(self.second.set_view)
        self.second.viewed.connect(first.set_view)

    @property
    def is_on(self) -> bool:
        return self.view is not View.FIRST

    def see(self, view: View) -> None:
        self.view = view
        over = view in (View.SWIPE, View.COLOURS)
        self._replace_marks(over)
        self.layer.show_as(swipes=view is View.SWIPE, parts=view is View.COLOURS)
        self.layer.setVisible(self.is_on)
        self.layer.raise_()
        self.second.setVisible(view is View.BESIDE)
        self._beside.setVisible(view is View.BESIDE)
        self.second.set_view(self._first.view)
        self._tag()

    def name(self, a: str, b: str) -> None:
        """Which models."""
        self._names = (a, b)
        self._tag()

    def show(self, presentation: Presentation | None, shown: Shown, pixel_aspect: float) -> None:
        """The frame that the first canvas has, with what both say of it."""
        if not self.is_on:
            return
        self._shown = shown
        self.layer.show_marks(shown, self._first.overlay)
        if self.view is View.BESIDE:
            before = self.second.presentation
            same = (
                before is not None
                and presentation is not None
                and before.frame is presentation.frame
                and before.result is shown.b
            )
            if not same:
                other = None if presentation is None else replace(presentation, result=shown.b)
                self.second.show_presentation(other, pixel_aspect)
        self._tag()

    def hold_raw(self, raw: bool) -> None:
        """Nothing over the pictures; what is drawn of the first one may have another form now."""
        self.second.set_overlay(self._second_overlay)
        self.second.set_raw(raw)
        self.layer.show_marks(self._shown, self._first.overlay)
        self.layer.set_hidden(raw)

    def _second_overlay(self, result: Result) -> tuple[Shape, ...]:
        return in_second_colour(self._first.overlay(result))

    def _tag(self) -> None:
        a = Tag(_named("A", self._names[0], self._shown.a), theme.ACCENT)
        b = Tag(_named("B", self._names[1], self._shown.b), theme.SECOND, self.view is View.COLOURS)
        self.layer.show_tags(a, None if self.view is View.BESIDE else b)
        self._beside.show_tags(b, None)


def _named(letter: str, name: str, result: Result | None) -> str:
    return f"{letter} · {name}" if result is not None else f"{letter} · {name}: not analysed here yet"
