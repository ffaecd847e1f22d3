"""What a person did, in order, and what follows from it: pure.

An act is never changed or removed. Undo and redo are acts of their own on a *stroke*, all that was done at
once; each act belongs to a scope, which has its own undo: a frame (`frame:120`), the findings, the bookmarks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from engine.drawing.rle import Rle
from engine.types import OperatingPoint, Rect

FINDINGS, BOOKMARKS, POINTS, COMPARED = "findings", "bookmarks", "points", "compared"
MASK, STATE, CLEAR = "mask", "state", "clear"
VERDICT, NOTE, JOIN, SPLIT, DELETE, ADD = "verdict", "note", "join", "split", "delete", "add"
BOOKMARK, POINT, SECOND, UNDO, REDO = "bookmark", "point", "second", "undo", "redo"
PERSONS = 100_000  # labels of what people found themselves; below they are numbers of tracks
ORPHANS = 2 * PERSONS  # and a track's number from there on: its masks are there, and it is not found any more


class FrameState(StrEnum):
    MACHINE = "machine"  # nobody has looked
    TOUCHED = "touched"  # a person has changed it, and does not vouch for it yet
    VERIFIED = "verified"
    EMPTY = "verified empty"  # looked at, and there is nothing


VOUCHED = frozenset({FrameState.VERIFIED, FrameState.EMPTY})


class Verdict(StrEnum):
    OPEN = ""
    KEEP = "keep"
    REJECT = "reject"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Act:
    """`value` is plain JSON, as `scope` and `kind` say."""

    id: int
    at_utc: str
    who: str
    stroke: int
    kind: str
    scope: str
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """An act to come."""

    kind: str
    scope: str
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Anchor:
    """A finding by where it was seen: it is known again among those of another threshold or model.

    `label`: of a person's own, whose masks have this number wherever they are drawn.
    """

    rank: int
    box: Rect
    label: int | None = None

    @property
    def value(self) -> list[int]:
        own = [] if self.label is None else [self.label]
        return [self.rank, self.box.x, self.box.y, self.box.w, self.box.h, *own]


def anchor_of(value: Sequence[int]) -> Anchor:
    return Anchor(value[0], Rect(*value[1:5]), value[5] if len(value) > 5 else None)


@dataclass(frozen=True, slots=True)
class HumanMask:
    """One polyp in one frame. `label`: which one, the same number in every frame; `source`: how it was made
    ("brush", "polygon", "model", "cvat" ...); `outlines`: polygons as they were drawn, to parts of a pixel.
    """

    label: int
    rle: Rle
    source: str
    outlines: tuple[tuple[tuple[float, float], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class FrameEdits:
    """What people said of one frame. `masks`: by label; once it is touched they are all that is in it."""

    state: FrameState = FrameState.MACHINE
    masks: Mapping[int, HumanMask] = field(default_factory=dict)


NOTHING = FrameEdits()


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of a finding of a network, or of a person's own (`added`), newest last."""

    anchor: Anchor
    verdict: Verdict | None = None
    note: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """A finding that a person saw. `label`: the number of its masks."""

    label: int
    first_rank: int
    last_rank: int
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class Joined:
    """The finding at `other` is that at `anchor`."""

    anchor: Anchor
    other: Anchor


@dataclass(frozen=True, slots=True)
class SplitAt:
    """From `rank` on it is another one."""

    anchor: Anchor
    rank: int


Told = Said | Added | Joined | SplitAt


def frame_scope(rank: int) -> str:
    return f"frame:{rank}"


def rank_of(scope: str) -> int | None:
    """Of a frame's scope."""
    kind, _, number = scope.partition(":")
    return int(number) if kind == "frame" else None


def in_force(acts: Iterable[Act]) -> list[Act]:
    """Of one scope: the acts that are not undone, in order."""
    done, _ = _stacks(acts)
    return [act for stroke in done for act in stroke]


