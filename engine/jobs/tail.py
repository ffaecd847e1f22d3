"""Follows the events of a run while somebody else writes them, and after that."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from engine.jobs.events import KINDS, Event, event_of

LOOK_BYTES = 1 << 20  # of one look, so that a million lines take no more memory than a thousand
MARK_BYTES = 256  # the end of what was read is known again by so much of it

THINNED = 61  # a prime: figures that take turns are thinned alike


def _run_of(kinds: Iterable[str], repeat: bytes) -> re.Pattern[bytes]:
    """Lines of these kinds as RunFolder writes them, found without reading each."""
    kind = rb'"kind":"(?:' + "|".join(kinds).encode() + rb')"'
    line = rb'\{"v":\d+,"n":\d+,"t":[^,"\n]+,' + kind + rb"[^\n]*+(?<=\})\n"
    return re.compile(rb"(?>" + line + rb")" + repeat)


_MOMENTARY = _run_of((kind for kind, shape in KINDS.items() if shape.momentary), rb"++")
_CROWDED = _run_of((kind for kind, shape in KINDS.items() if shape.crowded), rb"{1,%d}+" % THINNED)


@dataclass(frozen=True, slots=True)
class News:
    """What a look at the file brought. `events` are in the order of the file, whatever their times say.

    anew: the file is another one, or was cut: what was known of it is void, and these are its first events.
    behind: there is more to be read at once.
    torn: lines that never became whole; a job was killed while it wrote them.
    missing: numbers that no line of the file has (a torn line's among them).
    """

    events: tuple[Event, ...] = ()
    anew: bool = False
    behind: bool = False
    torn: int = 0
    missing: int = 0


class Tail:
    """One follower of one file, which need not be there yet. Of the events that count only while they are the
    newest (`Event.momentary`) a look gives the last one of each run of them; while it catches up with a long
    file, of those that come by the million (`Event.crowded`) one in THINNED.

    `clock` is monotonic: `silent_s` must not follow a clock that is set.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._grown_s: float | None = None
        self._size_bytes = 0
        self._begin()

    def _begin(self) -> None:
        self._offset = 0  # of the first byte that was not read; always that of a line
        self._mark = b""  # what stands before it
        self._number = 0
        self._in_giant = False  # in a line that is longer than a look

    def look(self) -> News:
        """Read on, at most LOOK_BYTES. A last line without its end is left for later. Raises OSError, but not
        for a file that is not there.
        """
        try:
            stream = self._path.open("rb")
        except FileNotFoundError:
            return News()
        with stream:
            anew = not self._is_the_same(stream)
            if anew:
                self._begin()
            stream.seek(self._offset)
            block = stream.read(LOOK_BYTES)
            file = os.fstat(stream.fileno())
        self._watch(file, anew)
        whole = block.rfind(b"\n") + 1
        torn = 0
        if not whole and len(block) == LOOK_BYTES:  # no event is that long
            whole, torn = len(block), not self._in_giant
            self._in_giant, begin = True, whole
        else:
            begin = block.find(b"\n") + 1 if self._in_giant else 0
            self._in_giant = self._in_giant and not whole
        events, broken, missing = self._read(block, begin, whole)
        self._offset += whole
        self._mark = (self._mark + block[max(0, whole - MARK_BYTES) : whole])[-MARK_BYTES:]
        behind = whole > 0 and self._offset < file.st_size
        return News(tuple(events), anew, behind, torn + broken, missing)

    def silent_s(self) -> float:
        """How long the file has not grown, as far as this follower has seen; before the first look 0.

        A job says something every 2 s (`heartbeat`).
        """
        return 0.0 if self._grown_s is None else self._clock() - self._grown_s

    def _is_the_same(self, stream: IO[bytes]) -> bool:
        stream.seek(self._offset - len(self._mark))
        return stream.read(len(self._mark)) == self._mark

    def _watch(self, file: os.stat_result, anew: bool) -> None:
        if self._grown_s is None:  # what was there before counts from when it was written
            self._grown_s = self._clock() - max(0.0, time.time() - file.st_mtime)
        elif anew or file.st_size != self._size_bytes:
            self._grown_s = self._clock()
        self._size_bytes = file.st_size

    def _read(self, block: bytes, at: int, whole: int) -> tuple[list[Event], int, int]:
        """Of the lines from `at` to `whole`: the events, how many hold none, how many numbers are missing."""
        events: list[Event] = []
        torn = missing = 0
        catching_up = len(block) == LOOK_BYTES
        while at < whole:
            run = _MOMENTARY.match(block, at, whole)
            if run is None and catching_up:
                run = _CROWDED.match(block, at, whole)
            end = run.end() if run else block.index(b"\n", at) + 1
            begin = max(at, block.rfind(b"\n", at, end - 1) + 1)
            event = event_of(block[begin:end])
            if event is None:
                torn += bool(block[begin:end].strip())
            else:
                passed = block.count(b"\n", at, begin)
                missing += max(0, event.number - self._number - 1 - passed)
                self._number = event.number
                events.append(event)
            at = end
        return events, torn, missing
