"""Which recording a file is: size, time and a hash of parts, so that it is known again under another name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

PART_BYTES = 1 << 20
PARTS = 5  # over the whole length: two takes of one recorder begin and end alike


@dataclass(frozen=True, slots=True)
class Identity:
    """`sha256`: of the size and of `PARTS` parts; the path and `mtime_ns` may change, that may not."""

    size_bytes: int
    mtime_ns: int
    sha256: str

    def is_same(self, other: Identity) -> bool:
        """Whether it is the same recording, touched or copied perhaps."""
        return self.sha256 == other.sha256


def identity_of(path: Path) -> Identity:
    """Of a file, or of a folder of pictures (names, sizes and times). Raises OSError."""
    status = path.stat()
    if path.is_dir():
        return _of_folder(path)
    digest = hashlib.sha256(b"%d\n" % status.st_size)
    with path.open("rb") as stream:
        if status.st_size <= PARTS * PART_BYTES:
            digest.update(stream.read())
        else:
            for number in range(PARTS):
                stream.seek((status.st_size - PART_BYTES) * number // (PARTS - 1))
                digest.update(stream.read(PART_BYTES))
    return Identity(status.st_size, status.st_mtime_ns, digest.hexdigest())


def _of_folder(path: Path) -> Identity:
    digest, size, newest = hashlib.sha256(), 0, 0
    for one in sorted(path.iterdir()):
        if one.is_file() and not one.name.startswith("."):
            status = one.stat()
            digest.update(f"{one.name}\n{status.st_size}\n".encode("utf-8", "surrogateescape"))
            size, newest = size + status.st_size, max(newest, status.st_mtime_ns)
    return Identity(size, newest, digest.hexdigest())
