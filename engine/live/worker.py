"""A thread with a command queue, a bell, and one edge where errors become faults."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable

# More makes masks later than it makes pictures earlier: docs/adr/0003.
BEHIND_NICENESS = 3

Command = Callable[[], None]


class Worker:
    """Runs `tick` in its own thread, and posted commands between two ticks.

    `tick` returns how many seconds it may sleep: 0 to run again at once, None until the bell rings.
    Anything that a command or `tick` raises goes to `on_error` and the thread lives on. `behind`: where the
    cores are short, the other threads go first (Linux; elsewhere it changes nothing).
    """

    def __init__(
        self,
        name: str,
        tick: Callable[[], float | None],
        on_error: Callable[[Exception], None],
        *,
        behind: bool = False,
    ) -> None:
        self._tick = tick
        self._behind = behind
        self._on_error = on_error
        self._changed = threading.Condition()
        self._commands: dict[object, Command] = {}
        self._rung = False
        self._stopping = False
        # Daemon: a reader stuck inside a driver must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def name(self) -> str:
        return self._thread.name

    @property
    def has_ended(self) -> bool:
        """Whether the thread is gone, or has not begun."""
        return not self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def ring(self) -> None:
        """Let `tick` run soon: something it looks at has changed."""
        with self._changed:
            self._rung = True
            self._changed.notify()

    def post(self, command: Command, key: str | None = None) -> None:
        """Run `command` in the worker's thread. A later one of the same key replaces it."""
        with self._changed:
            slot: object = key if key is not None else object()
            self._commands.pop(slot, None)
            self._commands[slot] = command
            self._changed.notify()

    def stop(self, timeout_s: float) -> bool:
        """Ask it to end and wait. False when it is still stuck in its tick after `timeout_s`."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        return self.join(timeout_s)

    def join(self, timeout_s: float) -> bool:
        """Wait for its end, which something else has asked for. False when it is not there in time."""
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        if self._behind:
            step_behind()
        wake_s: float | None = 0.0
        while True:
            with self._changed:
                while not (self._rung or self._commands or self._stopping):
                    wait_s = None if wake_s is None else wake_s - time.monotonic()
                    if wait_s is not None and wait_s <= 0:
                        break
                    self._changed.wait(wait_s)
                if self._stopping:
                    return
                self._rung = False
                commands, self._commands = list(self._commands.values()), {}
            for command in commands:
                self._guarded(command)
            sleep_s = self._guarded(self._tick)
            wake_s = None if sleep_s is None else time.monotonic() + sleep_s

    def _guarded(self, call: Callable[[], float | None]) -> float | None:
        try:
            return call()
        except Exception as error:  # the worker's edge: every error becomes a fault, none ends the thread
            self._on_error(error)
            return None


def step_behind() -> None:
    """Lower this thread's priority, and so that of the threads that are started from it."""
    if sys.platform == "linux":  # only there a thread has a niceness of its own
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):  # a sandbox may forbid it; the work goes on all the same
            niceness = os.getpriority(os.PRIO_PROCESS, thread) + BEHIND_NICENESS
            os.setpriority(os.PRIO_PROCESS, thread, niceness)
