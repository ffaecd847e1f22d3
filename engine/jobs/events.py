"""Jobs are processes that write a run folder; the folder is the only channel (docs/adr/0006)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.faults import Fault
from engine.files.whole import append_json_line, json_line
from engine.jobs.folder import CANCEL, EVENTS

VERSION = 1

Echo = Callable[[str], object]


class RunFolder:
    """Writes `events.jsonl`: {"v", "n", "t" (unix seconds), "kind", ...} a line, numbered on after a resume.

    `echo` gets every line as well (`--events` prints it). Cancelling is a file named `cancel` in the folder,
    or whatever `interrupted` says. Any thread may tell an event.
    """

    def __init__(
        self, path: Path, echo: Echo | None = None, interrupted: Callable[[], bool] = lambda: False
    ) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.is_done = False  # `done` has been told
        self._events = path / EVENTS
        self._echo = echo
        self._interrupted = interrupted
        self._lock = threading.Lock()
        self._number = _last_line_number(self._events)

    def event(self, kind: str, **fields: Any) -> None:
        """Kinds: start, data, stage, epoch, sample, checkpoint, metric, progress, heartbeat, file, warn,
        stop, fault, done.
        """
        with self._lock:
            self._number += 1
            line = {"v": VERSION, "n": self._number, "t": round(time.time(), 3), "kind": kind, **fields}
            append_json_line(self._events, line)
            self.is_done = self.is_done or kind == "done"
            if self._echo:
                self._echo(json_line(line))

    def fault(self, fault: Fault) -> None:
        self.event(
            "fault",
            code=fault.code,
            expected=fault.expected,
            got=fault.got,
            remedy=fault.remedy,
            said=fault.sentence,
        )

    def is_cancelled(self) -> bool:
        return self._interrupted() or (self.path / CANCEL).exists()

    def clear_cancel(self) -> None:
        """A resumed job starts without the old wish to stop."""
        (self.path / CANCEL).unlink(missing_ok=True)


def _last_line_number(events: Path) -> int:
    """Ends a torn last line, so that the next event starts on its own."""
    if not events.exists():
        return 0
    text = events.read_text(encoding="utf-8", errors="replace")
    if text and not text.endswith("\n"):
        with events.open("a", encoding="utf-8") as stream:
            stream.write("\n")
    return text.count("\n") + (not text.endswith("\n"))
