"""A side-car as it is looked at: one analysis, what people said, and the masks that hold in each frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from engine.drawing.rle import decode
from engine.review.acts import FrameState
from engine.review.editing.persons import objects_of
from engine.review.edits import Edits
from engine.review.findings import Finding, Sighted, StoredSightings, read_findings
from engine.review.imports.results import mark_at
from engine.review.maps import MapReader, chunks, field_px
from engine.review.marks import marks_of, mask_of
from engine.review.recording import Analysis
from engine.review.remaking.remake import Remade
from engine.review.rows import Row, Sightings, rows_of
from engine.review.store import SideCar
from engine.review.timeline import FrameTable, frame_table
from engine.tracking.place import Place, likeness
from engine.types import U8, Component, Field, Rect, Size


@dataclass(frozen=True, slots=True)
class FrameMasks:
    """What holds in a frame: masks uint8 [H, W] by object, and who vouches for them. An object is a track's
    number or, of a person's own, one from `acts.PERSONS` on.
    """

    rank: int
    pts_s: float
    state: FrameState
    masks: Mapping[int, U8]


class Review:
    """For the thread that opened the side-car. What is cached is as old as this object.

    `made`: what was found at another operating point; None: what is stored.
    """

    def __init__(
        self, car: SideCar, analysis: Analysis, edits: Edits | None = None, made: Remade | None = None
    ) -> None:
        self.car = car
        self.analysis = analysis
        self.point = analysis.point if made is None else made.point
        self._made = made
        self.edits = edits or Edits(car.database)
        self._maps = MapReader(car.database, analysis.id, analysis.map_size)
        self._objects_at: tuple[int, dict[int, int]] | None = None

    @property
    def size(self) -> Size:
        """Of the recording's frames; known as soon as anything is analysed."""
        size = self.car.recording.size
        assert size is not None
        return size

    @cached_property
    def table(self) -> FrameTable:
        return frame_table(self.car.database, self.analysis.id)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        if self._made is not None:
            return self._made.confirmed
        return read_findings(self.car.database, self.analysis.id)

    @cached_property
    def sightings(self) -> Sightings:
        if self._made is not None:
            return self._made.sightings
        return StoredSightings(self.car.database, self.analysis.id)

    @cached_property
    def _confirmed(self) -> frozenset[int]:
        return frozenset(one.id for one in self.findings)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The list of findings."""
        edits = self.edits
        return rows_of(
            self.findings, self.sightings, edits.told, self.table.time_s, edits.marked, self._field_px
        )

    def _field_px(self, rank: int) -> int:
        return field_px(self.car.database, self.analysis.id, rank)

    @property
    def _objects(self) -> dict[int, int]:
        """Of each label; as old as the last act."""
        if self._objects_at is None or self._objects_at[0] != self.edits.last_stroke:
            objects = objects_of(self.edits.marked, self.sightings, self.findings)
            self._objects_at = self.edits.last_stroke, objects
        return self._objects_at[1]

    def machine_masks(self, rank: int) -> dict[int, U8]:
        """What the network has in a frame, by track: what is drawn of it, and what was not drawn yet of a
        finding that was confirmed later.
        """
        seen = self.sightings.get(rank, ())
        if not self.analysis.has_maps:
            return _of_mark(self, rank, seen)
        frame = self._maps.at(rank)
        if frame is None:
            return {}
        drawn, rest = marks_of(frame, seen, self.size, self.point)
        by_track: dict[int, list[Component]] = {}
        for one in (*drawn, *(one for one in rest if one.track in self._confirmed)):
            by_track.setdefault(one.track or 0, []).append(one)
        return {track: mask_of(some, self.size) for track, some in by_track.items()}

    def frame(self, rank: int) -> FrameMasks:
        """What holds in a frame: the network's until a person has touched it."""
        edits = self.edits.frame(rank)
        if edits.state is FrameState.MACHINE:
            masks = self.machine_masks(rank)
        else:
            masks = {}
            for label, one in edits.masks.items():
                with self.car.database.decoding():
                    mask = decode(one.rle)
                name = self._objects.get(label, label)
                masks[name] = mask | masks[name] if name in masks else mask
        return FrameMasks(rank, self.table.time_s(rank), edits.state, masks)

    def field_of(self, ranks: Sequence[int]) -> Field:
        """Where the endoscope's picture is in most of these frames."""
        wanted, count = set(ranks), dict[Field, int]()
        for chunk in chunks(self.car.database, self.analysis.id):
            for at, rank in enumerate(chunk.ranks):
                if int(rank) in wanted:
                    field = chunk.fields[chunk.field_of[at]]
                    count[field] = count.get(field, 0) + 1
        size = self.size
        return max(
            count, key=lambda one: count[one], default=Field(Rect(0, 0, size.width_px, size.height_px))
        )


def place_of_mask(mask: U8) -> Place:
    x, y, w, h = cv2.boundingRect(mask)
    return Place(x, y, w, h, cv2.countNonZero(mask))


def _of_mark(review: Review, rank: int, seen: Sequence[Sighted]) -> dict[int, U8]:
    """The blobs of a mask that `analyse` wrote, by the track that was seen there."""
    rle = mark_at(review.car.database, review.analysis.id, rank, review.size)
    if rle is None:
        return {}
    count, labels = cv2.connectedComponents(decode(rle), connectivity=8)
    found: dict[int, U8] = {}
    for number in range(1, count):
        mask = (labels == number).astype(np.uint8)
        at = place_of_mask(mask)
        near = max(seen, key=lambda one: likeness(_place(one.box), at), default=None)
        track = near.track if near is not None else 0
        found[track] = mask | found[track] if track in found else mask
    return found


def _place(box: Rect) -> Place:
    return Place(box.x, box.y, box.w, box.h, box.w * box.h)
