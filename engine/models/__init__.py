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
    "committee": Entry(
        "engine.models.committee:CommitteeStudent",
        extra="torch",
        summary="several light networks as one, mirror images included; for machines that have the time",
    ),
    "unet": Entry(
        "engine.models.unet:UNetStudent",
        extra="torch",
        summary="U-Net of depth 4; 17.3 M parameters, or 7.8 M and 31 M with transposed convolutions",
    ),
    "unetpp": Entry(
        "engine.models.unetpp:UNetPlusPlusStudent",
        extra="torch",
        summary="U-Net++ of depth 4 with nested skips; 9.2 M parameters",
    ),
    "pranet": Entry(
        "engine.models.pranet:PraNetStudent",
        extra="torch",
        summary="PraNet on Res2Net50: partial decoder and reverse attention; 30.5 M parameters",
    ),
    "emcadnet": Entry(
        "engine.models.emcadnet:EMCADStudent",
        extra="torch",
        summary="EMCAD decoder on PVTv2: 26.8 M parameters with b2, 3.9 M with b0",
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
