"""The run folder of a job: held by one process, and gone again when the start is refused."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from distill.verbs.events_option import events_echo
from distill.verbs.run_options import process_number
from engine.faults import FaultCode, FaultError
from engine.files.whole import write_json

if TYPE_CHECKING:
    from distill.recipe import Recipe
    from engine.jobs.events import RunFolder

LOCK = "lock"


@contextmanager
def opened(
    options: argparse.Namespace, job: str, recipe: Recipe, path: Path, root: Path
) -> Iterator[RunFolder]:
    """The run folder while the job works in it, for this process alone. It gets run.json; faults are told.

    A new run that is refused before anything was saved leaves no folder. Raises FaultError ARGUMENT when
    another process works in it, OUTPUT when it cannot be written (a full disk).
    """
    from distill.runs import RUN_JSON, run_json
    from distill.train.loop import PROCESS
    from engine.files.lock import held
    from engine.jobs.events import RunFolder

    process = process_number()
    own = path / f"{PROCESS}{process}" if process else path
    try:
        with events_echo(options) as echo, ExitStack() as alone:
            if not options.resume:
                alone.enter_context(_made_for_this(own))
            folder = RunFolder(own, echo=None if process else echo)
            alone.enter_context(held(own / LOCK))  # two that go on with one run would mix their checkpoints
            if not options.resume:
                alone.enter_context(_gone_if_refused(own))
            folder.clear_cancel()
            if not (options.resume or process):
                write_json(path / RUN_JSON, run_json(recipe, root))
            folder.event(
                "start", job=job, run_id=path.name, resumed_from=str(path) if options.resume else None
            )
            try:
                yield folder
            except BaseException as error:
                with contextlib.suppress(OSError):  # on a full disk nothing more can be told there
                    if isinstance(error, FaultError):
                        folder.fault(error.as_fault("training"))
                    folder.event("done", outcome="failed")
                raise
    except OSError as error:
        raise _not_written(path, job, error) from error


@contextmanager
def _made_for_this(path: Path) -> Iterator[None]:
    """Folders that were made for a job that failed go again when they are empty."""
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        yield
    except (FaultError, OSError):
        for folder in made:  # innermost first; one that is in use stays
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


@contextmanager
def _gone_if_refused(path: Path) -> Iterator[None]:
    """The files that tell of a run go again, unless something was saved or they were there before."""
    from distill.runs import RUN_JSON
    from distill.train.saved import holds_states
    from engine.jobs.events import EVENTS

    new = [name for name in (RUN_JSON, EVENTS) if not (path / name).exists()]
    try:
        yield
    except (FaultError, OSError):
        if not holds_states(path):
            for name in new:
                (path / name).unlink(missing_ok=True)
        raise


def _not_written(path: Path, job: str, error: OSError) -> FaultError:
    from distill.train.saved import holds_states

    what = error.strerror or str(error)
    saved = holds_states(path)
    remedy = "make room, or name another folder with --run"
    kept = ""
    if saved:
        remedy = f"make room and go on: python -m distill {job} --resume {path}"
        kept = " What was saved before is whole."
    place = error.filename or path
    return FaultError(
        FaultCode.OUTPUT,
        expected=f"to write into {path}",
        got=what,
        remedy=remedy,
        said=f"{place} could not be written ({what}).{kept} {remedy[0].upper()}{remedy[1:]}.",
    )
