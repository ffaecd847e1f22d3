"""Which recordings lie in what a person chose or dropped: videos, also below, and folders of stills."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from engine.analysis.many.recordings import find_recordings, holds_pictures
from engine.faults import FaultError
from engine.files.natural import natural
from engine.review.library.queue import Wanted
from engine.review.places import SUFFIX

# Of a recorder that writes several files: REC_0001, case-part2. A bare number is more often a patient's.
_NUMBERED = re.compile(r"(?P<before>.*?)(?P<part>part|seg|segment|chunk|clip)?[ _.-]?(?P<number>\d+)", re.I)
_DIGITS = 2  # a counter of a recorder has leading noughts


def recordings_in(paths: Sequence[Path], without: Path) -> list[Wanted]:
    """Of files and folders: every recording once. One that cannot be read says why; `without` holds results.

    Raises FaultError when there is none in all of it.
    """
    wanted: list[Wanted] = []
    refused: FaultError | None = None
    for path in paths:
        stills = [Wanted((folder,)) for folder in _stills_below(path)]
        try:
            videos = [
                Wanted((Path(one.source),), one.fault)
                for one in find_recordings([str(path)], without)
                if SUFFIX not in {part.suffix for part in (Path(one.source), *Path(one.source).parents)}
            ]
        except FaultError as fault:
            refused, videos = fault, []
        wanted += videos + [one for one in stills if one not in videos]
    if not wanted and refused is not None:
        raise refused
    return list(dict.fromkeys(wanted))


def in_order(paths: Iterable[Path]) -> tuple[Path, ...]:
    """As a recorder wrote them, by their names."""
    return tuple(sorted(paths, key=lambda path: natural(path.name)))


def are_parts(paths: Sequence[Path]) -> bool:
    """Whether the names say that these files are one recording in parts: alike but for a counter that has
    leading noughts or follows a word for a part, in one folder, none missing.
    """
    ordered = in_order(paths)
    found = [_NUMBERED.fullmatch(path.stem) for path in ordered]
    if len(ordered) < 2 or None in found:
        return False
    matches = [match for match in found if match is not None]
    first = matches[0]
    same = len(
        {(m["before"], m["part"], p.suffix.lower(), p.parent) for m, p in zip(matches, ordered, strict=True)}
    )
    counts = [int(match["number"]) for match in matches]
    is_counter = first["part"] is not None or all(len(match["number"]) >= _DIGITS for match in matches)
    return same == 1 and is_counter and counts == list(range(counts[0], counts[0] + len(counts)))


def _stills_below(path: Path) -> Iterator[Path]:
    """Folders that hold pictures, below a folder; what cannot be read is passed over."""
    if not path.is_dir():
        return
    for name, folders, _ in os.walk(path):
        folders[:] = sorted(
            (one for one in folders if not one.startswith(".") and not one.endswith(SUFFIX)), key=natural
        )
        folder = Path(name)
        if folder != path and holds_pictures(folder):
            yield folder.absolute()
