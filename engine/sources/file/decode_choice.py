"""Software or hardware: what was asked for, what this machine has, and whether its colours are right."""

from __future__ import annotations

import logging
import tempfile
from functools import cache
from pathlib import Path

import av

from engine.faults import FaultCode, FaultError
from engine.sources.file.decode_parity import check_clips, colour_difference, colours_of
from engine.sources.file.hardware import (
    Hardware,
    HardwareFailedError,
    PyAvHardware,
    device_refusal,
    listed,
    reason_of,
)

log = logging.getLogger(__name__)

SOFTWARE, AUTO = "software", "auto"
# Where several open: a card's own decoder before the layers above it.
_ORDER = ("cuda", "videotoolbox", "d3d11va", "vaapi")


def hardware_for(decode: str) -> tuple[Hardware | None, str]:
    """What decodes, None for software, and why not what was asked for by name.

    `decode`: "software", "auto" or a device type that PyAV lists. Raises FaultError ARGUMENT otherwise.
    """
    check_name(decode)
    if decode == SOFTWARE:
        return None, ""
    names = listed()
    if decode == AUTO:
        for name in sorted(names, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER)):
            if not (why := refusal(name)):
                return PyAvHardware(name), ""
            log.info("not decoding on %s: %s", name, why)
        return None, ""
    if why := refusal(decode):
        log.warning("decoding in software: %s cannot be used (%s)", decode, why)
        return None, f"{decode}: {why}"
    return PyAvHardware(decode), ""


def check_name(decode: str) -> None:
    """Raise FaultError ARGUMENT for a word that is no decoder; whether it is there is not asked."""
    names = (SOFTWARE, AUTO, *listed())
    if decode not in names:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a decoder: {', '.join(names)}",
            got=repr(decode),
            remedy="choose software",
            said=f"There is no decoder {decode!r}. Choose one of {', '.join(names)}.",
        )


@cache
def refusal(name: str) -> str:
    """Why this machine's decoder of that kind is not used, empty when it is; found out once a process."""
    return device_refusal(name) or colour_refusal(PyAvHardware(name))


def colour_refusal(hardware: Hardware) -> str:
    """What is wrong with its colours beside software's, in all matrices and ranges; empty when nothing is."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            for tags, clip in check_clips(Path(folder)).items():
                found = colour_difference(colours_of(clip), colours_of(clip, hardware))
                if not found.is_parity:
                    return f"its colours are {found.levels} levels off in {tags}"
    except HardwareFailedError as failure:
        return str(failure)
    except (av.FFmpegError, FaultError, OSError, ValueError) as error:
        return f"its colours could not be checked: {reason_of(error)}"
    return ""
