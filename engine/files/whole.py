"""Files that are whole or absent: written aside and renamed, JSON lines, hashes, and the user's folders."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import platformdirs

from engine.faults import FaultCode, FaultError
from engine.files.json_reader import JsonError, parse_json

APP_NAME = "polyplive"
HOME_VARIABLE = "POLYPLIVE_HOME"  # one folder for cache, config and data: tests, portable installations


def write_bytes(path: Path, data: bytes) -> None:
    """Write the whole file or nothing: beside the target, to the disk, then renamed over it.

    Raises OSError as the system says it; the target is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside_name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    aside = Path(aside_name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files private; these are to be read like any other file the user has.
        aside.chmod(0o666 & ~_umask())
        aside.replace(path)
        sync(path.parent)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """A file's content, or a folder's names, to the disk. Raises OSError, for a file only.

    Where folders cannot be opened (Windows) renaming does it; some network file systems know no such thing.
    """
    if not path.is_dir():
        with path.open("r+b") as stream:
            os.fsync(stream.fileno())
    elif os.name != "nt":
        handle = os.open(path, os.O_RDONLY)
        try:
            with contextlib.suppress(OSError):
                os.fsync(handle)
        finally:
            os.close(handle)


def shown(text: str) -> str:
    """A name as it can be printed and written down: bytes that are no UTF-8 become \\xff."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def write_text(path: Path, text: str) -> None:
    """`write_bytes` of UTF-8 with plain line feeds."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """`write_text` of readable JSON; NaN and infinity are refused (ValueError), they are not JSON."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def json_line(value: Any) -> str:
    """One value as one line, line feed included."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def write_json_lines(path: Path, values: Iterable[Any]) -> None:
    """`write_text` of one value a line."""
    write_text(path, "".join(json_line(value) for value in values))


def append_json_line(path: Path, value: Any) -> None:
    """Add one line to a log. A reader may meet the last line torn: `read_json_lines` skips it."""
    with path.open("a", encoding="utf-8", newline="\n") as stream:
        stream.write(json_line(value))


def read_json_lines(path: Path) -> Iterator[Any]:
    """The values of a JSON lines file; a last line without its line feed that does not parse is skipped.

    Raises JsonError (a ValueError) for any other broken line.
    """
    with path.open(encoding="utf-8-sig") as stream:
        for line in stream:
            if not line.strip():
                continue
            try:
                yield parse_json(line)
            except JsonError:
                if line.endswith("\n"):
                    raise


def sha256_of(path: Path) -> str:
    """The file's sha256, lower-case hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def output_fault(
    path: Path, error: OSError, remedy: str = "choose another folder, or make room"
) -> FaultError:
    """What the system said of a folder, as a fault."""
    told = (error, error.__cause__)  # pydicom puts one round it, with its trace for words
    why = next((one.strerror for one in told if isinstance(one, OSError) and one.strerror), str(error))
    return FaultError(
        FaultCode.OUTPUT,
        expected=f"to write into {path}",
        got=why,
        remedy=remedy,
        said=f"{path} cannot be written ({why}). {remedy[0].upper()}{remedy[1:]}.",
    )


def user_cache() -> Path:
    """Where what can be made again is kept (compiled models)."""
    return _user_folder("cache", platformdirs.user_cache_path(APP_NAME, appauthor=False))


def user_config() -> Path:
    """Where settings are kept."""
    return _user_folder("config", platformdirs.user_config_path(APP_NAME, appauthor=False))


def user_data() -> Path:
    """Where the user's own models, runs and sessions are kept."""
    return _user_folder("data", platformdirs.user_data_path(APP_NAME, appauthor=False))


def _user_folder(kind: str, usual: Path) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    return Path(home).expanduser() / kind if home else usual


def _umask() -> int:
    # The only portable way to read it; it is put back at once.
    mask = os.umask(0)
    os.umask(mask)
    return mask
