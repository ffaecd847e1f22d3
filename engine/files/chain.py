"""A log that is only ever added to: a JSON object a line, each with the hash of the line before and its own.

A line that was changed, taken out or put between others is met when the log is read. That lines are missing
at the end cannot be seen, nor that all of it was made anew: it is no signature.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.files.json_reader import JsonError, parse_json
from engine.files.whole import json_line, write_bytes

BEFORE, OWN = "before", "sha256"
FIRST = "0" * 64  # what the first line has of the one before
MOST_BYTES = 64 * 1024**2


class BrokenChain(ValueError):
    """Line `number` (from 1) is not what was written, or not where it was."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"line {number}: {why}")
        self.number = number


def read_chain(path: Path) -> tuple[dict[str, Any], ...]:
    """The values of all lines, oldest first, without their hashes; none of a file that is not there.

    Raises BrokenChain, OSError.
    """
    return tuple(
        {key: value for key, value in line.items() if key not in (BEFORE, OWN)}
        for line in _lines(_bytes_of(path))
    )


def append_to_chain(path: Path, value: Mapping[str, Any]) -> None:
    """Add a line, on the disk when this returns: a process that is killed, or a full disk, leaves all of it
    or nothing. Whoever calls this is alone (`engine.files.lock`).

    The file is written anew and takes the place of the old one, which it begins with. Raises BrokenChain: a
    damaged log is left as it is; OSError.
    """
    data = _bytes_of(path)
    lines = _lines(data)
    line = {BEFORE: lines[-1][OWN] if lines else FIRST, **value}
    write_bytes(path, data + json_line({**line, OWN: _hash_of(line)}).encode())


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_BYTES)
    except FileNotFoundError:
        return b""


def _lines(data: bytes) -> list[dict[str, Any]]:
    before, lines = FIRST, []
    if data and not data.endswith(b"\n"):
        raise BrokenChain(data.count(b"\n") + 1, "its end is missing")
    for number, text in enumerate(data.split(b"\n")[:-1], 1):
        try:
            line = parse_json(text)
        except JsonError as error:
            raise BrokenChain(number, "it is no JSON") from error
        if not isinstance(line, dict) or line.get(OWN) != _hash_of(line):
            raise BrokenChain(number, "it was changed")
        if line.get(BEFORE) != before:
            raise BrokenChain(number, "it does not follow the one before")
        before = line[OWN]
        lines.append(line)
    return lines


def _hash_of(line: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in line.items() if key != OWN}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
