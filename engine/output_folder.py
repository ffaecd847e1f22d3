"""A folder of results that appears whole: written in a hidden folder inside, moved out when all is done."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from engine.faults import FaultCode, FaultError

ASIDE_PREFIX = ".analysing-"


class OutputFolder:
    """Use as a context. Nothing under a final name changes until `publish`; leaving removes the unfinished.

    A folder that was made for this is removed too when nothing was published. Raises FaultError OUTPUT when
    the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._made: list[Path] = []
        self.aside = path  # the folder to write in, once entered

    def __enter__(self) -> OutputFolder:
        self._made = [folder for folder in (self._path, *self._path.parents) if not folder.exists()]
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            self.aside = Path(tempfile.mkdtemp(prefix=ASIDE_PREFIX, dir=self._path))
        except OSError as error:
            self._remove_made()
            raise output_fault(self._path, error) from error
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.aside, ignore_errors=True)
        self._remove_made()

    def publish(self, names: Sequence[str], old_names: Sequence[str], last: str) -> None:
        """`move_in` from `aside`."""
        move_in(self.aside, self._path, names, old_names, last)

    def _remove_made(self) -> None:
        for folder in self._made:  # innermost first; one that is in use stays
            with contextlib.suppress(OSError):
                folder.rmdir()


def move_in(aside: Path, path: Path, names: Sequence[str], old_names: Sequence[str], last: str) -> None:
    """Move `names` from `aside` to `path`, then `last`, which describes them.

    `old_names` are an earlier run's. The earlier description goes first: an interruption here leaves data
    without one, never a wrong one. Raises FaultError OUTPUT.
    """
    try:
        (path / last).unlink(missing_ok=True)
        for name in old_names:
            _remove(path / name)
        for name in (*names, last):
            (aside / name).replace(path / name)
    except OSError as error:
        raise output_fault(path, error) from error


def output_fault(path: Path, error: OSError) -> FaultError:
    """What the system said of a folder, as a fault."""
    return FaultError(
        FaultCode.OUTPUT,
        expected=f"to write into {path}",
        got=error.strerror or str(error),
        remedy="choose another folder with --out, or make room",
    )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
