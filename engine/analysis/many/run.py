"""A run over many recordings: gives the orders, puts the results in their places and keeps the manifest."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.analysis.many.crew import Crew
from engine.analysis.many.manifest import TOTALS, Row, plan, read_manifest, totals, write_manifest
from engine.analysis.many.recordings import Recording, fingerprint
from engine.analysis.many.task import Options, Order, OrderResult, frames_so_far, remove_attempts
from engine.analysis.many.work_folder import work_folder
from engine.analysis.one import earlier_files
from engine.analysis.results import SUMMARY, THUMBNAILS, is_whole, read_summary
from engine.faults import FaultCode, FaultError
from engine.files.output_folder import move_in
from engine.files.whole import output_fault, write_text
from engine.sources import parse_source

MOST_TRIES = 3
LOOK_EVERY_S = 1.0


class Watcher(Protocol):
    """Is told how a run goes."""

    def begin(self, rows: Sequence[Row], todo: int) -> None:
        """All rows, of which `todo` are not done yet."""

    def changed(self, row: Row) -> None:
        """A row is done or has failed."""

    def frames(self, done: int) -> None:
        """Frames analysed in this run so far; comes about every second."""


@dataclass(frozen=True, slots=True)
class Report:
    """How the recordings of a run came out. `skipped` were done before."""

    done: tuple[Row, ...]
    failed: tuple[Row, ...]
    skipped: tuple[Row, ...]


def analyse_many(
    recordings: Sequence[Recording],
    out: Path,
    options: Options,
    open_crew: Callable[[], Crew],
    watcher: Watcher,
) -> Report:
    """Analyse what is not done yet into folders of `out`, and keep `manifest.json` and `summary.csv` there.

    A recording that cannot be analysed fails alone; one whose worker dies is begun again, MOST_TRIES times.
    After an exception (KeyboardInterrupt) what is done stays done, and the next call goes on.
    Raises FaultError: another run writes into `out`, it cannot be written, the crew cannot work or is gone.
    """
    out = out.absolute()
    with work_folder(out) as work:
        rows = plan(
            read_manifest(out),
            recordings,
            options.asked,
            has_results=lambda row: _has_results(out / row.folder),
            is_unchanged=_is_unchanged,
        )
        book = Book(out, rows)
        todo = [row for row in rows if row.state == "queued"]
        if todo:
            with closing(open_crew()) as crew:
                crew.prepare(Order(0, "", str(work), options, crew.sharers))
                book.save()
                watcher.begin(rows, len(todo))
                try:
                    _Run(out, work, options, crew, book, watcher).work_off(todo)
                finally:
                    book.close()
        else:
            book.close()
    sources = {recording.source for recording in recordings}
    asked_for = [row for row in book.rows if row.source in sources]
    begun = {row.source for row in todo}
    return Report(
        done=tuple(row for row in asked_for if row.state == "done" and row.source in begun),
        failed=tuple(row for row in asked_for if row.state == "failed"),
        skipped=tuple(row for row in asked_for if row.state == "done" and row.source not in begun),
    )


class Book:
    """The rows of a run, written down after each change."""

    def __init__(self, out: Path, rows: Sequence[Row]) -> None:
        self._out = out
        self._rows = {row.source: row for row in rows}

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(self._rows.values())

    def put(self, row: Row) -> None:
        self._rows[row.source] = row
        # A disk that is full while one overlay is written has room again when that one has failed. What is
        # not written down is done once more after a crash, no worse.
        with contextlib.suppress(OSError):
            write_manifest(self._out, self.rows)

    def save(self) -> None:
        """Write it. Raises FaultError OUTPUT."""
        try:
            write_manifest(self._out, self.rows)
        except OSError as error:
            raise output_fault(self._out, error) from error

    def close(self) -> None:
        """What is under way is queued again; the totals are written as well. Raises FaultError OUTPUT."""
        for row in self.rows:
            if row.state == "running":
                self._rows[row.source] = row.model_copy(update={"state": "queued"})
        self.save()
        try:
            write_text(self._out / TOTALS, totals(self.rows))
        except OSError as error:
            raise output_fault(self._out / TOTALS, error) from error


class _Run:
    def __init__(
        self, out: Path, work: Path, options: Options, crew: Crew, book: Book, watcher: Watcher
    ) -> None:
        self._out = out
        self._work = work
        self._options = options
        self._crew = crew
        self._book = book
        self._watcher = watcher
        self._frames_done = 0

    def work_off(self, todo: Sequence[Row]) -> None:
        waiting = deque(enumerate(todo))
        running: dict[int, Row] = {}
        while waiting or running:
            while waiting and self._crew.room() > 0:
                number, row = waiting.popleft()
                if started := self._started(number, row):
                    running[number] = started
            if not (waiting or running):
                return
            for result in self._crew.finished(LOOK_EVERY_S):
                row = running.pop(result.number)
                again = self._settled(row, result)
                remove_attempts(self._work, result.number)
                if again:
                    waiting.append((result.number, again))
            under_way = sum(frames_so_far(self._work).values())
            self._watcher.frames(self._frames_done + under_way)

    def _started(self, number: int, row: Row) -> Row | None:
        try:
            # Else hours are for nothing.
            earlier_files(parse_source(row.source), self._place(row), findings=False)
            mark = fingerprint(row.source)
        except FaultError as error:
            self._put(row, state="failed", fault=str(error))
            return None
        started = self._put(row, state="running", fingerprint=mark, tries=row.tries + 1)
        self._crew.start(Order(number, row.source, str(self._work), self._options, self._crew.sharers))
        return started

    def _settled(self, row: Row, result: OrderResult) -> Row | None:
        """Write down what came of it; the row if it is to be done again."""
        if result.lost and row.tries < MOST_TRIES:
            return self._put(row, state="queued")
        try:
            if result.lost:
                raise _all_lost(row)
            if result.fault:
                self._put(row, state="failed", fault=result.fault, seconds=result.seconds, host=result.host)
            else:
                self._publish(row, result)
        except FaultError as error:
            self._put(row, state="failed", fault=str(error), seconds=result.seconds, host=result.host)
        return None

    def _publish(self, row: Row, result: OrderResult) -> None:
        """Move the results to their place. Only here: no worker writes under a final name."""
        if fingerprint(row.source) != row.fingerprint:
            raise FaultError(
                FaultCode.SOURCE_UNREADABLE,
                expected=f"{row.source} to stay as it is while it is analysed",
                got="another size or time afterwards",
                remedy="start again when it has been copied",
            )
        results, folder = Path(result.results), self._place(row)
        summary = read_summary(results)
        if summary is None:
            raise FaultError(
                FaultCode.OUTPUT,
                expected=f"the results of {row.source} in {results}",
                got="none that can be read",
                remedy="see that nobody else writes into the output folder, and start again",
            )
        with_findings = THUMBNAILS in summary.files
        earlier = earlier_files(parse_source(row.source), folder, findings=with_findings)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_fault(folder, error) from error
        move_in(results, folder, summary.files, earlier, last=SUMMARY)
        self._frames_done += summary.frames
        self._put(
            row,
            state="done",
            fault=" ".join(summary.faults),
            complete=summary.complete,
            frames=summary.frames,
            frames_with_findings=summary.frames_with_findings,
            duration_s=round(summary.duration_s, 3),
            seconds=result.seconds,
            model=summary.model.id,
            threshold=summary.threshold,
            host=result.host,
        )

    def _place(self, row: Row) -> Path:
        """The folder of its results. Raises FaultError where a link would lead out of the output folder."""
        folder = self._out / row.folder
        inside = (folder, *folder.parents)[: len(Path(row.folder).parts)]
        if link := next((path for path in inside if path.is_symlink()), None):
            raise FaultError(
                FaultCode.OUTPUT,
                expected=f"{row.folder} to be a folder of {self._out}",
                got=f"a link at {link}",
                remedy="remove the link, or choose another folder with --out",
                said=f"{link} is a link, and results are written inside the output folder only. Remove the "
                "link, or choose another folder with --out.",
            )
        return folder

    def _put(self, row: Row, **changes: object) -> Row:
        changed = row.model_copy(update=changes)
        self._book.put(changed)
        if changed.state in ("done", "failed"):
            self._watcher.changed(changed)
        return changed


def _has_results(folder: Path) -> bool:
    summary = read_summary(folder)
    return summary is not None and is_whole(folder, summary)


def _is_unchanged(row: Row) -> bool:
    try:
        return fingerprint(row.source) == row.fingerprint
    except FaultError:
        return False


def _all_lost(row: Row) -> FaultError:
    return FaultError(
        FaultCode.INTERNAL,
        expected=f"a worker to live through {row.source}",
        got=f"{row.tries} that died over it",
        remedy="see whether the machine ran out of memory, or analyse it alone",
    )
