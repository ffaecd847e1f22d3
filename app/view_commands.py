"""What the actions of the view do: side panel, full screen, the focus, the whole picture."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMainWindow, QStackedWidget

from app.player.box_drag import BoxDrag
from app.player.full_screen import FullScreen
from app.player.over_picture import OverPicture
from app.player.page import OperatorPage
from app.start.start_page import StartPage
from app.widgets import focus


class ViewCommands(QObject):
    """Handlers of app.actions_and_keys. `chosen` carries what a person chose, by its key in engine.settings.

    The panel goes in full screen and is as it was after it; what is over the picture fades there, unless the
    keyboard is in it.
    """

    chosen = Signal(object)

    def __init__(
        self,
        window: QMainWindow,
        pages: QStackedWidget,
        start: StartPage,
        operator: OperatorPage,
        over: OverPicture,
        full_screen: FullScreen,
        drag: BoxDrag,
        *,
        side_panel: bool,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._pages = pages
        self._start = start
        self._operator = operator
        self._over = over
        self._full_screen = full_screen
        self._drag = drag
        self._panel_wanted = side_panel
        operator.canvas.double_clicked.connect(self.toggle_full_screen)
        operator.canvas.focused.connect(self._rest)
        operator.panel.raw_held.connect(operator.hold_raw)
        full_screen.changed.connect(self._full_screen_changed)
        full_screen.rests.connect(self._rest)

    def hold_raw(self) -> None:
        self._operator.hold_raw(True)

    def release_raw(self) -> None:
        self._operator.hold_raw(False)

    def choose_model(self) -> None:
        self._show_panel(True)
        self._operator.panel.model.showPopup()

    def choose_runtime(self) -> None:
        self._show_panel(True)
        self._operator.panel.runtime.showPopup()

    def toggle_full_screen(self) -> None:
        self._full_screen.toggle()

    def leave(self) -> None:
        """Esc: first what is asked of the picture or lies over it, then full screen."""
        if self._drag.stop():
            return
        if self._over.escape():
            self._operator.canvas.setFocus()
            return
        self._full_screen.leave()
        if self._is_playing:
            self._operator.canvas.setFocus()

    def toggle_panel(self) -> None:
        shown = not self._operator.panel.isVisible()
        self._show_panel(shown)
        if not self._full_screen.is_on:
            self.chosen.emit({"screen.side_panel": shown})

    def keep_panel(self, shown: bool) -> None:
        """Whether the panel is there from now on; another place may be in front."""
        self._panel_wanted = shown
        if not self._full_screen.is_on:
            self._operator.show_panel(shown)

    def next_area(self) -> None:
        """The next group of controls after the one that has the focus."""
        self._full_screen.wake()
        areas = self._operator.focus_areas() if self._is_playing else [self._start.first_focus]
        focus.next_of(areas, self._window.focusWidget()).setFocus(Qt.FocusReason.TabFocusReason)

    def fit(self) -> str:
        self._operator.canvas.fit()
        return "Whole picture"

    def show_faults(self) -> None:
        self._show_panel(True)
        self._operator.panel.open_faults()

    # Inside

    @property
    def _is_playing(self) -> bool:
        return self._pages.currentWidget() is self._operator

    def _show_panel(self, shown: bool) -> None:
        self._pages.setCurrentWidget(self._operator)
        self._operator.show_panel(shown)
        if not self._full_screen.is_on:
            self._panel_wanted = shown
        if not shown:
            self._operator.canvas.setFocus()

    def _full_screen_changed(self, is_on: bool) -> None:
        self._operator.fill(is_on)
        self._operator.show_panel(not is_on and self._panel_wanted)

    def _rest(self) -> None:
        in_use = self._window.focusWidget() not in (None, self._window, self._operator.canvas)
        self._operator.fade(self._full_screen.is_resting and not in_use)
