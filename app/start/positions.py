"""Where each recording was left: a small file each, by a hash of its path, so that no name stands in it."""

from __future__ import annotations

import hashlib
import logging
import math
from pathlib import Path

from engine.files.json_reader import read_json
from engine.files.whole import user_data, write_json
from engine.sources.base import SourceSpec

log = logging.getLogger(__name__)

SCHEMA = 1
MAX_FILES = 200
MAX_BYTES = 4096
# Less than this from either end is the beginning, or the end.
EDGE_S = 5.0


def worth_keeping(at_s: float, length_s: float | None) -> bool:
    """Whether somebody who left a recording `at_s` after its first frame wants to come back there."""
    return at_s >= EDGE_S and length_s is not None and length_s - at_s >= EDGE_S


class Positions:
    """Of recordings in files. One that was changed since is another one: it begins at its beginning."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or user_data() / "positions"

    def of(self, spec: SourceSpec) -> float | None:
        """Media time (`pts_s`) at which it was left, None when it was not, or not worth it."""
        if (path := self._path(spec)) is None:
            return None
        try:
            value = read_json(path, MAX_BYTES)
            same = value["schema"] == SCHEMA and value["file"] == _file_now(spec)
            pts_s = float(value["pts_s"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            log.info("where %s was left cannot be read: %s", path.name, error)
            return None
        return pts_s if same and math.isfinite(pts_s) else None

    def keep(self, spec: SourceSpec, pts_s: float | None) -> None:
        """Remember it; None: forget it. A full disk stops nobody."""
        if (path := self._path(spec)) is None:
            return
        try:
            if pts_s is None:
                path.unlink(missing_ok=True)
                return
            write_json(path, {"schema": SCHEMA, "file": _file_now(spec), "pts_s": pts_s})
            for old in _oldest(self._folder):
                old.unlink(missing_ok=True)
        except OSError as error:
            log.info("where a recording was left is not kept: %s", error)

    def _path(self, spec: SourceSpec) -> Path | None:
        if spec.kind != "file":
            return None
        name = hashlib.sha256(f"{spec.kind}\n{spec.address}".encode(errors="surrogatepass")).hexdigest()
        return self._folder / f"{name[:16]}.json"


def _file_now(spec: SourceSpec) -> list[int]:
    """What tells that a file is still the same: bytes and the time of its last change."""
    stat = Path(spec.address).stat()
    return [stat.st_size, stat.st_mtime_ns]


def _oldest(folder: Path) -> list[Path]:
    """Those beyond the limit."""
    files = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    return files[MAX_FILES:]
