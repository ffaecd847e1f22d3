"""What lies at a path, told without opening what would never answer."""

from __future__ import annotations

import stat
from pathlib import Path

from engine.faults import FaultCode, FaultError

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def exists(path: Path) -> bool:
    """Whether something is there; False for names that no disk can have."""
    try:
        return path.exists()
    except OSError:
        return False


def expanded(text: str) -> Path:
    """A path as a person writes it: "~" and "~/..." begin at home; all other names are what they say."""
    path = Path(text)
    if (text == "~" or text.startswith(("~/", "~\\"))) and not exists(path):
        try:
            return path.expanduser()
        except RuntimeError:  # nobody knows where home is
            return path
    return path


def no_file(path: Path) -> str:
    """What it is, when it is neither file nor folder ("a pipe"): nobody may open it. Empty when it is one.

    Raises OSError.
    """
    mode = path.stat().st_mode
    return next((words for is_kind, words in _KINDS if is_kind(mode)), "")


def is_dicom(path: Path) -> bool:
    """Whether a file says of itself that it is DICOM, whatever its name."""
    try:
        if no_file(path) or path.is_dir():
            return False
        with path.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:  # whoever opens it says what is wrong
        return False


def refuse_no_file(path: Path) -> None:
    """Raises FaultError SOURCE_UNREADABLE for a pipe, a socket or a device, OSError when nothing is there."""
    if words := no_file(path):
        raise FaultError(
            FaultCode.SOURCE_UNREADABLE,
            expected=f"{path.name} to be a file",
            got=words,
            remedy="choose a recording that is stored on a disk",
            said=f"{path.name} is {words}, not a file. Choose a recording that is stored on a disk.",
        )
