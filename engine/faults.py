"""Faults are values: what was expected, what came, what to do (docs/adr/0006)."""

from __future__ import annotations

import logging
import re
import time
import traceback
from dataclasses import dataclass, field
from enum import StrEnum

log = logging.getLogger(__name__)


class FaultCode(StrEnum):
    """What kind of thing went wrong; the words for people are in the Fault."""

    SOURCE_MISSING = "source-missing"
    SOURCE_UNREADABLE = "source-unreadable"
    SOURCE_TRUNCATED = "source-truncated"
    SOURCE_LOST = "source-lost"
    DEVICE_MISSING = "device-missing"
    URL_UNREACHABLE = "url-unreachable"
    SEEK = "seek"
    MODEL_MISSING = "model-missing"
    MODEL_SCHEMA = "model-schema"
    MODEL_HASH = "model-hash"
    MODEL_LOAD = "model-load"
    INFERENCE = "inference"
    RUNTIME_MISSING = "runtime-missing"
    EXTRA_MISSING = "extra-missing"
    SHAPE = "shape"
    ARGUMENT = "argument"
    DATA_SET = "data-set"
    REVIEW = "review"
    OUTPUT = "output"
    SETTINGS = "settings"
    NO_DISPLAY = "no-display"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that went wrong, told to a person as `sentence`.

    `said` is that sentence in the user's own words ("No signal from capture card 0 for 2 s. Check the
    cable."); `expected`, `got` and `remedy` are for the log and for whoever reads events.

    `at_s` is `time.monotonic()`. `fatal` means that the place where it was
    noticed cannot go on (a source that is gone, a runtime that does not load).
    """

    code: FaultCode
    place: str
    expected: str
    got: str
    remedy: str
    at_s: float
    fatal: bool = True
    detail: str = ""
    said: str = ""

    @property
    def sentence(self) -> str:
        """One sentence for a person: `said` where somebody wrote one, else expected, got and remedy."""
        return self.said or _composed(self.expected, self.got, self.remedy)


@dataclass
class FaultError(Exception):
    """The only exception that crosses a layer."""

    code: FaultCode
    expected: str
    got: str
    remedy: str
    fatal: bool = True
    place: str = ""
    detail: str = field(default="", repr=False)
    said: str = ""
    lost_frames: int = 0  # of a recording, as far as anybody can tell
    harmless: bool = False  # worth telling, but nothing is missing for it

    def __str__(self) -> str:
        return self.said or _composed(self.expected, self.got, self.remedy)

    @property
    def wrong(self) -> str:
        """What is wrong, without what to do about it."""
        return _wrong(self.expected, self.got)

    def as_fault(self, place: str) -> Fault:
        """The value for a snapshot; `place` is the worker that met it."""
        return Fault(
            code=self.code,
            place=self.place or place,
            expected=self.expected,
            got=self.got,
            remedy=self.remedy,
            at_s=time.monotonic(),
            fatal=self.fatal,
            detail=self.detail,
            said=self.said,
        )


def fault_of(error: BaseException, place: str) -> Fault:
    """Any exception as a Fault: a FaultError keeps its words, all others are INTERNAL and logged."""
    if isinstance(error, FaultError):
        return error.as_fault(place)
    log.error("unexpected error in %s", place, exc_info=error)
    return internal_fault(error, place)


def internal_fault(error: BaseException, place: str) -> Fault:
    """An error that nobody foresaw, as a Fault; whoever calls this sees to the log."""
    return Fault(
        code=FaultCode.INTERNAL,
        place=place,
        expected=f"the {place} to work",
        got=f"{type(error).__name__}: {error}".rstrip(": "),
        remedy="start it again and report this with the log if it comes back",
        said=f"Something went wrong in the {place} ({type(error).__name__}: {error}".rstrip(": ")
        + "). Start it again and report this with the log if it comes back.",
        at_s=time.monotonic(),
        detail="".join(traceback.format_exception(error)),
    )


# Somebody or something, and what it should do; "a recording, to jump in it" is no such thing.
_VERBS = "be|work|hold|run|end|open|stay|live|compile|take|compute|say|make|give|lie|play"
_SHOULD = re.compile(rf"(.*?[^, ]) to ({_VERBS})\b(.*)", re.DOTALL)


def _composed(expected: str, got: str, remedy: str) -> str:
    """What `said` would say, of parts that are made for the log."""
    return f"{_wrong(expected, got)}: {remedy.rstrip('.')}."


def _wrong(expected: str, got: str) -> str:
    """ "to write into DIR", "letter.mp4 to be a video file" and "a video file" are three ways to expect."""
    got = got.rstrip(".")
    if expected.startswith("to "):
        return f"It was not possible {expected} ({got})"
    if (parts := _SHOULD.fullmatch(expected)) is not None:
        does = "is not" if parts[2] == "be" else "does not"
        return f"{_capital(parts[1])} should {parts[2]}{parts[3]}, but {does} ({got})"
    if got in ("none", "nothing"):
        return f"There should be {expected}, but there is none"
    return f"Found {got} instead of {expected}"


def _capital(text: str) -> str:
    """The first letter of a sentence, unless it is a name that is written as it is: a file, a module."""
    word = text.split(" ", 1)[0]
    return text if re.search(r"[\W_\d]", word.rstrip(",:;")) else text[:1].upper() + text[1:]
