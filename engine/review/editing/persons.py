"""Whose masks people drew: of a network's finding, or of one that they found themselves. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.review.acts import ORPHANS, PERSONS
from engine.review.findings import Finding, Sighted
from engine.tracking.place import Place, likeness
from engine.types import Rect, TrackState


@dataclass(frozen=True, slots=True)
class Marked:
    """One mask of a person: in which frame, of which polyp, where."""

    rank: int
    label: int
    box: Rect
    area_px: int


def objects_of(
    marked: Sequence[Marked], sightings: Mapping[int, tuple[Sighted, ...]], findings: Sequence[Finding]
) -> dict[int, int]:
    """For each label the object that its masks are of: a track's number, or one from `PERSONS` on.

    Numbers of tracks change with the threshold. A label below `PERSONS` is the track that most of its masks
    lie on, else the one of its number where that was followed over these frames; `findings`: all there are.
    """
    own = {one.label: one.label for one in marked if one.label >= PERSONS}
    votes: dict[int, Counter[int]] = {}
    followed: set[int] = set()
    spans = {one.id: range(one.first_rank, one.last_rank + 1) for one in findings}
    for one in marked:
        if one.label in own:
            continue
        seen = [other for other in sightings.get(one.rank, ()) if other.track in spans]
        votes.setdefault(one.label, Counter()).update(_nearest(one, seen))
        if one.rank in spans.get(one.label, ()):
            followed.add(one.label)
    for label, tracks in votes.items():
        (track, _), *_ = tracks.most_common(1) or [(label if label in followed else ORPHANS + label, 0)]
        own[label] = track
    return own


def sightings_of(marked: Iterable[Marked], objects: Mapping[int, int]) -> dict[int, tuple[Sighted, ...]]:
    """The masks as a network's would be listed, by rank; a person is sure of them."""
    found: dict[int, list[Sighted]] = {}
    for one in marked:
        seen = Sighted(objects[one.label], TrackState.CONFIRMED, one.box, one.area_px, 1.0)
        found.setdefault(one.rank, []).append(seen)
    return {rank: tuple(some) for rank, some in found.items()}


def _nearest(one: Marked, seen: Sequence[Sighted]) -> list[int]:
    """The one that is nearest, or none."""
    at = Place(one.box.x, one.box.y, one.box.w, one.box.h, one.area_px)
    near = [(likeness(_place(other.box), at), other.track) for other in seen]
    like, track = max(near, default=(0.0, 0))
    return [track] if like > 0.0 else []


def _place(box: Rect) -> Place:
    return Place(box.x, box.y, box.w, box.h, box.w * box.h)
