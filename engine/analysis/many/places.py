"""Folders for the results of many recordings: names that are nobody's yet."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath


class Places:
    """Folders for results that are already somebody's; `take` gives one that is not.

    Names that differ only in upper and lower case are the same: on some disks they are.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken: set[str] = set()
        self._around: set[str] = set()  # folders with a taken one inside
        for place in taken:
            self._add(place)

    def take(self, wanted: str) -> str:
        """`wanted`; with a number after its first part when it is taken, inside a taken one or around one."""
        place, number = wanted, 1
        first, slash, below = wanted.partition("/")
        while not self._is_free(place):
            number += 1
            place = f"{first}~{number}{slash}{below}"
        self._add(place)
        return place

    def _is_free(self, place: str) -> bool:
        place = place.casefold()
        if place in self._taken or place in self._around:
            return False
        return self._taken.isdisjoint(_parents(place))

    def _add(self, place: str) -> None:
        place = place.casefold()
        self._taken.add(place)
        self._around.update(_parents(place))


def _parents(place: str) -> list[str]:
    return [str(parent) for parent in PurePosixPath(place).parents]
