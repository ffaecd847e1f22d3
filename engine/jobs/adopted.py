"""A job that somebody else started, perhaps a window that is gone: known by its folder alone."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from engine.files.lock import holder
from engine.jobs.folder import CANCEL, LOCK
from engine.jobs.process import REMIND_S


def is_at_work(folder: Path) -> bool:
    """Whether a process works in the run folder (`begun` with `alone`). Raises OSError."""
    return holder(folder / LOCK) is not None


def stop(folder: Path, grace_s: float) -> bool:
    """Politely by the file `cancel`, and at once when the job has not ended after `grace_s`.

    False where it still works: another machine's, or another user's. Raises OSError.
    """
    firm_s = time.monotonic() + grace_s
    given_up_s = firm_s + max(1.0, 10 * REMIND_S)
    while (number := holder(folder / LOCK)) is not None:
        now_s = time.monotonic()
        if now_s < firm_s:
            (folder / CANCEL).touch()
        elif number == 0 or now_s >= given_up_s:
            return False
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                _kill(number)
        time.sleep(REMIND_S)
    return True


def _kill(number: int) -> None:
    """With its children where it leads a group, as `Life.DETACHED` has it."""
    if os.name != "posix":
        os.kill(number, signal.SIGTERM)  # ends at once there
    elif os.getpgid(number) == number:
        os.killpg(number, signal.SIGKILL)
    else:
        os.kill(number, signal.SIGKILL)
