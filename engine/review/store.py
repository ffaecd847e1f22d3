"""The side-car of a recording: opened by one window that writes and by others that read (docs/adr/0033)."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from engine.faults import FaultCode, FaultError
from engine.files.lock import held
from engine.files.whole import output_fault, shown
from engine.review.database import DATABASE, Database, damaged, make_database, open_database
from engine.review.identity import Identity, identity_of
from engine.review.places import (
    Places,
    can_be_made,
    is_side_car,
    is_taken,
    left_behind,
    wanted,
)
from engine.review.recording import Analysis, Recording, analysis_of_row, part_of_row

WINDOW_LOCK = "window.lock"


class SideCar:
    """Use as a context, in the thread that opened it. `why_read_only`: why nothing is kept; "" when it is."""

    def __init__(
        self,
        folder: Path,
        database: Database,
        held_files: ExitStack,
        why_read_only: str,
        *,
        is_in_use: bool = False,
    ) -> None:
        self.folder = folder
        self.database = database
        self.why_read_only = why_read_only
        self.is_in_use = is_in_use  # by another window
        self._held = held_files

    def __enter__(self) -> SideCar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Idempotent."""
        self.database.close()
        self._held.close()

    @property
    def recording(self) -> Recording:
        row = self.database.row(
            "SELECT title, width_px, height_px, rate_hz, frames, duration_s FROM recording"
        )
        parts = self.database.rows(
            "SELECT number, path, size_bytes, mtime_ns, sha256 FROM part ORDER BY number"
        )
        with self.database.decoding():
            if row is None or not parts:
                raise LookupError("it does not say of which recording")
            return Recording(row[0], tuple(part_of_row(*values) for values in parts), *row[1:])

    @property
    def analyses(self) -> tuple[Analysis, ...]:
        """The oldest first."""
        columns = (
            "id, made_by, model_id, weights_sha256, model_path, preset, point, region, runtime, began_utc, "
            "map_width, map_height, done, faults"
        )
        rows = self.database.rows(f"SELECT {columns} FROM analysis ORDER BY id")
        with self.database.decoding():
            return tuple(analysis_of_row(*row) for row in rows)

    def analysis(self, id_: int) -> Analysis:
        """Raises LookupError."""
        return next(one for one in self.analyses if one.id == id_)

    def check_parts(self) -> None:
        """The recording is still the one that this is of. Raises FaultError."""
        for part in self.recording.parts:
            if not _identity(part.path).is_same(part.identity):
                raise _another(part.path, self.folder)

    def relink(self, number: int, path: Path) -> None:
        """The same file under another path. Raises FaultError REVIEW when it is another recording."""
        part = self.recording.parts[number]
        identity = _identity(path)
        if not identity.is_same(part.identity):
            raise _another(path, self.folder)
        with self.database.change() as change:
            change.run(
                "UPDATE part SET path = ?, mtime_ns = ? WHERE number = ?",
                shown(str(path.absolute())),
                identity.mtime_ns,
                number,
            )


def open_side_car(
    paths: Sequence[Path],
    places: Places,
    *,
    write: bool = True,
    seen: bool = True,
    known: Callable[[str], Path | None] = lambda sha256: None,
    check: Callable[[Sequence[Path]], None] = lambda paths: None,
) -> SideCar:
    """That of a recording, made where there is none; `paths`: its files in order, mostly one.

    `seen` False: no person looks at it, and when it was last opened stays.
    `known`: where one may lie by the hash of the first file (`Library.side_car_of`); `check`: raises
    FaultError for what is no recording, before one is made of it (`analysis.check_readable`).

    Where another window has it, it can be read, and `why_read_only` says so.
    Raises FaultError: no such recording, a damaged or newer side-car, one of another recording (REVIEW).
    """
    identities = [_identity(path) for path in paths]
    found = _found(paths, identities, places) or _known(identities, known)
    if found is None:
        if not write:
            raise FaultError(
                FaultCode.REVIEW,
                expected=f"what is known of {paths[0].name}",
                got="nothing",
                remedy="open it in the window first",
                said=f"Nothing is known of {paths[0].name} yet. Open it for review first.",
            )
        check(paths)
        found = _made(paths, identities, places)
    car = _opened(found, write=write)
    try:
        _check_parts(car, paths, identities)
        return _noted(car) if seen else car
    except BaseException:
        car.close()
        raise


def find_side_car(
    paths: Sequence[Path], places: Places, known: Callable[[str], Path | None] = lambda sha256: None
) -> Path | None:
    """Where that of a recording lies, whatever its state; None: there is none. Raises FaultError."""
    identities = [_identity(path) for path in paths]
    return _found(paths, identities, places) or _known(identities, known)


def open_folder(folder: Path, *, write: bool = True) -> SideCar:
    """A side-car by its own folder, also when the recording is gone. Raises FaultError."""
    return _noted(_opened(folder, write=write))


def _opened(folder: Path, *, write: bool) -> SideCar:
    path = folder / DATABASE
    if folder.is_dir() and is_taken(folder) and not path.is_file():
        raise damaged(path, "there is no such file")
    if not path.is_file():
        raise FaultError(
            FaultCode.REVIEW,
            expected=f"a side-car in {folder}",
            got="none",
            remedy="open the recording for review first",
            said=f"There is no side-car in {folder}. Open the recording for review first.",
        )
    why, in_use = "" if write else "It was opened to be read only.", False
    with ExitStack() as stack:
        if write:
            try:
                stack.enter_context(held(folder / WINDOW_LOCK, busy=busy_fault(folder)))
            except FaultError as fault:
                in_use = fault.code is FaultCode.REVIEW
                why = fault.said if in_use else _read_only(folder)
        try:
            database = open_database(path, write=not why)
        except FaultError as fault:  # a full disk keeps nobody from looking
            if why or fault.code is not FaultCode.OUTPUT:
                raise
            why, database = fault.said, open_database(path, write=False)
        stack.callback(database.close)
        return SideCar(folder, database, stack.pop_all(), why, is_in_use=in_use)


