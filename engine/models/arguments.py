"""Arguments of students that are one of a few words."""

from __future__ import annotations

from collections.abc import Sequence

from engine.faults import FaultCode, FaultError


def one_of(argument: str, value: str, words: Sequence[str]) -> str:
    """The value. Raises FaultError ARGUMENT when it is none of the words."""
    if value in words:
        return value
    raise FaultError(
        FaultCode.ARGUMENT,
        expected=f"{argument} to be one of {', '.join(words)}",
        got=repr(value),
        remedy="correct student.args of model.json or of the recipe",
    )
