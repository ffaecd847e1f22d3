"""Exports of the open recording: the window for them, its process, and whether a person has looked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from app.review.exporting.choices import Range, There
from app.review.exporting.dialog import ExportDialog
from app.review.exporting.process import ExportProcess
from app.review.known import Known
from app.widgets.pick import ask_for_folder
from app.widgets.task import Task
from engine.faults import FaultError
from engine.files.lock import held
from engine.review.acts import Verdict
from engine.review.edits import Edits
from engine.review.exports.export import SHEET, Staged, counted, lock_of, staged_in
from engine.review.exports.formats import Only
from engine.review.exports.job import Wanted
from engine.review.rows import Row
from engine.settings import Review
from engine.types import Loop

Ask = Callable[[Callable[[Edits], object], Callable[[object], None]], None]


class Exporting(QObject):
    """Handlers of app.actions_and_keys among its methods. `chosen`: settings to be kept.

    `known`, `loop`, `row`: what is known, the loop in force and the finding that is chosen, now; `ask` asks
    what people did (AnalysisJob.ask).
    """

    chosen = Signal(object)
    said = Signal(str)

    def __init__(
        self,
        page: QWidget,
        folder: Callable[[], Path | None],
        known: Callable[[], Known | None],
        loop: Callable[[], Loop | None],
        row: Callable[[], Row | None],
        ask: Ask,
        settings: Callable[[], Review],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._page = page
        self._folder = folder
        self._known = known
        self._loop = loop
        self._row = row
        self._ask = ask
        self._settings = settings
        self._staged: Staged | None = None
        self._verified: int | None = None  # frames, when that was last asked
        self._held = ExitStack()  # the lock of what waits to be looked at
        self._wanted: Wanted | None = None
        self._ending: Task | None = None
        self.dialog: ExportDialog | None = None
        self.process = ExportProcess(self)
        self.process.made.connect(self._made)
        self.process.cancelled.connect(lambda: self._tell("Cancelled: nothing was written."))
        self.process.failed.connect(lambda said: self._tell(said, fault=True))

    def export(self) -> str | None:
        """The window of exports; one that runs, or waits to be looked at, is shown again."""
        if self._known() is None:
            return "Not analysed yet"
        dialog = self._shown()
        if not self.process.is_running and self._staged is None:
            self._ask_for_form()
        dialog.show()
        dialog.raise_()
        return None

    def add_to_data_set(self) -> str | None:
        """Verified frames as a new version of the data set; where that is, is asked once."""
        if self._known() is None:
            return "Not analysed yet"
        if self.process.is_running or self._staged is not None:
            return self.export()
        if folder := self._settings().data_set:
            self._add_to(Path(folder))
        else:
            ask_for_folder(self._page.window(), "Data set to add to", self._choose_data_set)
        return None

    def close(self) -> None:
        """Nothing runs any more, and what nobody has looked at is gone."""
        self.process.stop()
        if self._ending is not None:
            self._ending.forget()
            self._ending.join(60.0)
        if self._staged is not None:
            self._staged.discard()
            self._staged = None
        self._held.close()
        if self.dialog is not None:
            self.dialog.close()
            self.dialog.deleteLater()
            self.dialog = None

    # Inside

    def _shown(self) -> ExportDialog:
        if self.dialog is None:
            self.dialog = dialog = ExportDialog(self._page.window())
            dialog.export_asked.connect(self._start)
            dialog.cancel_asked.connect(self.process.cancel)
            dialog.kept.connect(self._keep)
            dialog.discarded.connect(self._discard)
            dialog.again_asked.connect(self._ask_for_form)
            dialog.form.folder_asked.connect(
                lambda: ask_for_folder(dialog, "Folder for exports", self._choose_folder)
            )
            self.process.progressed.connect(dialog.show_progress)
        return self.dialog

    def _ask_for_form(self) -> None:
        """What is verified is known in the side-car's thread; until then, what it said before."""
        self._shown().show_form()
        if self._verified is not None:
            self._show_there(self._verified)
        self._ask(lambda edits: len(edits.vouched), lambda count: self._show_there(int(str(count))))

    def _show_there(self, verified: int) -> None:
        known, dialog, self._verified = self._known(), self.dialog, verified
        if known is None or dialog is None:
            return
        rows, progress = known.rows, known.progress
        share = 1.0 if progress.is_done else progress.done / progress.total if progress.total else 0.0
        kept = sum(row.verdict is Verdict.KEEP for row in rows)
        other = known.point != known.analysis.point
        there = There(verified, kept, len(rows), self._looped(known), self._chosen_range(), share, other)
        dialog.form.show_there(there, self._parent())

    def _looped(self, known: Known) -> Range:
        loop = self._loop()
        if loop is None or not len(known.table):
            return None
        return known.table.rank_at(loop.start_s), known.table.rank_at(loop.end_s)

    def _chosen_range(self) -> Range:
        row = self._row()
        return None if row is None else (row.first_rank, row.last_rank)

    def _parent(self) -> Path:
        if folder := self._settings().exports:
            return Path(folder).expanduser()
        documents = QStandardPaths.StandardLocation.DocumentsLocation
        return Path(QStandardPaths.writableLocation(documents) or Path.home())

    def _choose_folder(self, folder: str) -> None:
        self.chosen.emit({"review.exports": folder})
        self._ask_for_form()

    def _choose_data_set(self, folder: str) -> None:
        self.chosen.emit({"review.data_set": folder})
        self._add_to(Path(folder))

    def _start(self) -> None:
        form = self._shown().form
        self._begin(
            format=form.name,
            out=form.folder(datetime.now()),
            only=form.wanted_only,
            range=form.wanted_range,
            full_frame=form.full_frame.isChecked() and form.full_frame.isVisibleTo(form),
            look=form.wanted_look,
        )

    def _add_to(self, folder: Path) -> None:
        dialog = self._shown()
        self._begin(format="dataset", out=folder.expanduser(), only=Only.VERIFIED, adds=True)
        dialog.show()
        dialog.raise_()

    def _begin(self, **wanted: object) -> None:
        known, folder = self._known(), self._folder()
        if known is None or folder is None:
            return
        self._wanted = Wanted.model_validate({"side_car": folder, "analysis": known.analysis.id, **wanted})
        self._shown().show_doing("Beginning…")
        self.process.start(self._wanted)

    def _made(self, folder: Path) -> None:
        wanted = self._wanted
        assert wanted is not None
        if wanted.adds:
            self._tell(f"Version {folder.name} of the data set has the verified frames now.", folder)
            return
        try:
            self._held.enter_context(held(lock_of(wanted.out)))
            self._staged = staged = staged_in(folder, wanted.out)
        except (OSError, ValueError, FaultError) as error:
            self._tell(f"The export is gone again ({error}).", fault=True)
            return
        if staged.sheet is None:
            self._keep()
        else:
            task = Task("contact sheet", lambda: QImage(str(folder / SHEET)), self)
            task.done.connect(self._shown().show_sheet)
            task.start()
            self._ending = task

    def _keep(self) -> None:
        staged = self._staged
        if staged is None:
            return
        self._staged = None
        self._shown().show_doing("Putting it in its place…")
        said = f"Exported: {counted(staged.counts)}."
        self._end(staged, staged.keep, lambda: self._tell(said, staged.out))

    def _discard(self) -> None:
        staged, self._staged = self._staged, None
        if staged is not None:
            self._shown().show_doing("Throwing it away…")
            self._end(staged, staged.discard, lambda: self._tell("Thrown away: nothing was kept."))

    def _end(self, staged: Staged, work: Callable[[], None], then: Callable[[], None]) -> None:
        """Beside the window: thousands of pictures are moved or removed. What cannot be kept is gone."""

        def end() -> None:
            try:
                work()
            finally:
                staged.discard()
                self._held.close()

        self._ending = task = Task("export", end, self)
        task.done.connect(lambda _: then())
        task.failed.connect(lambda fault: self._tell(fault.sentence, fault=True))
        task.start()

    def _tell(self, text: str, where: Path | None = None, *, fault: bool = False) -> None:
        if self.dialog is not None:
            self.dialog.show_told(text, where, fault=fault)
            if not self.dialog.isVisible():
                self.said.emit(text)
