"""What people did with a recording, on the disk as soon as it is done; undo and redo without limit."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np

from engine.drawing.polygon import pixels_inside
from engine.drawing.rle import encode, place_in
from engine.review import acts
from engine.review.acts import (
    BOOKMARKS,
    COMPARED,
    FINDINGS,
    NOTHING,
    ORPHANS,
    PERSONS,
    POINTS,
    VOUCHED,
    Act,
    Anchor,
    Done,
    FrameEdits,
    FrameState,
    HumanMask,
    Told,
    Verdict,
    frame_scope,
)
from engine.review.database import Database
from engine.review.editing.persons import Marked
from engine.review.recording import Analysis
from engine.review.store import now_utc
from engine.types import U8, OperatingPoint, Size

PERSON = "person"
T = TypeVar("T")


class Edits:
    """All acts of a side-car, for the thread that opened it. Whatever changes something raises FaultError
    when it cannot be kept, and then nothing has changed.
    """

    def __init__(self, database: Database, who: str = PERSON) -> None:
        self._database = database
        self._who = who
        self._by_scope: dict[str, list[Act]] = {}
        self._frames: dict[int, FrameEdits] = {}
        self._marked: dict[int, tuple[Marked, ...]] = {}
        self._last_stroke = 0
        for row in database.rows("SELECT id, at_utc, who, stroke, kind, scope, value FROM act ORDER BY id"):
            with database.decoding():
                id_, at_utc, who_, stroke, kind, scope, value = row
                self._take(Act(id_, at_utc, who_, stroke, kind, scope, json.loads(value)))

    # What is known.

    def frame(self, rank: int) -> FrameEdits:
        """What people said of a frame."""
        if rank not in self._frames:
            self._frames[rank] = self._of(acts.frame_after, frame_scope(rank))
        return self._frames[rank]

    @property
    def frames(self) -> dict[int, FrameEdits]:
        """Every frame that anybody said something of, by rank."""
        ranks = sorted(rank for scope in self._by_scope if (rank := acts.rank_of(scope)) is not None)
        return {rank: edits for rank in ranks if (edits := self.frame(rank)) != NOTHING}

    @property
    def vouched(self) -> dict[int, FrameEdits]:
        """Verified frames, also those that are empty."""
        return {rank: edits for rank, edits in self.frames.items() if edits.state in VOUCHED}

    @property
    def marked(self) -> tuple[Marked, ...]:
        """Where the masks of all frames lie that anybody touched, in the order of ranks."""
        return tuple(one for rank, edits in self.frames.items() for one in self._marked_in(rank, edits))

    @property
    def told(self) -> tuple[Told, ...]:
        """What was said of findings (`engine.review.rows`)."""
        return self._of(acts.told, FINDINGS)

    @property
    def bookmarks(self) -> dict[int, str]:
        return self._of(acts.bookmarks, BOOKMARKS)

    @property
    def points(self) -> dict[int, OperatingPoint]:
        """At which point a person last looked at each analysis, by its id."""
        return self._of(acts.points, POINTS)

    @property
    def second(self) -> tuple[int, OperatingPoint] | None:
        """With which analysis, by its id, and at which point the one that is reviewed is compared."""
        return self._of(acts.second, COMPARED)

    def reviewed(self, analyses: Sequence[Analysis], weights_sha256: str = "") -> Analysis | None:
        """The one that people look at: by these weights, or else the newest that none was compared with."""
        compared = {act.value["analysis"] for act in self.history(COMPARED)}
        mine = [one for one in analyses if one.weights_sha256 == weights_sha256]
        first = [one for one in analyses if one.id not in compared]
        return next((found[-1] for found in (mine, first, analyses) if found), None)

    def history(self, scope: str) -> tuple[Act, ...]:
        """All acts of a scope, also what was undone."""
        return tuple(self._by_scope.get(scope, ()))

    def free_label(self) -> int:
        """A number that no mask and no finding has had."""
        used = [
            int(act.value["label"])
            for some in self._by_scope.values()
            for act in some
            if "label" in act.value and int(act.value["label"]) < ORPHANS
        ]
        return max(PERSONS, *used) + 1 if used else PERSONS + 1

    # What is done.

    def do(self, some: Sequence[Done]) -> None:
        """All of it at once: one stroke, one undo in each scope that it touches."""
        if not some:
            return
        stroke, at_utc = self._last_stroke + 1, now_utc()
        with self._database.change() as change:
            made = [
                Act(
                    change.run(
                        "INSERT INTO act (at_utc, who, stroke, kind, scope, value) VALUES (?, ?, ?, ?, ?, ?)",
                        at_utc, self._who, stroke, one.kind, one.scope, json.dumps(one.value),
                    ),
                    at_utc, self._who, stroke, one.kind, one.scope, one.value,
                )
                for one in some
            ]  # fmt: skip
        for act in made:
            self._take(act)

    def mask(
        self,
        rank: int,
        label: int,
        mask: U8 | None,
        source: str,
        outlines: Sequence[Sequence[tuple[float, float]]] = (),
    ) -> None:
        """A polyp of a frame is this: uint8 [H, W], anything but 0 inside; None or empty: not there."""
        self.do([mask_act(rank, label, mask, source, outlines)])

    def masks(self, rank: int, found: Mapping[int, U8], source: str) -> None:
        """All polyps of a frame are these, by label: copied from the model or another frame."""
        cleared = Done(acts.CLEAR, frame_scope(rank), {})
        self.do([cleared, *(mask_act(rank, label, mask, source) for label, mask in found.items())])

    def verify(self, rank: int, machine: Iterable[HumanMask] = ()) -> None:
        """A person vouches for what the frame has; `machine`: what the model has, of an untouched one.

        Without any mask it is verified to be empty.
        """
        known = self.frame(rank)
        masks = list(known.masks.values())
        some: list[Done] = []
        if known.state is FrameState.MACHINE:
            masks = list(machine)
            some = [_mask_done(rank, one) for one in masks]
        state = FrameState.VERIFIED if masks else FrameState.EMPTY
        self.do([*some, Done(acts.STATE, frame_scope(rank), {"state": state.value})])

    def set_state(self, rank: int, state: FrameState) -> None:
        """Back to the machine's, or verified empty: then the frame has no masks of a person any more."""
        self.do([Done(acts.STATE, frame_scope(rank), {"state": state.value})])

    def judge(self, anchor: Anchor, verdict: Verdict) -> None:
        self._of_finding(acts.VERDICT, anchor, verdict=verdict.value)

    def note(self, anchor: Anchor, text: str) -> None:
        self._of_finding(acts.NOTE, anchor, note=text)

    def delete(self, anchor: Anchor, labels: Collection[int] = ()) -> None:
        """`labels`: of a person's own; their masks leave the frames, and come back by the same undo."""
        masks = [mask_act(one.rank, one.label, None, "deleted") for one in self.marked if one.label in labels]
        self.do([Done(acts.DELETE, FINDINGS, {"at": anchor.value}), *masks])

    def join(self, anchor: Anchor, other: Anchor) -> None:
        self._of_finding(acts.JOIN, anchor, other=other.value)

    def split(self, anchor: Anchor, rank: int) -> None:
        self._of_finding(acts.SPLIT, anchor, rank=rank)

    def add(self, first_rank: int, last_rank: int, anchor: Anchor) -> int:
        """A finding that a person saw; the label of its masks."""
        label = self.free_label()
        self._of_finding(acts.ADD, anchor, label=label, first_rank=first_rank, last_rank=last_rank)
        return label

    def bookmark(self, rank: int, note: str | None = "") -> None:
        """None takes it away."""
        self.do([Done(acts.BOOKMARK, BOOKMARKS, {"rank": rank, "note": note})])

    def look_at(self, analysis: int, point: OperatingPoint) -> None:
        """The sliders stand there when it is opened again."""
        self.do([Done(acts.POINT, POINTS, {"analysis": analysis, "point": asdict(point)})])

    def compare_with(self, analysis: int | None, point: OperatingPoint | None = None) -> None:
        """It is compared with that one when it is opened again; None: with nothing."""
        stands = None if point is None else asdict(point)
        self.do([Done(acts.SECOND, COMPARED, {"analysis": analysis, "point": stands})])

    def take_back(self) -> str:
        """The last thing that was said of findings or frames, by verdict, note, bookmark ...: which kind of
        act it was, and "" when there is none. What it did to masks is undone with it.
        """
        stroke, _ = acts.can(self._said)
        return self._again_everywhere(acts.UNDO, stroke)

    def say_again(self) -> str:
        """What was taken back last; as `take_back`."""
        _, stroke = acts.can(self._said)
        return self._again_everywhere(acts.REDO, stroke)

    def undo(self, scope: str) -> bool:
        """Take back the last stroke of a scope; False: there is none."""
        stroke, _ = acts.can(self._by_scope.get(scope, ()))
        return self._again(acts.UNDO, scope, stroke)

    def redo(self, scope: str) -> bool:
        _, stroke = acts.can(self._by_scope.get(scope, ()))
        return self._again(acts.REDO, scope, stroke)

    def undo_stroke(self, stroke: int) -> None:
        """In every frame that it touched: a propagation, an import."""
        self._again_everywhere(acts.UNDO, stroke)

    @property
    def last_stroke(self) -> int:
        return self._last_stroke

    def _again(self, kind: str, scope: str, stroke: int | None) -> bool:
        if stroke is not None:
            self.do([Done(kind, scope, {"stroke": stroke})])
        return stroke is not None

    def _again_everywhere(self, kind: str, stroke: int | None) -> str:
        if stroke is None:
            return ""
        touched = {act.scope: act for some in self._by_scope.values() for act in some if act.stroke == stroke}
        self.do([Done(kind, scope, {"stroke": stroke}) for scope in touched])
        return next((touched[scope].kind for scope in (FINDINGS, BOOKMARKS) if scope in touched), "")

    def _of(self, meaning: Callable[[Iterable[Act]], T], scope: str) -> T:
        """What the acts of a scope mean."""
        with self._database.decoding():
            return meaning(self._by_scope.get(scope, ()))

    @property
    def _said(self) -> list[Act]:
        """Of findings and of frames: one history, as a person sees it."""
        some = (*self._by_scope.get(FINDINGS, ()), *self._by_scope.get(BOOKMARKS, ()))
        return sorted(some, key=lambda act: act.id)

    def _marked_in(self, rank: int, edits: FrameEdits) -> tuple[Marked, ...]:
        if rank not in self._marked:
            places = ((label, place_in(one.rle)) for label, one in edits.masks.items())
            self._marked[rank] = tuple(
                Marked(rank, label, *place) for label, place in places if place is not None
            )
        return self._marked[rank]

    def _of_finding(self, kind: str, anchor: Anchor, **value: object) -> None:
        self.do([Done(kind, FINDINGS, {"at": anchor.value, **value})])

    def _take(self, act: Act) -> None:
        self._by_scope.setdefault(act.scope, []).append(act)
        self._last_stroke = max(self._last_stroke, act.stroke)
        rank = acts.rank_of(act.scope)
        if rank is not None:
            self._frames.pop(rank, None)
            self._marked.pop(rank, None)


def mask_act(
    rank: int,
    label: int,
    mask: U8 | None,
    source: str,
    outlines: Sequence[Sequence[tuple[float, float]]] = (),
) -> Done:
    """As `Edits.mask`, to be done with others in one stroke."""
    rle = None if mask is None or not mask.any() else encode(mask)
    value: dict[str, Any] = {"label": label, "rle": rle, "source": source}
    if outlines:
        value["outlines"] = [[[round(x, 3), round(y, 3)] for x, y in line] for line in outlines]
    return Done(acts.MASK, frame_scope(rank), value)


def drawn(outlines: Sequence[Sequence[tuple[float, float]]], size: Size) -> U8:
    """The mask of polygons, in frame pixels (0, 0 is the picture's corner): uint8 [H, W] of 0 and 1."""
    mask = np.zeros((size.height_px, size.width_px), np.uint8)
    for line in outlines:
        mask |= pixels_inside(np.asarray(line, np.float64), size.width_px, size.height_px)
    return mask


def _mask_done(rank: int, mask: HumanMask) -> Done:
    value = {"label": mask.label, "rle": mask.rle, "source": mask.source}
    return Done(acts.MASK, frame_scope(rank), value)
