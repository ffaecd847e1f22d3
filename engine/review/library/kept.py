"""What is kept of a recording: told where that is now, and taken away when nobody wants it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from engine.faults import FaultCode, FaultError
from engine.files.lock import held
from engine.files.shared import set_aside
from engine.files.whole import output_fault
from engine.jobs.adopted import is_at_work
from engine.review.places import SUFFIX, is_side_car
from engine.review.store import WINDOW_LOCK, busy_fault, open_folder, read_only_fault

GOING = ".removed"


@dataclass(frozen=True, slots=True)
class Kept:
    """What goes when a side-car is removed."""

    size_bytes: int
    acts: int


def what_is_kept(folder: Path) -> Kept:
    """Of a side-car, also of one that cannot be read. Raises OSError."""
    size_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    try:
        with open_folder(folder, write=False) as car:
            row = car.database.row("SELECT count(*) FROM act WHERE kind != 'point'")
            return Kept(size_bytes, row[0] if row else 0)
    except FaultError:
        return Kept(size_bytes, 0)


def remove(folder: Path) -> None:
    """A side-car and all that is in it, never its recording. Raises FaultError: in use, or none."""
    if folder.suffix != SUFFIX or not is_side_car(folder):
        raise FaultError(
            FaultCode.REVIEW,
            expected=f"a side-car at {folder}",
            got="none",
            remedy="take it from the list",
            said=f"There is no side-car at {folder} any more. Nothing was deleted.",
        )
    try:
        with held(folder / WINDOW_LOCK, busy=busy_fault(folder)):
            if any(is_at_work(run) for run in folder.glob("analysis-*")):
                raise busy_fault(folder)
            going = folder.with_name(f".{folder.name}{GOING}")
            folder.rename(going)  # gone at once, whatever the disk makes of the rest
        shutil.rmtree(going)
    except OSError as error:
        raise output_fault(folder, error) from error


def start_anew(folder: Path) -> Path:
    """Rename a side-car that is damaged, or another recording's by now. Where it is then.

    Raises FaultError: another window has it, OUTPUT.
    """
    with held(folder / WINDOW_LOCK, busy=busy_fault(folder)):
        try:
            return set_aside(folder)
        except OSError as error:
            raise output_fault(folder, error) from error


def relink(folder: Path, path: Path) -> tuple[Path, ...]:
    """The recording was moved: its file, one of its files, or its folder of stills is this one now; the other
    files of several are looked for beside it. Those that are still missing. Raises FaultError.
    """
    with open_folder(folder) as car:
        if car.why_read_only:
            raise read_only_fault(car, "to keep where the recording is now")
        missing = [part for part in car.recording.parts if not part.path.exists()]
        named = [part for part in missing if part.path.name == path.name]
        chosen = (named or missing or list(car.recording.parts))[0]
        car.relink(chosen.number, path)
        for part in missing:
            beside = path.with_name(part.path.name)
            if part is not chosen and beside.exists():
                car.relink(part.number, beside)
        return tuple(one for one in car.recording.paths if not one.exists())
