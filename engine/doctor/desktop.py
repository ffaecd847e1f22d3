"""Whether Qt can show a window: the libraries that it needs and the platform plugin that it loads."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from engine.doctor.bounded import Answer, ask, ask_python
from engine.doctor.check_result import CheckResult, Level

QT_S = 30.0
_INSTALL = "run sh scripts/system-libraries.sh, or install them with your package manager"
# What scripts/system-libraries.sh asks the loader about.
_LIBRARIES = (
    "Qt/lib/libQt6Gui.so.6",
    "Qt/lib/libQt6Widgets.so.6",
    "Qt/plugins/platforms/libqoffscreen.so",
    "Qt/plugins/platforms/libqxcb.so",
)
# A text for a child process: the engine itself knows no Qt, and Qt aborts where a plugin is missing.
_START_QT = (
    "from PySide6.QtGui import QGuiApplication as A; a = A([]); s = a.primaryScreen(); "
    "print(a.platformName(), s.size().width(), s.size().height())"
)


def libraries(folder: Path | None = None) -> CheckResult:
    """Shared libraries that Qt needs and this Linux lacks, asked of the loader; `folder`: PySide6's own."""
    name = "qt libraries"
    folder = folder or _pyside()
    if folder is None:
        return CheckResult(
            name, Level.FAIL, "PySide6 is not installed", "pip install 'PySide6-Essentials<6.12'"
        )
    if not sys.platform.startswith("linux") or shutil.which("ldd") is None:
        return CheckResult(name, Level.OK, "they come with Qt here")
    missing: set[str] = set()
    for library in _LIBRARIES:
        if (folder / library).exists():
            answer = ask(["ldd", str(folder / library)], QT_S)
            missing |= {line.split()[0] for line in answer.out.splitlines() if "not found" in line}
    if missing:
        return CheckResult(name, Level.FAIL, f"missing: {', '.join(sorted(missing))}", _INSTALL)
    return CheckResult(name, Level.OK, "all there")


def window(
    environment: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
    start: Callable[[Mapping[str, str]], Answer] | None = None,
) -> CheckResult:
    """Starts Qt as the program would: on this display, or without one to see whether it starts at all."""
    asked = any(environment.get(key) for key in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    seen = asked or not platform.startswith("linux")
    answer = (start or start_qt)({} if seen else {"QT_QPA_PLATFORM": "offscreen"})
    if answer.code != 0:
        return CheckResult("qt window", Level.FAIL, f"Qt does not start: {_why(answer)}", _INSTALL)
    words = answer.out.split()
    text = f"Qt starts on {words[0]}, {words[1]}x{words[2]}" if len(words) == 3 else "Qt starts"
    if not seen:
        return CheckResult(
            "qt window",
            Level.WARN,
            f"{text}, but there is no display here",
            "set DISPLAY or WAYLAND_DISPLAY, or use polyplive analyse, which needs none",
        )
    return CheckResult("qt window", Level.OK, text)


def _pyside() -> Path | None:
    spec = find_spec("PySide6")  # found, not imported
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def start_qt(more: Mapping[str, str]) -> Answer:
    """A process that starts Qt and ends; `more` goes into its environment."""
    return ask_python(["-c", _START_QT], QT_S, **more)


def _why(answer: Answer) -> str:
    # Qt says what it could not load in its first line, and lists the plugins there are in the last.
    said = [line.strip() for line in answer.err.splitlines() if line.strip()]
    return next((line for line in said if "plugin" in line or "cannot open" in line), answer.reason)
