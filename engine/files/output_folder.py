"""A folder of results that appears whole: written in a hidden folder inside, moved out when all is done."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from engine.faults import FaultError
from engine.files.lock import held
from engine.files.whole import output_fault, sync

ASIDE_PREFIX = ".analysing-"
LOCK = ".analysing.lock"


def named_folder(text: str) -> Path:
    """The type of an argument that names a folder: no name would be the current one."""
    if not text.strip():
        raise argparse.ArgumentTypeError("name a folder, such as out/mine")
    return Path(text)


class OutputFolder:
    """Use as a context. Nothing under a final name changes until `publish`; leaving removes the unfinished.

    One run at a time has the folder; what killed ones left unfinished in it is removed. A folder that was
    made for this is removed too when nothing was published. Raises FaultError OUTPUT when another run has it,
    or it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._made: list[Path] = []
        self._held = ExitStack()
        self.aside = path  # the folder to write in, once entered

    def __enter__(self) -> OutputFolder:
        self._made = [folder for folder in (self._path, *self._path.parents) if not folder.exists()]
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            self._held.enter_context(held(self._path / LOCK))
            for left in self._path.glob(f"{ASIDE_PREFIX}*"):
                if left.is_dir() and not left.is_symlink():
                    shutil.rmtree(left, ignore_errors=True)
            self.aside = Path(tempfile.mkdtemp(prefix=ASIDE_PREFIX, dir=self._path))
        except (OSError, FaultError) as error:
            self._held.close()
            self._remove_made()
            if isinstance(error, OSError):
                raise output_fault(self._path, error) from error
            raise
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.aside, ignore_errors=True)
        self._held.close()
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

    `old_names` are an earlier run's: files, then the folders that they leave empty. The earlier description
    goes first: an interruption here leaves data without one, never a wrong one. Raises FaultError OUTPUT.
    """
    try:
        (path / last).unlink(missing_ok=True)
        for name in old_names:
            _remove(path / name)
        for name in (*names, last):
            sync_all(aside / name)  # a name must not be on the disk before its content is
            (aside / name).replace(path / name)
        sync(path)
    except OSError as error:
        raise output_fault(path, error) from error


def _remove(path: Path) -> None:
    """Never what is inside a folder: only what was named is removed."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


@contextmanager
def made_for_this(path: Path) -> Iterator[None]:
    """Folders that are made for what failed go again when they are empty."""
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        yield
    except BaseException:
        for folder in made:  # innermost first; one that is in use stays
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def sync_all(path: Path) -> None:
    """A file, or a folder with all that is in it, to the disk. Raises OSError."""
    if path.is_dir():
        for inner in path.iterdir():
            sync_all(inner)
    sync(path)
