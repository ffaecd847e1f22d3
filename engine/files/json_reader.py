"""JSON that we did not write this second: bounded in bytes, depth and numbers, or refused as a ValueError."""

from __future__ import annotations

import json
import math
import stat
from pathlib import Path
from typing import Any

MOST_BYTES = 256 * 1024**2
MOST_DEPTH = 100
_LARGEST = 2**63
_FOREIGN = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


class JsonError(ValueError):
    """Why a text is not taken, in a few words."""


def read_json(path: Path, most_bytes: int = MOST_BYTES) -> Any:
    """The value of a JSON file, in UTF-8 with or without a byte order mark. Raises OSError and JsonError."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise JsonError("not a file")  # a pipe would wait for ever
    if status.st_size > most_bytes:
        raise JsonError(f"{status.st_size:,} bytes, at most {most_bytes:,} are expected")
    return parse_json(path.read_bytes())


def parse_json(data: bytes | str) -> Any:
    """The value of a JSON text. Raises JsonError.

    Besides what is not JSON it refuses NaN, infinity and whole numbers beyond 64 bits, nesting deeper than
    MOST_DEPTH, half surrogates (they cannot be written again), and says when it is another encoding.
    """
    if isinstance(data, bytes):
        data = _decoded(data)
    try:
        value = json.loads(data, parse_constant=_no_number, parse_int=_whole, parse_float=_real)
        if max(data.count("["), data.count("{")) > MOST_DEPTH:
            _check_depth(value)
        if "\\u" in data:
            json.dumps(value, ensure_ascii=False).encode()
    except JsonError:
        raise
    except RecursionError as error:
        raise _too_deep() from error
    except UnicodeEncodeError as error:
        raise JsonError("half a surrogate pair in a text") from error
    except (ValueError, MemoryError) as error:
        raise JsonError(str(error) or "too large") from error
    return value


def _decoded(data: bytes) -> str:
    for mark, name in _FOREIGN.items():
        if data.startswith(mark):
            raise JsonError(f"{name} instead of UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise JsonError(f"not UTF-8 at byte {error.start}") from error


def _no_number(text: str) -> Any:
    raise JsonError(f"{text} is not a number")


def _whole(text: str) -> int:
    if len(text) > 20 or not -_LARGEST <= (value := int(text)) < _LARGEST:
        raise JsonError("a number beyond 64 bits")
    return value


def _real(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise JsonError("a number beyond all bounds")
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
        ]
        if not level:
            return
    raise _too_deep()


def _too_deep() -> JsonError:
    return JsonError(f"nested deeper than {MOST_DEPTH} levels")
