"""`analyse` of many recordings on the command line: a bar, a table at the end, exit codes."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from engine.analysis.many.crew import Crew, ProcessCrew, default_workers
from engine.analysis.many.manifest import MANIFEST, TOTALS, Row
from engine.analysis.many.recordings import find_recordings
from engine.analysis.many.run import Report, analyse_many
from engine.analysis.many.task import Options, digest_of
from engine.analysis.one import check_preset
from engine.jobs.ended import CANCELLED, INCOMPLETE, OK
from engine.model_folder import ModelFolder, bundled_models, load_model_folder
from engine.model_in_use import named_or_in_use
from engine.table import Entry, load

SOME_FAILED = 1
DASK = Entry("engine.analysis.many.dask_crew:DaskCrew", extra="cluster")
# In a log file a bar is a line each time.
BAR_EVERY_S, LOG_EVERY_S = 0.5, 30.0


def run_many(arguments: argparse.Namespace) -> int:
    """Analyse them, and tell. 0: all done, 1: some failed, 4: stopped, 5: done, but not complete.

    Raises FaultError for bad input.
    """
    model = load_model_folder(named_or_in_use(arguments.model))
    check_preset(model, arguments.preset)
    options = Options(
        model=_name_elsewhere(model),
        digest=digest_of(model),
        threshold=arguments.threshold,
        overlay=arguments.overlay,
        runtime=arguments.runtime,
        precision=arguments.precision,
        decode=arguments.decode,
        preset=arguments.preset,
        region="frame" if arguments.whole_frame else None,
    )

    def open_crew() -> Crew:
        if arguments.scheduler:
            crew: Crew = load(DASK)(arguments.scheduler)
            return crew
        return ProcessCrew(arguments.workers or default_workers())

    out: Path = arguments.out
    left_out: list[str] = []
    recordings = find_recordings(arguments.source, out, left_out.append)
    bar = Bar()
    try:
        report = analyse_many(recordings, out, options, open_crew, bar)
    except KeyboardInterrupt:
        bar.close()
        print(f"Stopped: {bar.finished} are done; the same command goes on from there.", file=sys.stderr)
        return CANCELLED
    finally:
        bar.close()
    _tell(report, left_out, out, bar.seconds)
    if report.failed:
        return SOME_FAILED
    return OK if all(row.complete for row in (*report.done, *report.skipped)) else INCOMPLETE


class Bar:
    """A `Watcher`: one bar over all recordings on stderr; what fails is told at once."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._bar: tqdm[None] | None = None
        self.finished = ""

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began_s

    def begin(self, rows: Sequence[Row], todo: int) -> None:
        """As `Watcher.begin`."""
        every_s = BAR_EVERY_S if sys.stderr.isatty() else LOG_EVERY_S
        self._began_s = time.monotonic()
        self._bar = tqdm(
            total=len(rows),
            initial=len(rows) - todo,
            unit=" recordings",
            mininterval=every_s,
            file=sys.stderr,
        )
        self._count()

    def changed(self, row: Row) -> None:
        """As `Watcher.changed`."""
        if self._bar is None:
            return
        if row.fault:
            self._bar.write(f"{row.folder}: {row.fault}", file=sys.stderr)
        self._bar.update()
        self._count()

    def frames(self, done: int) -> None:
        """As `Watcher.frames`."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"{done} frames, {done / max(self.seconds, 1e-9):.0f} frames/s")

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()

    def _count(self) -> None:
        assert self._bar is not None
        self.finished = f"{self._bar.n} of {self._bar.total}"


def _name_elsewhere(model: ModelFolder) -> str:
    """What the model is called on any machine: a bundled one by its name, another one by its path."""
    return model.id if model.path in bundled_models() else str(model.path.absolute())


def _tell(report: Report, left_out: Sequence[str], out: Path, seconds: float) -> None:
    for row in report.done:
        ending = f", not complete: {row.fault}" if not row.complete else ""
        print(f"done    {row.folder}: {row.frames} frames, {row.frames_with_findings} with findings{ending}")
    for row in report.failed:
        print(f"failed  {row.folder}: {row.fault}")
    for sentence in left_out:
        print(f"left out: {sentence}")
    frames = sum(row.frames for row in report.done)
    print(
        f"{len(report.done)} done, {len(report.failed)} failed, {len(report.skipped)} done before"
        f"{f', {len(left_out)} left out' if left_out else ''}; "
        f"{frames} frames in {seconds:.0f} s, {frames / max(seconds, 1e-9):.0f} frames/s"
    )
    for name in (MANIFEST, TOTALS):
        print(out / name)