def _noted(car: SideCar) -> SideCar:
    """When it was opened; a full disk keeps nobody from looking."""
    if not car.why_read_only:
        try:
            with car.database.change() as change:
                change.run("UPDATE recording SET opened_utc = ?", now_utc())
        except FaultError as fault:
            if fault.code is not FaultCode.OUTPUT:
                raise
            car.why_read_only = fault.said
    return car


def now_utc() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _found(paths: Sequence[Path], identities: Sequence[Identity], places: Places) -> Path | None:
    for folder in wanted(paths, identities, places):
        if folder.is_dir() and is_taken(folder) and not _is_of_others(folder, paths, identities):
            return folder
    for folder in left_behind(paths, identities[0], places):
        if _is_of(folder, identities):
            return folder
    return None


def _known(identities: Sequence[Identity], known: Callable[[str], Path | None]) -> Path | None:
    folder = known(identities[0].sha256)
    return folder if folder is not None and _is_of(folder, identities) else None


def _is_of(folder: Path, identities: Sequence[Identity]) -> bool:
    with contextlib.suppress(FaultError), open_folder(folder, write=False) as car:
        parts = car.recording.parts
        return [part.identity.sha256 for part in parts] == [one.sha256 for one in identities]
    return False


def _is_of_others(folder: Path, paths: Sequence[Path], identities: Sequence[Identity]) -> bool:
    """Whether it is of several files, and others than these: two recordings may begin with the same one."""
    if len(paths) == 1 or _is_of(folder, identities):
        return False
    with contextlib.suppress(FaultError), open_folder(folder, write=False) as car:
        return [path.name for path in car.recording.paths] != [path.name for path in paths]
    return False


def _made(paths: Sequence[Path], identities: Sequence[Identity], places: Places) -> Path:
    """Written aside and renamed: a side-car is whole or not there."""
    choice = [one for one in wanted(paths, identities, places) if not is_taken(one)]
    folder = next((one for one in choice if can_be_made(one)), choice[-1])
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".review-", dir=folder.parent))
    except OSError as error:
        raise output_fault(folder.parent, error) from error
    try:
        make_database(aside / DATABASE)
        database = open_database(aside / DATABASE)
        try:
            with database.change() as change:
                title, now = shown(paths[0].name), now_utc()
                change.run(
                    "INSERT INTO recording (id, title, made_utc, opened_utc) VALUES (1, ?, ?, ?)",
                    title, now, now,
                )  # fmt: skip
                for number, (path, one) in enumerate(zip(paths, identities, strict=True)):
                    change.run(
                        "INSERT INTO part VALUES (?, ?, ?, ?, ?)",
                        number, shown(str(path.absolute())), one.size_bytes, one.mtime_ns, one.sha256,
                    )  # fmt: skip
        finally:
            database.close()
        aside.chmod(0o755)
        aside.rename(folder)
    except OSError as error:
        if not is_side_car(folder):  # else another window made it just now
            raise output_fault(folder, error) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _check_parts(car: SideCar, paths: Sequence[Path], identities: Sequence[Identity]) -> None:
    """It is this recording's; where it is, is kept."""
    parts = car.recording.parts
    if [part.identity.sha256 for part in parts] != [one.sha256 for one in identities]:
        raise _another(paths[0], car.folder)
    for part, path in zip(parts, paths, strict=True):
        moved = shown(str(path.absolute())) != str(part.path) and not part.path.exists()  # else it is a copy
        if moved and not car.why_read_only:
            car.relink(part.number, path)


def _identity(path: Path) -> Identity:
    try:
        return identity_of(path)
    except OSError as error:
        raise FaultError(
            FaultCode.SOURCE_MISSING,
            expected="a recording",
            got=f"{path} ({error.strerror or error})",
            remedy="check the path, or say where it is now",
            said=f"{path} cannot be read ({error.strerror or error}). "
            "Check the path, or say where it is now.",
        ) from error


def _another(path: Path, folder: Path) -> FaultError:
    return FaultError(
        FaultCode.REVIEW,
        expected=f"{path} as it was when it was analysed",
        got="another content",
        remedy="put the recording back, or start anew; what is known is kept",
        said=f"{path.name} is not the recording that was analysed: its content has changed. "
        f"Put the recording back, or start anew; what is known of that one is kept ({folder}).",
    )


def _read_only(folder: Path) -> str:
    return (
        "Here the recording can be looked at, not changed: what is known of it lies where nothing can be "
        f"written. Copy both to where you may write, and open it there ({folder})."
    )


def read_only_fault(car: SideCar, expected: str) -> FaultError:
    """Something is to be kept where nothing can be."""
    return FaultError(
        FaultCode.REVIEW,
        expected=expected,
        got=car.why_read_only,
        remedy="open it where it can be changed",
        said=car.why_read_only,
    )


def busy_fault(folder: Path) -> FaultError:
    """Another window has it."""
    return FaultError(
        FaultCode.REVIEW,
        expected=f"to be the only window with {folder.name}",
        got="another one that has it",
        remedy="close the other one first",
        said="Another window has this recording open: here it can be looked at, not changed. "
        "Close the other one and open it again to change it.",
    )
