"""The order that people expect of numbered names."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(\d+)")


def natural(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """A key to sort by: img2 before img10, whatever the case; equal ones by the name itself."""
    parts = _NUMBER.split(name.casefold())
    return tuple((0, int(part), "") if number else (1, 0, part) for number, part in _numbered(parts)), name


def _numbered(parts: list[str]) -> list[tuple[bool, str]]:
    return [(place % 2 == 1, part) for place, part in enumerate(parts) if part]
