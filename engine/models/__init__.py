"""STUDENTS: the networks that can be trained and shown live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.faults import FaultCode, FaultError
from engine.table import Entry, choose, load

if TYPE_CHECKING:
    from engine.models.base import Student

STUDENTS: Mapping[str, Entry] = {
    "light": Entry(
        "engine.models.light:LightStudent",
        extra="torch",
        summary="timm encoder with a 64-channel top-down decoder; real time on two CPU cores",
    ),
}


def make_student(name: str, args: Mapping[str, Any]) -> Student:
    """A network with untrained decoder weights; `args` are the entry's own, as `model.json` holds them.

    Raises FaultError ARGUMENT (unknown name or argument) or EXTRA_MISSING (no torch).
    """
    factory = load(choose(STUDENTS, name, "student"))
    try:
        student: Student = factory(**args)
    except TypeError as error:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"arguments that the student {name} takes",
            got=f"{dict(args)} ({error})",
            remedy="correct student.args of model.json or of the recipe",
        ) from error
    return student
