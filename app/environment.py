"""What the process's environment says about displays and Qt. No Qt here: it is read before Qt starts."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from pathlib import Path


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Whether a window can be shown: always outside Linux, or when a Qt platform was named."""
    if not platform.startswith("linux"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def qt_environment(environment: MutableMapping[str, str]) -> None:
    """Undo what a foreign cv2 does: importing opencv-python points Qt at the plugins of its own, older Qt."""
    for variable in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        if "cv2" in Path(environment.get(variable, "")).parts:
            del environment[variable]
