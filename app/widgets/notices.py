"""Faults that the window itself has to tell, beside those of the pipeline."""

from __future__ import annotations

from engine.faults import Fault


class Notices:
    """Kept until they are dismissed, or the place where they were noticed does well again."""

    def __init__(self) -> None:
        self._own: tuple[Fault, ...] = ()

    def add(self, fault: Fault) -> None:
        self._own = (*(f for f in self._own if (f.place, f.sentence) != (fault.place, fault.sentence)), fault)

    def remove(self, fault: Fault) -> bool:
        """Whether it was one of these."""
        kept = tuple(own for own in self._own if own is not fault)
        found = len(kept) != len(self._own)
        self._own = kept
        return found

    def clear(self, place: str) -> None:
        self._own = tuple(own for own in self._own if own.place != place)

    def with_those_of(self, pipeline: tuple[Fault, ...]) -> tuple[Fault, ...]:
        """All there is to tell."""
        return (*pipeline, *self._own)
