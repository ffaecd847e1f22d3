"""The actions that open something: dialogs, forms of the start page, drops."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtWidgets import QWidget

from app.start.dropped import spec_of_drop
from app.start.opening import Opening
from app.start.pick import ask_for_recording
from app.start.recent import RecentItems
from app.start.start_page import StartPage
from app.widgets.pick import ask_for_folder
from app.widgets.task import Task
from engine.faults import FaultError
from engine.sources import parse_source
from engine.sources.base import SourceSpec
from engine.sources.live.devices import list_devices

PROGRAM = "polyplive"


class OpenCommands(QObject):
    """Handlers of app.actions_and_keys. `show_start` brings the page with the forms, closing what plays.

    `chosen` carries what a person chose, by its key in engine.settings.
    """

    faulted = Signal(object)  # Fault
    chosen = Signal(object)

    def __init__(
        self,
        window: QWidget,
        opening: Opening,
        recent: RecentItems,
        start: StartPage,
        show_start: Callable[[], None],
        names: bool = True,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._opening = opening
        self._recent = recent
        self._start = start
        self._show_start = show_start
        self._devices: Task | None = None
        start.opened.connect(lambda spec, options: opening.open(spec, options))
        start.refresh_asked.connect(self._look_for_devices)
        self._names = names
        start.recent.remove_asked.connect(self._forget)
        start.recent.clear_asked.connect(self._forget_all)

    def open_recording(self) -> None:
        ask_for_recording(self._window, self._recent.last_folder, self._open_path)

    def open_stills(self) -> None:
        ask_for_folder(self._window, "Open folder of stills", self._open_path)

    def open_device(self) -> None:
        self._show_start()
        self._start.show_device_form()
        self._look_for_devices()

    def open_stream(self) -> None:
        self._show_start()
        self._start.show_stream_form()

    def open_demo(self) -> None:
        self._opening.open(SourceSpec("demo", ""))

    def open_again(self) -> None:
        self._opening.open_again()

    def close_source(self) -> None:
        self._opening.close()

    def toggle_names(self) -> str:
        """Names and thumbnails of recent items, and the name of what is open: shown or hidden."""
        self.show_names(not self._names)
        self.chosen.emit({"screen.names": self._names})
        return "Names are shown" if self._names else "Names are hidden"

    def show_names(self, shown: bool) -> None:
        self._names = shown
        self.show_recent()
        self.show_title()

    @property
    def title(self) -> str:
        """What is open; "" while names are hidden."""
        return self._opening.title if self._names else ""

    def show_recent(self) -> None:
        """The list as it is now."""
        self._start.show_recent(self._recent.items, names=self._names)

    def show_title(self) -> None:
        """What is open, as the window's name."""
        self._window.setWindowTitle(f"{self.title} – {PROGRAM}" if self.title else PROGRAM)

    def open_drop(self, data: QMimeData) -> None:
        """What was dropped on the window; a wrong drop is told and what plays goes on."""
        try:
            self._opening.open(spec_of_drop(*dropped_on(data)))
        except FaultError as error:
            self.faulted.emit(error.as_fault("drop"))

    def close(self) -> None:
        """The window closes."""
        if self._devices is not None:
            self._devices.forget()

    def _forget(self, spec: SourceSpec) -> None:
        self._recent.remove(spec)
        self.show_recent()

    def _forget_all(self) -> None:
        self._recent.clear()
        self.show_recent()
        self._start.first_focus.setFocus()

    def _open_path(self, path: str) -> None:
        self._opening.open(parse_source(path))

    def _look_for_devices(self) -> None:
        if self._devices is not None:
            self._devices.forget()
        form = self._start.device_form
        form.show_looking()
        self._devices = Task("devices", list_devices, self)
        self._devices.done.connect(form.show_devices)
        self._devices.failed.connect(self.faulted)
        self._devices.start()


def dropped_on(data: QMimeData) -> tuple[list[str], str]:
    """Local paths, and the text or address beside them: what `spec_of_drop` takes."""
    paths = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
    remote = next((url.toString() for url in data.urls() if not url.isLocalFile()), "")
    return paths, remote or data.text().strip()
