"""Our own programs as processes: only the installation is on their path, never the current directory.

`python -m` and `-c` put the current directory first, and a folder of recordings that holds a `random.py` is
not to be run. `-P` leaves it out, and the root of this package is named, for a clone that is not installed.
"""

from __future__ import annotations

import os
import signal
import site
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

ROOT = Path(__file__).parents[2]
SAFE, PATH = "PYTHONSAFEPATH", "PYTHONPATH"
TIED = "POLYPLIVE_ENDS_WITH_PARENT"
CLEANING_UP_S = 5.0
CANCELLED = 4


def python(*arguments: str) -> tuple[str, ...]:
    """This interpreter as a command; `arguments` begin with "-m" and a module of ours, or "-c" and code.

    To be started with `environment`.
    """
    return (sys.executable, "-P", *arguments)


def environment(base: Mapping[str, str] | None = None, /, **more: str) -> dict[str, str]:
    """What `python` is started with; `base` is by default this process's own environment.

    Of a PYTHONPATH what is absolute stays: an empty or relative entry is the current directory.
    """
    base = os.environ if base is None else base
    entries = [entry for entry in base.get(PATH, "").split(os.pathsep) if Path(entry).is_absolute()]
    if not _is_installed():  # site-packages before the standard library would hide parts of that
        entries.insert(0, str(ROOT))
    return {**base, PATH: os.pathsep.join(dict.fromkeys(entries)), SAFE: "1", **more}


def end_with_parent() -> None:
    """Where the parent said so (`Tied`), this process ends when that one does, however it ended."""
    if os.environ.pop(TIED, ""):
        threading.Thread(target=_watch, name="polyplive-parent", daemon=True).start()


class Tied:
    """The end of a pipe: a process started with `stdin` and `environment(**Tied.SAYS)` reads the other one.

    The system closes it when this process ends, also by a SIGKILL. `close` when the child is gone.
    """

    SAYS: ClassVar[dict[str, str]] = {TIED: "1"}

    def __init__(self) -> None:
        self.stdin, self._end = os.pipe()

    def started(self) -> None:
        """The child has its end now."""
        os.close(self.stdin)

    def close(self) -> None:
        os.close(self._end)


def _watch() -> None:
    while sys.stdin is not None and os.read(sys.stdin.fileno(), 1):
        pass
    signal.raise_signal(signal.SIGTERM)  # what cleans up on a SIGTERM does so now
    time.sleep(CLEANING_UP_S)
    os._exit(CANCELLED)


@contextmanager
def safe_path() -> Iterator[None]:
    """Processes that `multiprocessing` starts meanwhile do not look into the current directory either."""
    before = os.environ.get(SAFE)
    os.environ[SAFE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SAFE]
        else:
            os.environ[SAFE] = before


def _is_installed() -> bool:
    return str(ROOT) in (*site.getsitepackages(), site.getusersitepackages())
