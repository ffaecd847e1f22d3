"""A stage that is a program of ours: it can be asked to end, and says that it is alive meanwhile."""

from __future__ import annotations

import time
from collections.abc import Sequence

from engine.jobs.ended import Ended
from engine.jobs.events import RunFolder
from engine.jobs.process import Life, Process

LOOK_EVERY_S, TELL_EVERY_S = 0.2, 1.5
GRACE_S = 5.0


def waited_for(command: Sequence[str], job: RunFolder) -> Ended:
    """How it ended. Raises KeyboardInterrupt when the job is asked to end; it is gone then."""
    process = Process(command, Life.TIED)
    began_s = told_s = time.monotonic()
    try:
        while (ended := process.wait(LOOK_EVERY_S)) is None:
            if job.is_cancelled():
                raise KeyboardInterrupt
            if time.monotonic() - told_s >= TELL_EVERY_S:
                told_s = time.monotonic()
                job.event("heartbeat", elapsed_s=round(told_s - began_s, 1))
    finally:
        process.stop(GRACE_S)
    return ended
