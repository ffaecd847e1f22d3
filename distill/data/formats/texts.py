"""Text and JSON that other programs wrote: UTF-8, UTF-16 and what a Chinese Windows writes."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.files.json_reader import parse_json

BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class Unusable(Exception):
    """What is wrong with one file of a set; becomes a Problem."""


def text_of(data: bytes) -> str:
    """Raises ValueError that names the encodings tried."""
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding)
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("text that is neither UTF-8, UTF-16 nor GB18030 (GBK); save it as UTF-8")


def read_object(path: Path) -> Mapping[str, Any]:
    """The file's JSON object, empty for any other JSON. Raises Unusable."""
    value = read_any(path)
    return value if isinstance(value, dict) else {}


def read_any(path: Path) -> Any:
    """Raises Unusable."""
    try:
        return parse_json(text_of(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise Unusable(f"not JSON: {error}") from error
