"""What a suite could not measure, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

NAMED = 3  # of those with one reason


class Skipped(NamedTuple):
    what: str
    why: str


def reasons(skipped: Sequence[Skipped]) -> list[str]:
    """A line a reason: the first few that it kept from running, how many more, and the reason."""
    kept_out: dict[str, list[str]] = {}
    for what, why in skipped:
        kept_out.setdefault(why, []).append(what)
    return [f"{_listed(names)}: {why}" for why, names in kept_out.items()]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return "; ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
