"""WAYS: every way to make a mask of clicks: those that are built in, and one with weights of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.review.editing import clicks
from engine.review.editing.clicks import CLICKS, Click
from engine.review.editing.radial import radial
from engine.review.sam.asked import AskedSam
from engine.types import U8

BUILT_IN = "outline"  # what goes on when another one cannot


class Way(Protocol):
    """Ready to be asked, until it is closed."""

    def __call__(self, picture: U8, before: U8 | None, clicks: Sequence[Click], /) -> U8: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _BuiltIn:
    find: clicks.Way

    def __call__(self, picture: U8, before: U8 | None, clicks: Sequence[Click], /) -> U8:
        return self.find(picture, before, clicks)

    def close(self) -> None:
        """There is nothing to close."""


def _built_in(find: clicks.Way) -> Callable[[str], Way]:
    return lambda weights: _BuiltIn(find)


# Opened with the weights that the settings name ("": none). Raises FaultError when it cannot be had.
WAYS: Mapping[str, Callable[[str], Way]] = {
    BUILT_IN: _built_in(radial),
    **{name: _built_in(find) for name, find in CLICKS.items()},
    "sam": AskedSam,
}
