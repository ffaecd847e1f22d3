"""Masks carried over a range of a recording, forwards or backwards."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from engine.review.editing.flow import LEAST, Carried, Looked, carried, looked_at
from engine.sources.base import Source
from engine.types import U8

AT_ONCE = 64  # frames that are read forwards to be followed backwards


@dataclass(frozen=True, slots=True)
class Stopped:
    """Where a propagation ended, and why: "" at the end of its range."""

    rank: int
    why: str


def propagated(
    source: Source, start: int, to: int, masks: Mapping[int, U8], verified: Collection[int]
) -> Iterator[Carried | Stopped]:
    """The masks of frame `start` in each frame up to `to`, which may lie before it; at last where it ended.

    `masks`: uint8 [H, W] by label. `verified`: frames that a person answers for, never changed. Reads the
    source, which nobody else uses meanwhile. Raises FaultError.
    """
    first = next(_forwards(source, start, start), None)
    if first is None or not masks:
        yield Stopped(start, "there is nothing to follow")
        return
    last, at_end = start, "the recording ends"

    def whole() -> Iterator[Looked]:
        nonlocal at_end
        for frame in _frames(source, start, to):
            if frame is None:
                at_end = "the next frame is damaged"
                return
            yield frame

    for found in carried(first, masks, whole()):
        if found.rank in verified:
            yield Stopped(last, "the next frame is verified")
            return
        if found.confidence < LEAST:
            yield Stopped(last, "it became unsure")
            return
        last = found.rank
        yield found
    yield Stopped(last, "" if last == to else at_end)


def _frames(source: Source, start: int, to: int) -> Iterator[Looked | None]:
    """None: a damaged one, on which nothing is marked."""
    if to > start:
        yield from _forwards(source, start + 1, to)
        return
    for last in range(start - 1, to - 1, -AT_ONCE):
        yield from reversed(list(_forwards(source, max(last - AT_ONCE + 1, to), last)))


def _forwards(source: Source, first: int, last: int) -> Iterator[Looked | None]:
    """Both included."""
    source.seek(first)
    while (picture := source.read()) is not None and picture.index <= last:
        yield None if picture.damaged else looked_at(picture)
