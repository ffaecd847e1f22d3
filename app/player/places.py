"""Places in a recording as a person types them: a frame, a time, a time stamp of the file. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.widgets import words

EXAMPLES = "Frame 123, time 1:02.5 or 62.5 s, time stamp p5.04"

_FRAME = re.compile(r"(?:f|frame)?\s*(\d{1,9})", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:[.,]\d{1,9})?)")
_SECONDS = re.compile(r"(\d{1,7}[.,]\d{1,9})\s*s?|(\d{1,7})\s*s", re.IGNORECASE)
_STAMP = re.compile(r"(?:p|pts)\s*(\d{1,9}(?:[.,]\d{1,9})?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """What there is of a recording. `origin_s`: media time of its first frame; None: not known yet."""

    origin_s: float
    length_s: float | None
    frames: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where to go: a frame's rank, or a media time as in the file. `said`: the same in words."""

    index: int | None
    pts_s: float | None
    said: str


def place_of(text: str, span: Span) -> Place:
    """What was typed. Raises ValueError, with a sentence, when it means nothing or lies outside."""
    typed = text.strip()
    if match := _FRAME.fullmatch(typed):
        return _frame(int(match[1]), span)
    if match := _STAMP.fullmatch(typed):
        return _time(_number(match[1]) - span.origin_s, span, f"Time stamp {_number(match[1]):g} s")
    if match := _CLOCK.fullmatch(typed):
        hours, minutes, seconds = int(match[1] or 0), int(match[2]), _number(match[3])
        if seconds < 60 and (match[1] is None or minutes < 60):
            return _time(hours * 3600 + minutes * 60 + seconds, span)
    if match := _SECONDS.fullmatch(typed):
        return _time(_number(match[1] or match[2]), span)
    raise ValueError(f"That is neither a frame nor a time. {EXAMPLES}.")


def _frame(index: int, span: Span) -> Place:
    if span.frames is not None and index >= span.frames:
        raise ValueError(f"Frame {index} is outside: this recording has frames 0 to {span.frames - 1}.")
    return Place(index, None, f"Frame {index}")


def _time(at_s: float, span: Span, said: str = "") -> Place:
    said = said or words.clock(at_s)
    if at_s < 0:
        raise ValueError(f"{said} is outside: this recording begins at {span.origin_s:g} s.")
    if span.length_s is not None and at_s > span.length_s:
        raise ValueError(f"{said} is outside: this recording ends at {words.clock(span.length_s)}.")
    return Place(None, span.origin_s + at_s, said)


def _number(text: str) -> float:
    return float(text.replace(",", "."))
