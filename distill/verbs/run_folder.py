"""The run folder of a training, between `--run` or `--resume` and the sentence on a full disk."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from distill.verbs.run_options import process_number
from engine.faults import FaultCode, FaultError
from engine.jobs.folder import holds_states, process_folder

if TYPE_CHECKING:
    from distill.recipe import Recipe
    from engine.jobs.events import RunFolder


@contextmanager
def opened(
    options: argparse.Namespace, job: str, recipe: Recipe, path: Path, root: Path, more: Sequence[Path] = ()
) -> Iterator[RunFolder]:
    """The run folder while the job works in it, for this process alone. It gets run.json; faults are told.

    A new run that is refused before anything was saved leaves no folder. Raises FaultError OUTPUT when
    another process works in it, or it cannot be written (a full disk).
    """
    from distill.runs import run_json
    from engine.jobs.begun import begun

    process, resumed = process_number(), bool(options.resume)
    with (
        _disk_errors_said(path, job),
        begun(
            job,
            process_folder(path, process),
            events=None if process else options.events,
            new=not resumed,
            asked=None if resumed or process else run_json(recipe, root, more),
            run_id=path.name,
            resumed_from=str(path) if resumed else None,
        ) as folder,
        _disk_errors_said(path, job),  # inside as well: the events say it, too
    ):
        yield folder


@contextmanager
def _disk_errors_said(path: Path, job: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _not_written(path, job, error) from error


def _not_written(path: Path, job: str, error: OSError) -> FaultError:
    what = error.strerror or str(error)
    remedy = "make room, or name another folder with --run"
    kept = ""
    if holds_states(path):
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
