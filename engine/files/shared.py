"""A small file that several windows keep: changed under a lock, and set aside when it is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from engine.files.lock import held_within

# Whoever holds it writes a few kilobytes.
WAIT_S = 3.0
MAX_BYTES = 1_000_000


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Nobody else who asks changes the file meanwhile. Raises OSError when that cannot be had."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with held_within(path.with_name(f".{path.name}.lock"), WAIT_S):
        yield


def read_small(path: Path) -> bytes | None:
    """What is in the file, None where there is none. Raises OSError, ValueError when it is far too large."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    if len(data) > MAX_BYTES:
        raise ValueError(f"{path.name} is larger than {MAX_BYTES} bytes")
    return data


def set_aside(path: Path, now: datetime | None = None) -> Path:
    """Rename a damaged file, so that nothing overwrites it. Returns where it is now; raises OSError."""
    at = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.stem}.damaged-{at}{path.suffix}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.stem}.damaged-{at}-{number}{path.suffix}")
    return path.rename(aside)
