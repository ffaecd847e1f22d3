"""What is put into the library, and where what it lists is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject
from PySide6.QtWidgets import QWidget

from app.library.place import LibraryPlace
from app.places.table import LIBRARY
from app.start.open_commands import dropped_on
from app.start.pick import ask_for_recording
from app.widgets.pick import ask_for_folder

if TYPE_CHECKING:
    from app.library.listing import Row

ADD = "Analyse the recordings in a folder"


class LibraryCommands(QObject):
    """Handlers of app.actions_and_keys. `show` brings the place to the front, `review` opens a recording."""

    def __init__(
        self,
        window: QWidget,
        library: LibraryPlace,
        show: Callable[[str], None],
        review: Callable[[Sequence[Path]], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._library = library
        self._show = show
        self.faulted = library.faulted
        self.set_names = library.set_names
        library.opened.connect(review)
        library.file_asked.connect(self._ask_where)

    def add_folder(self) -> None:
        ask_for_folder(self._window, ADD, lambda path: self.add([Path(path)]))

    def add(self, paths: Sequence[Path]) -> None:
        """Files, or folders with what lies in them: each is analysed by itself, in the background."""
        self._show(LIBRARY.name)
        self._library.add(paths)

    def drop(self, data: QMimeData) -> None:
        """What is dropped on the place."""
        paths, _ = dropped_on(data)
        if paths:
            self._library.add([Path(path) for path in paths])

    def _ask_where(self, row: Row) -> None:
        missing = next((path for path in row.paths if not path.exists()), row.paths[0])
        title, near = f"Where is {missing.name} now?", missing.parent

        def found(path: str) -> None:
            self._library.say_where(row, Path(path))

        if missing.suffix:
            ask_for_recording(self._window, near if near.is_dir() else None, found, title)
        else:  # a folder of stills
            ask_for_folder(self._window, title, found)
