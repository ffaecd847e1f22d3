"""Labels carried over a range of a recording, forwards or backwards: read, followed, and kept as one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.review.database import Database
from engine.review.editing.flow import LEAST, Carried, Looked, carried, looked_at
from engine.review.editing.history import History
from engine.review.editing.labels import FrameState, Labels, with_mask
from engine.review.editing.store import frame_states, read_history, write_history
from engine.sources.base import Source
from engine.types import U8, Size

TOOL = "flow"
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

    `masks`: uint8 [H, W] by track. `verified`: frames that a person answers for, never changed. Reads the
    source, which nobody else uses meanwhile. Raises FaultError.
    """
    first = next(_forwards(source, start, start), None)
    if first is None or not masks:
        yield Stopped(start, "there is nothing to follow")
        return
    last = start
    for found in carried(first, masks, _frames(source, start, to)):
        if found.rank in verified:
            yield Stopped(last, "the next frame is verified")
            return
        if found.confidence < LEAST:
            yield Stopped(last, "it became unsure")
            return
        last = found.rank
        yield found
    yield Stopped(last, "" if last == to else "the recording ends")


def keep_propagated(
    change: Database, found: Sequence[Carried], *, at_utc: str, who: str
) -> tuple[History, ...]:
    """All of these frames, an act each, inside `Database.change`; what became of them.

    A label of another track that a person made there stays. Verified ones are left alone.
    """
    states = frame_states(change)
    kept = []
    for one in found:
        if states.get(one.rank) in (FrameState.VERIFIED, FrameState.EMPTY):
            continue
        high, wide = next(iter(one.masks.values())).shape
        before = read_history(change, one.rank) or History(one.rank, one.pts_s, Size(wide, high))
        labels: Labels = before.now.labels if before.now is not None else ()
        for track, mask in one.masks.items():
            labels = with_mask(labels, track, mask)
        history = before.done(TOOL, FrameState.TOUCHED, labels)
        write_history(change, history, at_utc=at_utc, who=who)
        kept.append(history)
    return tuple(kept)


def _frames(source: Source, start: int, to: int) -> Iterator[Looked]:
    if to > start:
        yield from _forwards(source, start + 1, to)
        return
    for last in range(start - 1, to - 1, -AT_ONCE):
        yield from reversed(list(_forwards(source, max(last - AT_ONCE + 1, to), last)))


def _forwards(source: Source, first: int, last: int) -> Iterator[Looked]:
    """Both included; ends in front of a damaged frame, on which nothing is marked."""
    source.seek(first)
    while (picture := source.read()) is not None and picture.index <= last:
        if picture.damaged:
            return
        yield looked_at(picture)
