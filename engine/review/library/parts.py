"""Which files are one recording in parts, as far as names tell. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from engine.files.natural import natural

# Of a recorder that writes several files: REC_0001, case-part2. A bare number is more often a patient's.
_NUMBERED = re.compile(r"(?P<before>.*?)(?P<part>part|seg|segment|chunk|clip)?[ _.-]?(?P<number>\d+)", re.I)
_DIGITS = 2  # a counter of a recorder has leading noughts


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
