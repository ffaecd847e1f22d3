"""The open library: its list and queue read, shown on the page, and what people ask of them done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.library.listing import Row, Shown, rows_of
from app.library.page import LibraryPage
from app.library.queueing import QueueThread
from app.library.reading import Read, Reading
from app.library.said import really
from app.library.thumbnails import Thumbnails
from app.widgets.action import Action
from app.widgets.notice_row import NoticeRow
from app.widgets.question_row import Answer
from app.widgets.task import Task
from engine.review.library.found import recordings_in
from engine.review.library.index import Library
from engine.review.library.kept import Kept, relink, remove, what_is_kept
from engine.review.library.queue import Item, Queue, State, Wanted
from engine.review.places import Places

LOOK_EVERY_MS = 700  # at the queue, while the page is in front


class Browsing(QObject):
    """Ends with `close`. `model` and `preset`: what a recording is analysed with; `folders`: where recordings
    were opened, to find side-cars again when the list was lost.
    """

    opened = Signal(object)  # tuple[Path, ...]: to be reviewed
    file_asked = Signal(object)  # Row: a person shall say where it is now
    failed = Signal(object)  # Fault

    def __init__(
        self,
        actions: Mapping[str, Action],
        notice: NoticeRow,
        places: Callable[[], Places],
        model: Callable[[], Path],
        preset: Callable[[], str],
        folders: Callable[[], Sequence[Path]],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._places, self._model, self._preset, self._folders = places, model, preset, folders
        library, queue = Library(), Queue()
        self.reading = Reading(library, queue, self)
        self.worker = QueueThread(queue, library, places, self)
        self._thumbnails = Thumbnails(self.reading, self)
        self.page = LibraryPage(actions, self._thumbnails.of, notice)
        self._read = Read((), (), False)
        self._missing: frozenset[Path] = frozenset()
        self._asked = False
        self._searches: list[Task] = []
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)
        self._connect()
        self.reading.ask(lambda: self.reading.begin(places().library, tuple(folders())), self._take)

    def come(self) -> None:
        """It is in front: what changed meanwhile is shown."""
        self._thumbnails.renew()
        self.reading.ask(self.reading.read, self._take)
        self._timer.start()

    def rest(self) -> None:
        """Another place is."""
        self._timer.stop()

    def close(self) -> None:
        """What is analysed stops, and goes on at the next start."""
        self._timer.stop()
        for search in self._searches:
            search.forget()
        self.worker.close()
        self.reading.close()

    def add(self, paths: Sequence[Path]) -> None:
        """Analyse these, or what lies in these folders, in the background."""
        model, preset, library = self._model(), self._preset(), self._places().library
        search = Task("recordings", lambda: recordings_in(paths, library), self)  # on a slow drive, perhaps
        self._searches.append(search)
        search.done.connect(lambda found: self._add(lambda: self.reading.queue.add(found, model, preset)))
        search.failed.connect(self.failed)
        for answered in (search.done, search.failed):
            answered.connect(lambda _: self._found(search))
        self.page.show_search(paths[0].name)
        search.start()

    def say_where(self, row: Row, path: Path) -> None:
        """The recording of a row is this file now."""
        folder = row.folder
        assert folder is not None

        def keep() -> tuple[Path, ...]:
            missing = relink(folder, path)
            self.reading.library.rebuild([folder])
            return missing

        self.reading.ask(keep, lambda _: self.come())

    # Inside

    def _connect(self) -> None:
        page = self.page
        self._thumbnails.came.connect(page.table.repaint_pictures)
        self.reading.failed.connect(self.failed)
        self.worker.failed.connect(self.failed)
        page.opened.connect(self._open)
        page.relink_asked.connect(self.file_asked)
        page.removed.connect(self._ask_to_remove)
        page.queued.connect(self._queue)
        page.cancelled.connect(self._cancel)
        page.pause_asked.connect(self._pause)

    def _add(self, add: Callable[[], None]) -> None:
        def queue() -> Read:
            add()
            return self.reading.read()

        self.reading.ask(queue, self._begin_with)

    def _found(self, search: Task) -> None:
        self._searches.remove(search)
        if not self._searches:
            self.page.show_search("")

    def _begin_with(self, read: Read) -> None:
        self.worker.start()
        self._take(read)

    def _take(self, read: Read) -> None:
        self._read = read
        if any(item.state is not State.FAILED for item in read.items):
            self.worker.start()
        self._show()
        entries = read.entries
        self.reading.ask(lambda: frozenset(one.folder for one in entries if not one.is_here), self._miss)

    def _miss(self, missing: frozenset[Path]) -> None:
        if missing != self._missing:
            self._missing = missing
            self._show()

    def _show(self) -> None:
        rows = rows_of(self._read.entries, self._read.items, self._missing)
        self.page.show_rows(rows, is_paused=self._read.is_paused)

    def _look(self) -> None:
        if not self._asked:
            self._asked = True
            self.reading.ask(self.reading.read_queue, self._look_at)

    def _look_at(self, queue: tuple[tuple[Item, ...], bool]) -> None:
        self._asked = False
        items, is_paused = queue
        if {one.id for one in items} != {one.id for one in self._read.items}:  # one is analysed
            self.come()
        elif queue != (self._read.items, self._read.is_paused):
            self._read = Read(self._read.entries, items, is_paused)
            self._show()

    def _open(self, row: Row) -> None:
        if row.state is Shown.MISSING:
            self.file_asked.emit(row)
        else:
            self.opened.emit(row.paths)

    def _queue(self, row: Row) -> None:
        model, preset = self._model(), self._preset()
        self._add(lambda: self.reading.queue.add([Wanted(row.paths)], model, preset))

    def _cancel(self, row: Row | None) -> None:
        ids = [one.id for one in self._read.items if row is None or one.id == row.item]
        self.reading.ask(lambda: self.reading.queue.cancel(ids), lambda _: self.come())

    def _pause(self, paused: bool) -> None:
        self.reading.ask(lambda: self.reading.queue.pause(paused), lambda _: self._look())

    def _ask_to_remove(self, row: Row) -> None:
        folder = row.folder
        if row.item is not None:
            self._cancel(row)
        elif folder is None or not folder.exists():
            self._forget(folder)
        else:
            self.reading.ask(lambda: what_is_kept(folder), lambda kept: self._ask_really(row, kept))

    def _ask_really(self, row: Row, kept: Kept) -> None:
        folder = row.folder
        assert folder is not None

        def delete() -> None:
            self.reading.ask(lambda: remove(folder), lambda _: self._forget(folder))

        answers = (Answer("Delete", delete), Answer("Keep", self.page.table.setFocus))
        self.page.question.ask(really(row, kept), answers, likely=1)

    def _forget(self, folder: Path | None) -> None:
        if folder is not None:
            self.reading.ask(lambda: self.reading.library.remove(folder), lambda _: self.come())
