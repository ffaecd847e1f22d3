"""The time stamp index of one file, made while its first pictures play."""

from __future__ import annotations

import threading
from pathlib import Path

import av

from engine.faults import FaultCode, FaultError
from engine.sources.file import pts_cache
from engine.sources.file.pts_index import PtsIndex, build

# The first pictures, the network and the window want both cores now; whoever needs the index first, gets it.
_START_AFTER_S = 0.5


class BackgroundIndex:
    """Builds one file's index in a thread of its own, or takes it from the cache. `close` ends the thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done = threading.Event()
        self._stop = threading.Event()
        self._wanted = threading.Event()
        self._table: PtsIndex | None = None
        self._fault: FaultError | None = None
        self._thread = threading.Thread(target=self._run, name=f"pts index of {path.name}", daemon=True)
        self._thread.start()

    @property
    def table(self) -> PtsIndex | None:
        """The table when it is there. Never waits."""
        return self._table

    def wait(self) -> PtsIndex | None:
        """The table as soon as it is there, None when `close` came first.

        Raises FaultError SEEK if it cannot be made.
        """
        self._wanted.set()
        self._done.wait()
        if self._fault is not None:
            raise self._fault
        return self._table

    def close(self) -> None:
        """Stop building. Idempotent, from any thread."""
        self._stop.set()
        self._wanted.set()
        if self._thread is not threading.current_thread():
            # A packet's time on a disk that answers; a dead network drive is not waited for.
            self._thread.join(timeout=1.0)

    def _run(self) -> None:
        try:
            table = pts_cache.load(self._path)
            if table is None:
                self._wanted.wait(_START_AFTER_S)
                table = build(self._path, self._stop.is_set)
                if table is not None:
                    pts_cache.store(self._path, table)
            self._table = table
        except (FaultError, av.FFmpegError, OSError) as error:
            self._fault = FaultError(
                FaultCode.SEEK,
                expected=f"to read {self._path.name} once through for its time stamps",
                got=str(error),
                remedy="play it from the start, or copy the file again",
                said=f"{self._path.name} cannot be read once through ({error}), so nothing can be jumped to. "
                "Play it from the start, or copy the file again.",
                fatal=False,
            )
        finally:
            self._done.set()
