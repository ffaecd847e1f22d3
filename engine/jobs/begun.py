"""A job in its folder, from the first event to the last."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from engine.faults import FaultCode, FaultError, internal_fault
from engine.files.lock import held
from engine.files.output_folder import made_for_this
from engine.files.whole import write_json
from engine.jobs.events import Echo, RunFolder
from engine.jobs.folder import EVENTS, LOCK, RUN_JSON, holds_states

STDOUT = "-"


@contextmanager
def begun(
    job: str,
    path: Path | None = None,
    *,
    events: str | None = None,
    new: bool = False,
    alone: bool = True,
    asked: Mapping[str, Any] | None = None,
    interrupted: Callable[[], bool] = lambda: False,
    **start: Any,
) -> Iterator[RunFolder]:
    """The run folder while the job works in it: `start` is told, the job tells the rest, and `done` is told.

    path: without one the events go into a folder that is removed; only `events` has them then.
    events: a file that gets them as well, "-" for the standard output (`--events`).
    new: a job that is refused before anything was saved leaves no folder.
    alone: no other process works in the folder meanwhile.
    asked: what becomes `run.json`.
    interrupted: a second way to cancel, beside the file.
    start: what the event `start` says beside the job's name.

    A job that ends early tells `done` itself (cancelled); otherwise it is "ok" at the end, "cancelled" for a
    KeyboardInterrupt and "failed" for any other error, with the fault told before it. All errors pass.
    Raises FaultError OUTPUT when another process works in the folder or `events` cannot be written, and
    OSError when the folder cannot.
    """
    with ExitStack() as stack:
        echo = stack.enter_context(_echo(events))
        if path is None:
            path, new, alone = Path(stack.enter_context(tempfile.TemporaryDirectory())), False, False
        if new:
            stack.enter_context(made_for_this(path))
        path.mkdir(parents=True, exist_ok=True)
        if alone:
            stack.enter_context(held(path / LOCK))
        if new:
            stack.enter_context(_gone_if_refused(path))
        folder = RunFolder(path, echo, interrupted)
        folder.clear_cancel()
        if asked is not None:
            write_json(path / RUN_JSON, asked)
        folder.event("start", job=job, **start)
        try:
            yield folder
        except BaseException as error:
            with contextlib.suppress(OSError):  # on a full disk nothing more can be told there
                if isinstance(error, FaultError):
                    folder.fault(error.as_fault(job))
                elif isinstance(error, Exception):
                    folder.fault(internal_fault(error, f"{job} job"))
                outcome = "cancelled" if isinstance(error, KeyboardInterrupt) else "failed"
                folder.event("done", outcome=outcome)
            raise
        if not folder.is_done:
            folder.event("done", outcome="ok")


@contextmanager
def _echo(name: str | None) -> Iterator[Echo | None]:
    """Lines are added to the file and flushed one by one."""
    if name is None:
        yield None
    elif name == STDOUT:
        yield _flushing(sys.stdout.write, sys.stdout.flush)
    else:
        try:
            stream = open(name, "a", encoding="utf-8", newline="\n")  # noqa: SIM115, PTH123 closed below
        except OSError as error:
            raise FaultError(
                FaultCode.OUTPUT,
                expected=f"to write events to {name}",
                got=error.strerror or str(error),
                remedy="name another file with --events",
            ) from error
        with stream:
            yield _flushing(stream.write, stream.flush)


def _flushing(write: Callable[[str], object], flush: Callable[[], None]) -> Echo:
    def echo(line: str) -> None:
        write(line)
        flush()

    return echo


@contextmanager
def _gone_if_refused(path: Path) -> Iterator[None]:
    """The files that tell of a run go again, unless something was saved or they were there before."""
    new = [name for name in (RUN_JSON, EVENTS) if not (path / name).exists()]
    try:
        yield
    except (FaultError, OSError):
        if not holds_states(path):
            for name in new:
                (path / name).unlink(missing_ok=True)
        raise
