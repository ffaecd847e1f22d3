"""How a process ended: one value, from its exit code or signal to one sentence in the user's words."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

# Of every program of ours.
OK, BUG, INPUT_UNUSABLE, DATA_UNUSABLE, CANCELLED, INCOMPLETE = range(6)

_SHELL_SIGNAL = 128  # a shell or a launcher gives this and the number for a child that a signal ended
_WINDOWS_CRASH = 0xC0000000  # and above: an exception that nobody caught
_WINDOWS_CTRL_C = 0xC000013A
_NO_MEMORY = re.compile(
    r"MemoryError|out of memory|bad_alloc|can't allocate memory|[Cc]annot allocate memory"
)


class How(StrEnum):
    """What came of a process."""

    DONE = "done"
    INCOMPLETE = "incomplete"  # written, but not all of it
    CANCELLED = "cancelled"
    REFUSED = "refused"  # what it was given cannot be used
    DATA_REFUSED = "data refused"
    NO_MEMORY = "no memory"
    KILLED = "killed"  # by somebody else, and the system kills when the memory is full
    CRASHED = "crashed"  # in native code
    FAILED = "failed"  # a bug of ours, or of whatever else was started
    OVERDUE = "overdue"  # it did not end when asked, or in time, and was killed by us


_BY_CODE: Mapping[int, How] = {
    OK: How.DONE,
    INPUT_UNUSABLE: How.REFUSED,
    DATA_UNUSABLE: How.DATA_REFUSED,
    CANCELLED: How.CANCELLED,
    INCOMPLETE: How.INCOMPLETE,
}
_ASKING = frozenset({signal.SIGINT, signal.SIGTERM})

# {what} is a subject ("The training"), {why} what the process said last.
_SENTENCES: Mapping[How, str] = {
    How.DONE: "{what} is done.",
    How.INCOMPLETE: "{what} wrote what it could, but not everything{why}.",
    How.CANCELLED: "{what} was cancelled.",
    How.REFUSED: "{what} cannot use what it was given{why}.",
    How.DATA_REFUSED: "{what} cannot use these data{why}.",
    How.NO_MEMORY: "{what} ran out of memory{why}. Close other programs, or let it take less at a time.",
    How.KILLED: "{what} was ended from outside, most likely by the system because the memory was full. "
    "Close other programs, or let it take less at a time.",
    How.CRASHED: "{what} crashed{why}.",
    How.FAILED: "{what} failed{why}.",
    How.OVERDUE: "{what} did not end when it was asked to, and was stopped.",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """`code` as the system gave it: negative for a signal; `last`: the last line that the process said."""

    how: How
    code: int
    last: str = ""

    @property
    def reason(self) -> str:
        """Why it did not end well, in a line for the log."""
        if self.how is How.OVERDUE:
            return "no answer in time"
        number = _signal_of(self.code)
        how = f"exit code {self.code}" if number is None else f"signal {number.name}"
        return f"{how}: {self.last}" if self.last else how

    def sentence(self, what: str) -> str:
        """For a person; `what` is the subject: "The training"."""
        why = self.last.removeprefix("polyplive: ").rstrip(".")
        if self.how is How.CRASHED or not why:
            number = _signal_of(self.code)
            why = f"{number.name if number else f'exit code {self.code}'}{f': {why}' if why else ''}"
        return _SENTENCES[self.how].format(what=what, why=f" ({why})")


def ended(code: int, last: str = "", *, asked: bool = False, killed: bool = False) -> Ended:
    """`asked`: it was asked to end, by whatever way; `killed`: by this process, after it was asked."""
    return Ended(_how(code, last, asked, killed), code, last)


def _how(code: int, last: str, asked: bool, killed: bool) -> How:
    number = _signal_of(code)
    if killed and code not in _BY_CODE:
        return How.OVERDUE
    if code in _BY_CODE:
        return _BY_CODE[code]
    if number in _ASKING or code == _WINDOWS_CTRL_C:
        return How.CANCELLED
    if number == getattr(signal, "SIGKILL", None) and number is not None:
        return How.KILLED
    if number is not None or code >= _WINDOWS_CRASH:
        return How.CRASHED
    if asked and sys.platform == "win32":  # `terminate` is all that there is, and looks like a failure
        return How.CANCELLED
    return How.NO_MEMORY if _NO_MEMORY.search(last) else How.FAILED


def _signal_of(code: int) -> signal.Signals | None:
    number = -code if code < 0 else code - _SHELL_SIGNAL
    try:
        return signal.Signals(number) if number > 0 else None
    except ValueError:
        return None
