"""A process from its start to one value that says how it ended.

Of our own programs only the installation is on the path, never the current directory. `python -m` and `-c`
put that first, and a folder of recordings that holds a `random.py` is not to be run. `-P` leaves it out, and
the root of this package is named, for a clone that is not installed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import site
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO

from engine.jobs.ended import CANCELLED, Ended, ended
from engine.jobs.folder import CANCEL, LOG

ROOT = Path(__file__).parents[2]
SAFE, PATH = "PYTHONSAFEPATH", "PYTHONPATH"
TIED = "POLYPLIVE_ENDS_WITH_PARENT"
LOWEST = 19  # of `nice`
CLEANING_UP_S = 5.0
REMIND_S = 0.1
LAST_BYTES = 4096  # the last line of what a process said is in them


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


class Life(StrEnum):
    """What a process shares with the one that starts it."""

    TIED = "tied"  # its end, however that comes: a program of ours, which calls `end_with_parent`
    DETACHED = "detached"  # nothing: a group of its own, and it may live longer
    TERMINAL = "terminal"  # the terminal: what it prints is seen, and Ctrl-C reaches both


class Process:
    """A program that runs beside this one. One thread uses it."""

    def __init__(
        self,
        command: Sequence[str],
        life: Life,
        *,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
        background: bool = False,
    ) -> None:
        """env: by default that of our own programs (`environment`).
        folder: its run folder, where `cancel` asks for the end and `log.txt` takes what it prints.
        background: at a lower priority, on Windows; elsewhere programs of ours have `--background`.

        Raises FileNotFoundError when there is no such program, OSError as the system says it.
        """
        self._life = life
        self._folder = folder
        self._asked = self._killed = False
        self._ended: Ended | None = None
        # Files, not pipes: nobody has to read them meanwhile, nor waits for a grandchild that holds one open.
        self._output = _Output(life, folder)
        tie = _Tie() if life is Life.TIED else None
        self._tie = tie
        flags = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0) if background else 0
        if life is Life.DETACHED:
            flags |= getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        own = environment() if env is None else dict(env)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=tie.theirs if tie else None if life is Life.TERMINAL else subprocess.DEVNULL,
                stdout=self._output.out,
                stderr=self._output.err,
                env={**own, TIED: "1"} if tie else own,
                start_new_session=self._is_group,
                creationflags=flags,
            )
        except BaseException:
            self._close()
            raise
        finally:
            if tie:
                os.close(tie.theirs)
        self.pid = self._process.pid

    def poll(self) -> Ended | None:
        """How it ended; None while it runs."""
        return self.wait(0.0)

    def wait(self, timeout_s: float | None = None) -> Ended | None:
        """How it ended; None when it still runs after that time. A Ctrl-C in a shared terminal is its own."""
        give_up_s = None if timeout_s is None else time.monotonic() + timeout_s
        with self._ctrl_c_is_its_own():
            while self._ended is None:
                left_s = None if give_up_s is None else max(0.0, give_up_s - time.monotonic())
                if self._remind():
                    left_s = REMIND_S if left_s is None else min(left_s, REMIND_S)
                try:
                    code = self._process.wait(left_s)
                except subprocess.TimeoutExpired:
                    if give_up_s is not None and time.monotonic() >= give_up_s:
                        return None
                else:
                    self._ended = ended(code, self._output.last(), asked=self._asked, killed=self._killed)
                    self._close()
        return self._ended

    def end(self) -> Ended:
        """Wait for its end, however long that takes."""
        while (found := self.wait()) is None:
            pass
        return found

    def ask(self) -> None:
        """Politely: by the file in its run folder, where it has one, else by a SIGTERM."""
        if self._ended is None and not self._asked:
            self._asked = True
            if self._folder is None:
                self._process.terminate()
            self._remind()

    def kill(self) -> None:
        """At once, with its children where it has a group of its own."""
        if self._ended is None and self._process.poll() is None:
            self._asked = self._killed = True
            if self._is_group:
                os.killpg(self.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def stop(self, grace_s: float) -> Ended:
        """Politely, and at once when it has not ended after `grace_s`. It is gone when this returns."""
        self.ask()
        found = self.wait(grace_s)
        if found is None:
            self.kill()
        return self.end()

    @contextmanager
    def _ctrl_c_is_its_own(self) -> Iterator[None]:
        """It finishes what it is at, and saves. A KeyboardInterrupt here could also come between the system's
        answer and its being kept: `subprocess` then takes any end for a good one.
        """
        if self._life is not Life.TERMINAL or threading.current_thread() is not threading.main_thread():
            yield
            return

        def heard(number: int, stack: object) -> None:
            self._asked = True

        before = signal.signal(signal.SIGINT, heard)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    @property
    def _is_group(self) -> bool:
        return self._life is Life.DETACHED and os.name == "posix"

    def _remind(self) -> bool:
        """A job that is only starting removes an old wish to stop, and may take this one for it."""
        if not self._asked or self._folder is None or self._process.poll() is not None:
            return False
        with contextlib.suppress(OSError):
            (self._folder / CANCEL).touch()
        return True

    def read(self) -> tuple[str, str]:
        """All that it printed and all that it complained of, once it has ended; empty with a folder."""
        return self._output.texts

    def _close(self) -> None:
        self._output.close()
        if self._tie:
            os.close(self._tie.ours)


def end_with_parent() -> None:
    """Where the parent said so (`Life.TIED`), this process ends when that one does, however it ended."""
    if os.environ.pop(TIED, ""):
        threading.Thread(target=_watch, name="polyplive-parent", daemon=True).start()


def give_way(niceness: int = LOWEST) -> None:
    """This process works when nobody else wants the processor; nothing where the system knows no `nice`."""
    if hasattr(os, "nice"):
        os.nice(niceness)


class _Tie:
    """A pipe that the system closes when this process ends, also by a SIGKILL; the child reads from it."""

    def __init__(self) -> None:
        self.theirs, self.ours = os.pipe()


class _Output:
    """Where a process prints to."""

    def __init__(self, life: Life, folder: Path | None) -> None:
        self.texts = ("", "")
        self.out: IO[bytes] | None = None
        self.err: IO[bytes] | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self.out = self.err = (folder / LOG).open("a+b")
        elif life is not Life.TERMINAL:
            self.out, self.err = _kept(), _kept()
        self._begin = self.err.seek(0, os.SEEK_END) if self.err else 0

    def last(self) -> str:
        """The last line that is not empty, of what was complained of since the beginning."""
        if self.err is None:
            return ""
        end = self.err.seek(0, os.SEEK_END)
        self.err.seek(max(self._begin, end - LAST_BYTES))
        lines = self.err.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def close(self) -> None:
        if self.out and self.err and self.out is not self.err:
            for stream in (self.out, self.err):
                stream.seek(0)
            self.texts = (_text(self.out), _text(self.err))
        for one in (self.out, self.err):
            if one:
                one.close()


def _kept() -> IO[bytes]:
    return tempfile.TemporaryFile()


def _text(stream: IO[bytes]) -> str:
    return stream.read().decode(errors="replace")


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
