"""Which frames of a recording are handed on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from engine.faults import FaultCode, FaultError
from engine.review.acts import VOUCHED, FrameState, Verdict
from engine.review.review import FrameMasks, Review


class Only(StrEnum):
    VERIFIED = "verified"  # frames that a person vouches for, also empty ones
    KEPT = "kept"  # frames of findings that a person keeps, with these alone
    ALL = "all"  # every frame with a mask, whoever made it, and those verified to be empty


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
    ranks = [rank for rank in ranks if first <= rank <= last]
    if only is not Only.VERIFIED:
        ranks = [rank for rank in ranks if _counts(review, rank, objects)]
    if not ranks:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"frames that are {only.value}",
            got="none",
            remedy="verify or keep some, or take all",
            said=_NONE[only],
        )
    return Selection(tuple(ranks), objects)


_NONE = {
    Only.VERIFIED: "No frame is verified yet. Verify some, or export kept findings or all of them.",
    Only.KEPT: "No finding is kept yet. Keep some, or export verified frames or all of them.",
    Only.ALL: "There is nothing to export in these frames: nothing was found, and nobody drew anything.",
}


def range_of(text: str, review: Review) -> tuple[int, int]:
    """`A:B` in frames, or in seconds (`12.5s:20s`), both included; an open end is the recording's.

    Raises FaultError ARGUMENT.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?s|\d+)?:(\d+(?:\.\d+)?s|\d+)?", text.strip())
    if match is None or not any(match.groups()):
        raise _no_range(text)
    ends = [_rank(part, review) for part in match.groups()]
    first = 0 if ends[0] is None else ends[0]
    last = 2**31 - 1 if ends[1] is None else ends[1]
    if last < first:
        raise _no_range(text)
    return first, last


def _rank(part: str | None, review: Review) -> int | None:
    if not part:
        return None
    return review.table.rank_at(float(part[:-1])) if part.endswith("s") else int(part)


def _no_range(text: str) -> FaultError:
    return FaultError(
        FaultCode.ARGUMENT,
        expected="a range of frames such as 100:250, or of seconds such as 4s:10s",
        got=text,
        remedy="write first and last",
    )


def has_masks(frame: FrameMasks) -> bool:
    return any(mask.any() for mask in frame.masks.values())


def _counts(review: Review, rank: int, objects: frozenset[int] | None) -> bool:
    frame = Selection((rank,), objects).of(review, rank)
    return has_masks(frame) or (objects is None and frame.state is FrameState.EMPTY)
