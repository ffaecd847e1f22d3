"""Events and a progress bar for verbs that have no run folder."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from distill.verbs.events_option import events_echo
from engine.faults import FaultError
from engine.jobs.events import RunFolder

PROGRESS_S = 0.5


@contextmanager
def journal(options: argparse.Namespace, job: str) -> Iterator[RunFolder]:
    """Events from start to done for `--events`; their folder goes away. Faults are told and pass."""
    with tempfile.TemporaryDirectory() as aside, events_echo(options) as echo:
        folder = RunFolder(Path(aside), echo)
        folder.event("start", job=job)
        try:
            yield folder
        except BaseException as error:
            if isinstance(error, FaultError):
                folder.fault(error.as_fault(job))
            cancelled = isinstance(error, KeyboardInterrupt)
            folder.event("done", outcome="cancelled" if cancelled else "failed")
            raise
        folder.event("done", outcome="ok")


@contextmanager
def progress(folder: RunFolder, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A call (done, of how many) that moves a bar and, twice a second and at the end, tells an event."""
    from tqdm import tqdm

    last_s = 0.0
    with tqdm(unit=unit) as bar:

        def tick(done: int, total: int) -> None:
            nonlocal last_s
            bar.total = total
            bar.update(done - bar.n)
            now_s = time.monotonic()
            if done == total or now_s - last_s >= PROGRESS_S:
                last_s = now_s
                folder.event("progress", done=done, total=total)

        yield tick
