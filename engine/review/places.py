"""Where the side-car of a recording lies: beside it, or in the library where that cannot be, or as set."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from engine.files.whole import user_data
from engine.review.database import DATABASE
from engine.review.identity import Identity

SUFFIX = ".review"
LIBRARY = "library"
HASH_LETTERS = 12
# The demonstration's folder is the program's: what somebody says of it is kept in the library.
PROGRAM = Path(str(files("assets").joinpath("demo")))


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


def is_taken(folder: Path) -> bool:
    """Whether something is there: a side-car, what is left of one, or what is none."""
    try:
        return next(folder.iterdir(), None) is not None
    except FileNotFoundError:
        return False
    except OSError:
        return True


def wanted(paths: Sequence[Path], identities: Sequence[Identity], places: Places) -> Iterator[Path]:
    """Where a side-car may lie, the best place first."""
    stem = side_car_name(paths).removesuffix(SUFFIX)
    first = identities[0].sha256[:HASH_LETTERS]
    beside = paths[0].absolute().parent / f"{stem}{SUFFIX}"
    in_library = places.library / f"{stem}-{first}{SUFFIX}"
    is_beside = places.beside and not beside.is_relative_to(PROGRAM)
    for folder in (beside, in_library) if is_beside else (in_library, beside):
        yield folder
        if len(paths) > 1:  # another recording may begin with the same file
            all_ = hashlib.sha256("".join(one.sha256 for one in identities).encode()).hexdigest()
            yield folder.with_name(f"{stem}-{all_[:HASH_LETTERS]}{SUFFIX}")


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
