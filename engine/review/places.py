"""Where the side-car of a recording lies: beside it, or in the library where that cannot be, or as set."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.files.shared import set_aside
from engine.files.whole import user_data
from engine.review.database import DATABASE
from engine.review.identity import Identity

SUFFIX = ".review"
LIBRARY = "library"
HASH_LETTERS = 12


@dataclass(frozen=True, slots=True)
class Places:
    """`library`: where side-cars go that do not lie beside their recordings; `beside` False: all of them."""

    library: Path
    beside: bool = True


def places_of(side_cars: str, library: str) -> Places:
    """As the settings `review.side_cars` ("beside" or "library") and `review.library` ("": the usual) say."""
    return Places(Path(library).expanduser() if library else user_data() / LIBRARY, side_cars == "beside")


def is_side_car(folder: Path) -> bool:
    return (folder / DATABASE).is_file()


def side_car_name(paths: Sequence[Path]) -> str:
    """Of a recording, or of several files that are one."""
    more = f"+{len(paths) - 1}" if len(paths) > 1 else ""
    return f"{paths[0].name}{more}{SUFFIX}"


def wanted(paths: Sequence[Path], identity: Identity, places: Places) -> Iterator[Path]:
    """Where a side-car may lie, the best place first; `identity` is the first file's."""
    name = side_car_name(paths)
    beside = paths[0].absolute().parent / name
    in_library = places.library / f"{name.removesuffix(SUFFIX)}-{identity.sha256[:HASH_LETTERS]}{SUFFIX}"
    yield from (beside, in_library) if places.beside else (in_library, beside)


def left_behind(paths: Sequence[Path], identity: Identity, places: Places) -> Iterator[Path]:
    """Side-cars that may be this recording's under an earlier name: those whose own recording is gone, and
    those in the library that carry its hash.
    """
    folder = paths[0].absolute().parent
    with contextlib.suppress(OSError):
        for found in sorted(folder.glob(f"*{SUFFIX}")):
            if is_side_car(found) and not (folder / found.name.removesuffix(SUFFIX)).exists():
                yield found
    with contextlib.suppress(OSError):
        for found in sorted(places.library.glob(f"*-{identity.sha256[:HASH_LETTERS]}{SUFFIX}")):
            if is_side_car(found):
                yield found


def can_be_made(folder: Path) -> bool:
    """Whether a folder can be made there, and written into."""
    above = next((parent for parent in folder.parents if parent.exists()), None)
    return above is not None and os.access(above, os.W_OK | os.X_OK)


def start_anew(folder: Path) -> Path:
    """Rename a side-car that is damaged, or another recording's by now. Where it is then; raises OSError."""
    return set_aside(folder)
