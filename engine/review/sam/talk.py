"""What two processes say to each other over a pipe: a line of JSON, and bytes. Nothing that could be run."""

from __future__ import annotations

import json
from typing import IO, Any

MAX_BYTES = 256 * 1024 * 1024  # a picture of 8K


def say(stream: IO[bytes], words: dict[str, Any], data: bytes = b"") -> None:
    """Raises OSError when nobody listens any more."""
    stream.write(json.dumps({**words, "bytes": len(data)}).encode() + b"\n" + data)
    stream.flush()


def hear(stream: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """The next thing that was said. Raises EOFError at the end, ValueError when that is no such thing."""
    line = stream.readline(64 * 1024)
    if not line:
        raise EOFError
    words = json.loads(line)
    count = words.pop("bytes")
    if not isinstance(count, int) or not 0 <= count <= MAX_BYTES:
        raise ValueError(f"{count} bytes")
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return words, data
