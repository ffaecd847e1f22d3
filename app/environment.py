"""What the process's environment says about displays and Qt. No Qt here: it is read before Qt starts."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path

# A display that does not answer by then is not one to look at video on.
CONNECT_TIMEOUT_S = 1.0

Address = str | tuple[str, int]  # a socket's path, or host and port


def reaches(address: Address) -> bool:
    """Whether somebody listens there."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_TIMEOUT_S)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


def has_display(
    environment: Mapping[str, str], platform: str, reaches: Callable[[Address], bool] = reaches
) -> bool:
    """Whether a window can be shown: always outside Linux, or when a Qt platform was named.

    A DISPLAY that nobody serves (a closed ssh connection) is none: Qt would abort the process there.
    """
    if not platform.startswith("linux") or environment.get("QT_QPA_PLATFORM"):
        return True
    return any(reaches(address) for address in _addresses(environment))


def _addresses(environment: Mapping[str, str]) -> list[Address]:
    found: list[Address] = []
    if wayland := environment.get("WAYLAND_DISPLAY"):
        found.append(str(Path(environment.get("XDG_RUNTIME_DIR", "/run")) / wayland))
    display = re.fullmatch(r"(?:(.*):)?:?(\d+)(?:\.\d+)?", environment.get("DISPLAY", ""))
    if display is not None:
        host, number = (display[1] or "").removesuffix(":"), int(display[2])
        path = f"/tmp/.X11-unix/X{number}"
        # X servers listen on the abstract name, the file, or both.
        found += [f"\0{path}", path] if host in ("", "unix") else [(host, 6000 + number)]
    return found


def qt_environment(environment: MutableMapping[str, str]) -> None:
    """Undo what a foreign cv2 does: importing opencv-python points Qt at the plugins of its own, older Qt."""
    for variable in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        if "cv2" in Path(environment.get(variable, "")).parts:
            del environment[variable]