def can(acts: Iterable[Act]) -> tuple[int | None, int | None]:
    """Of one scope: the stroke that undo takes back, and the one that redo does again."""
    done, undone = _stacks(acts)
    return (done[-1][0].stroke if done else None), (undone[-1][0].stroke if undone else None)


def _stacks(acts: Iterable[Act]) -> tuple[list[list[Act]], list[list[Act]]]:
    done: list[list[Act]] = []
    undone: list[list[Act]] = []
    for act in acts:
        if act.kind in (UNDO, REDO):
            here, there = (done, undone) if act.kind == UNDO else (undone, done)
            number = act.value["stroke"]
            at = next((i for i in reversed(range(len(here))) if here[i][0].stroke == number), None)
            if at is not None:
                there.append(here.pop(at))
        elif done and done[-1][0].stroke == act.stroke:
            done[-1].append(act)
        else:
            done.append([act])
            undone.clear()
    return done, undone


def frame_after(acts: Iterable[Act]) -> FrameEdits:
    """Of the acts of one frame."""
    edits = NOTHING
    for act in in_force(acts):
        edits = after(edits, act.kind, act.value)
    return edits


def after(before: FrameEdits, kind: str, value: Mapping[str, Any]) -> FrameEdits:
    """A frame after one act more."""
    masks = dict(before.masks)
    if kind == STATE:
        state = FrameState(value["state"])
        return FrameEdits(state, {} if state in (FrameState.EMPTY, FrameState.MACHINE) else masks)
    if kind == CLEAR:
        masks.clear()
    elif kind == MASK:
        label = int(value["label"])
        masks.pop(label, None)
        if value["rle"] is not None:
            masks[label] = _mask(label, value)
    return FrameEdits(FrameState.TOUCHED, masks)


def told(acts: Iterable[Act]) -> tuple[Told, ...]:
    """Of the acts on findings, in order."""
    found: list[Told] = []
    for act in in_force(acts):
        value, anchor = act.value, anchor_of(act.value["at"])
        if act.kind == VERDICT:
            found.append(Said(anchor, verdict=Verdict(value["verdict"])))
        elif act.kind == NOTE:
            found.append(Said(anchor, note=str(value["note"])))
        elif act.kind == DELETE:
            found.append(Said(anchor, deleted=True))
        elif act.kind == ADD:
            found.append(Added(value["label"], value["first_rank"], value["last_rank"], anchor))
        elif act.kind == JOIN:
            found.append(Joined(anchor, anchor_of(value["other"])))
        elif act.kind == SPLIT:
            found.append(SplitAt(anchor, value["rank"]))
    return tuple(found)


def bookmarks(acts: Iterable[Act]) -> dict[int, str]:
    """Notes by rank, in the order of ranks."""
    found: dict[int, str] = {}
    for act in in_force(acts):
        found.pop(act.value["rank"], None)
        if act.value["note"] is not None:
            found[act.value["rank"]] = str(act.value["note"])
    return dict(sorted(found.items()))


def points(acts: Iterable[Act]) -> dict[int, OperatingPoint]:
    """At which point a person last looked at each analysis, by its id."""
    return {int(act.value["analysis"]): OperatingPoint(**act.value["point"]) for act in in_force(acts)}


def second(acts: Iterable[Act]) -> tuple[int, OperatingPoint] | None:
    """With which analysis, by its id, and at which point the one that is reviewed was last compared."""
    found = [act.value for act in in_force(acts)]
    if not found or found[-1]["analysis"] is None:
        return None
    return int(found[-1]["analysis"]), OperatingPoint(**found[-1]["point"])


def _mask(label: int, value: Mapping[str, Any]) -> HumanMask:
    outlines = tuple(tuple((float(x), float(y)) for x, y in line) for line in value.get("outlines", ()))
    rle = Rle(size=list(value["rle"]["size"]), counts=str(value["rle"]["counts"]))
    return HumanMask(label, rle, str(value["source"]), outlines)
