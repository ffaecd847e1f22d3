"""The hidden folder of a run over many recordings, for what is under way."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.faults import FaultCode, FaultError
from engine.files.lock import held
from engine.files.output_folder import LOCK
from engine.files.whole import output_fault

WORK = ".analysing"


@contextmanager
def work_folder(out: Path) -> Iterator[Path]:
    """A hidden folder for what is under way, empty at first and gone afterwards; one run at a time has it.

    What an interrupted run left there is removed. `out` is made, and removed again if it stays empty.
    """
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    if out.exists() and not out.is_dir():
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a folder for the results",
            got=f"{out}, which is a file",
            remedy="choose another one with --out",
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_fault(out, error) from error
    try:
        with held(out / LOCK):
            work = out / WORK
            try:
                if work.is_symlink():
                    work.unlink()
                shutil.rmtree(work, ignore_errors=True)
                work.mkdir(exist_ok=True)
            except OSError as error:
                raise output_fault(out, error) from error
            try:
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)
    finally:
        for folder in made:  # innermost first; one that is in use stays
            with contextlib.suppress(OSError):
                folder.rmdir()
