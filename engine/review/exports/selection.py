"""Which frames of a recording are handed on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.faults import FaultCode, FaultError
from engine.review.acts import VOUCHED, FrameState, Verdict
from engine.review.exports.formats import Only
from engine.review.review import FrameMasks, Review


@dataclass(frozen=True, slots=True)
class Selection:
    """`ranks`, in order; `objects`: those that count, None for all."""

    ranks: tuple[int, ...]
    objects: frozenset[int] | None = None

    def of(self, review: Review, rank: int) -> FrameMasks:
        """A frame with the masks that count."""
        frame = review.frame(rank)
        if self.objects is None:
            return frame
        masks = {one: mask for one, mask in frame.masks.items() if one in self.objects}
        return FrameMasks(frame.rank, frame.pts_s, frame.state, masks)


def selected(review: Review, only: Only, range_: tuple[int, int] | None = None) -> Selection:
    """Raises FaultError ARGUMENT when there is no such frame."""
    first, last = range_ or (0, 2**31 - 1)
    said = review.edits.frames
    objects: frozenset[int] | None = None
    if only is Only.VERIFIED:
        ranks = [rank for rank, one in said.items() if one.state in VOUCHED]
    elif only is Only.KEPT:
        kept = [row for row in review.rows if row.verdict is Verdict.KEEP]
        tracks = {track for row in kept for track in row.findings}
        objects = frozenset(tracks)
        spans = [range(row.first_rank, row.last_rank + 1) for row in kept]
        seen = {rank for rank, some in review.sightings.items() if any(s.track in tracks for s in some)}
        seen |= {rank for rank, one in said.items() if one.state is not FrameState.MACHINE}
        ranks = sorted(rank for rank in seen if any(rank in span for span in spans))
    else:
        ranks = sorted({*review.sightings, *said})
    is_all = all(first <= rank <= last for rank in ranks)
    ranks = [rank for rank in ranks if first <= rank <= last]
    if only is not Only.VERIFIED:
        ranks = [rank for rank in ranks if _counts(review, rank, objects)]
    if not ranks:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"frames that are {only.value}",
            got="none",
            remedy="verify or keep some, or take all",
            said=_NONE[only] if is_all else _ELSEWHERE[only],
        )
    return Selection(tuple(ranks), objects)


_NONE = {
    Only.VERIFIED: "No frame is verified yet. In its review press E, and Enter on each frame that is right.",
    Only.KEPT: "No finding is kept yet. In its review press Enter on those to keep, or export all of them.",
    Only.ALL: "There is nothing to export: nothing was found, and nobody drew anything.",
}
_ELSEWHERE = {
    Only.VERIFIED: "No frame in this range is verified. Choose another range, or all of the recording.",
    Only.KEPT: "No kept finding is in this range. Choose another range, or all of the recording.",
    Only.ALL: "Nothing was found or drawn in this range. Choose another range, or all of the recording.",
}


def range_of(text: str, review: Review) -> tuple[int, int]:
    """First and last frame of `A:B` or `A-B`, both included: in frames (`100:250`), in seconds (`4s:10s`) or
    by the clock (`0:04-0:10`) since the beginning; an open end is the recording's.

    Raises FaultError ARGUMENT: no range, or one that begins behind the recording's end.
    """
    first, between, last = text.strip().partition("-" if "-" in text else ":")
    if not between or not (first or last):
        raise _no_range(text)
    ranks = review.table.ranks
    end = int(ranks[-1]) if len(ranks) else 0
    begin = 0 if not first else _rank(first, text, review)
    until = end if not last else _rank(last, text, review)
    if until < begin:
        raise _no_range(text)
    if begin > end:
        raise _beyond(text, end, review)
    return begin, min(until, end)


def _rank(part: str, text: str, review: Review) -> int:
    if part.isdecimal():
        return int(part)
    clock = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)(s?)", part)
    if clock is None or not (clock[2] or clock[4]):
        raise _no_range(text)
    table = review.table
    at_s = int(clock[1] or 0) * 3600 + int(clock[2] or 0) * 60 + float(clock[3])
    pts_s = at_s + (float(table.pts_s[0]) if len(table) else 0.0)
    behind = len(table) and pts_s > float(table.pts_s[-1]) + 1.0 / (review.car.recording.rate_hz or 1.0)
    return table.rank_at(pts_s) + (1 if behind else 0)


def _no_range(text: str) -> FaultError:
    return FaultError(
        FaultCode.ARGUMENT,
        expected="a range of frames such as 100:250, of seconds such as 4s:10s or of times such as 0:04-0:10",
        got=text,
        remedy="write first and last",
        said=f"{text!r} is no range. Write frames such as 100:250, seconds such as 4s:10s or times such as "
        "0:04-0:10, the earlier one first.",
    )


def _beyond(text: str, end: int, review: Review) -> FaultError:
    table = review.table
    lasts_s = float(table.pts_s[-1] - table.pts_s[0]) if len(table) else 0.0
    return FaultError(
        FaultCode.ARGUMENT,
        expected=f"a range within frames 0 to {end}",
        got=text,
        remedy="name an earlier one",
        said=f"The range {text} begins behind the end of the recording: it has frames 0 to {end}, "
        f"{lasts_s:.1f} s. Name an earlier one.",
    )


def has_masks(frame: FrameMasks) -> bool:
    return any(mask.any() for mask in frame.masks.values())


def _counts(review: Review, rank: int, objects: frozenset[int] | None) -> bool:
    frame = Selection((rank,), objects).of(review, rank)
    return has_masks(frame) or (objects is None and frame.state is FrameState.EMPTY)
