"""Nothing here waits for ever: checks run in threads that may be left behind, probes in child processes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.doctor.check_result import CheckResult, Level
from engine.jobs.ended import Ended, How
from engine.jobs.process import Life, Process, environment, python


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command gave."""

    ended: Ended
    out: str
    err: str

    @property
    def code(self) -> int | None:
        """None when it was killed for taking too long, negative for a signal."""
        return None if self.ended.how is How.OVERDUE else self.ended.code

    @property
    def reason(self) -> str:
        """Why it did not end well, in one line."""
        return self.ended.reason


def guarded(name: str, check: Callable[[], CheckResult], limit_s: float) -> CheckResult:
    """The check's result; FAIL when it raises, WARN when it has not ended after `limit_s`. Never raises."""
    found: list[CheckResult] = []

    def run() -> None:
        try:
            found.append(check())
        except BaseException as error:  # the edge of a check: whatever is broken here is what is to be told
            found.append(
                CheckResult(name, Level.FAIL, f"the check itself broke: {one_line(error)}", "install again")
            )

    thread = threading.Thread(target=run, name=f"doctor: {name}", daemon=True)
    thread.start()
    thread.join(limit_s)
    if found:
        return found[0]
    return CheckResult(
        name,
        Level.WARN,
        f"no answer within {limit_s:g} s",
        "look for a driver or a network drive that hangs, and try again",
    )


def ask(command: Sequence[str], limit_s: float, environment: Mapping[str, str] | None = None) -> Answer:
    """Run a command to its end, or kill it and its children after `limit_s`.

    Raises FileNotFoundError when there is no such program, OSError as the system says it.
    """
    process = Process(command, Life.DETACHED, env=os.environ if environment is None else environment)
    if process.wait(limit_s) is None:
        process.kill()
    return Answer(process.end(), *process.read())


def ask_python(arguments: Sequence[str], limit_s: float, **more: str) -> Answer:
    """The same with this interpreter and this source tree; `more` goes into its environment."""
    return ask(python(*arguments), limit_s, environment(**more))


def one_line(error: BaseException) -> str:
    """An error as one line: its type and the first line of what it says."""
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
