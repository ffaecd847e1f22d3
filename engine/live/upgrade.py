"""Makes a better runtime ready beside the one that runs: a process of its own, then an opening aside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from engine.faults import FaultCode, FaultError
from engine.jobs.ended import Ended, How
from engine.jobs.process import Life, Process
from engine.runtime.live import Later, Live

POLL_S = 0.1  # of a process that runs
REST_POLL_S = 0.5
REST_S = 15.0  # nothing has played for that long: nobody is about to watch a mask
END_S = 3.0


class Upgrade:
    """`done` gets the opened runtime, or the error why there is none, in a thread of this one's.

    `at_rest` tells whether nothing plays: a job that needs the live path's cores runs only then, is ended
    when something starts to play, and starts again later.
    """

    def __init__(
        self,
        later: Later,
        at_rest: Callable[[], bool],
        done: Callable[[Live | Exception], None],
        rest_s: float = REST_S,
    ) -> None:
        self._later = later
        self._at_rest = at_rest
        self._done = done
        self._rest_s = rest_s
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="polyplive-upgrade", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """End it; the process is gone when this returns. An opening that has begun goes on unheard."""
        self._cancelled.set()
        if self._thread is not threading.current_thread():
            self._thread.join(END_S + 1.0)

    def _run(self) -> None:
        try:
            answer = self._answer()
        except Exception as error:  # the thread's edge: told as a warning, what runs goes on
            answer = error
        if answer is None:
            return
        if self._cancelled.is_set():
            if isinstance(answer, Live):
                answer.runtime.close()
        else:
            self._done(answer)

    def _answer(self) -> Live | Exception | None:
        while self._rested():
            ended = self._process()
            if ended is None:
                continue
            if ended.how is How.DONE:
                return self._later.reopen()
            # Cancelled: it was told to stop, by another window perhaps.
            return None if ended.how is How.CANCELLED else _failed(self._later, ended)
        return None

    def _rested(self) -> bool:
        """Wait until it may run; False when it may never."""
        since_s = time.monotonic()
        while not self._cancelled.is_set():
            if not self._later.at_rest or time.monotonic() - since_s >= self._rest_s:
                return True
            if not self._at_rest():
                since_s = time.monotonic()
            self._cancelled.wait(REST_POLL_S)
        return False

    def _process(self) -> Ended | None:
        """How the process ended; None when it was ended for the live path's sake."""
        process = Process(self._later.command, Life.TIED, background=True)
        while (found := process.wait(POLL_S)) is None:
            if self._cancelled.is_set() or (self._later.at_rest and not self._at_rest()):
                process.stop(END_S)
                return None
        return found


def _module_of(command: tuple[str, ...]) -> str:
    return command[command.index("-m") + 1] if "-m" in command else "a process"


def _failed(later: Later, ended: Ended) -> FaultError:
    why = ended.last.rstrip(".") or ended.reason
    return FaultError(
        FaultCode.MODEL_LOAD,
        expected=f"{_module_of(later.command)} to make a faster runtime ready",
        got=why,
        remedy="what runs now goes on",
        said=f"A faster runtime could not be made ready ({why}). What runs now goes on.",
        fatal=False,
        detail=" ".join(later.command),
    )
