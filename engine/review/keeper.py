"""Keeps what was judged: maps, findings, pictures, and how to go on, 64 frames at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from engine.analysis.judged import JudgedFrame
from engine.faults import FaultError
from engine.review.database import Database
from engine.review.findings import Sighted, write_findings
from engine.review.following import Follower
from engine.review.going_on import Remembering, bytes_of, past_of
from engine.review.maps import CHUNK, StoredFrame, small, stored_frames, view_bits, write_chunk
from engine.review.pictures import Pictures
from engine.review.recording import Analysis
from engine.sources.base import Source
from engine.sources.field_finder import FieldFinder
from engine.types import F32, Field, Rect, Size
from engine.view.motion import STILL, look_of, motion_between
from engine.view.quality import faults_of, measure


class Keeper:
    """Takes judged frames in order and keeps them: maps, findings, pictures, and how to go on."""

    def __init__(self, database: Database, analysis: Analysis, info: Source) -> None:
        self._database = database
        self._analysis = analysis
        self._source = info
        row = database.row("SELECT state FROM analysis WHERE id = ?", analysis.id)
        with database.decoding():
            self.past = past_of(row[0] if row else None)
        self.next_rank = 0
        self._look: F32 | None = self.past.look
        self._roi: Rect | None = None
        self._follower: Follower | None = None
        self._pictures = Pictures()
        self._frames: list[StoredFrame] = []
        self._sightings: list[tuple[int, tuple[Sighted, ...]]] = []
        self._go_through_what_is_kept()

    def add(self, frame: JudgedFrame, finder: FieldFinder | None) -> bool:
        """One frame more; whether it and those before it are on the disk now. Raises FaultError."""
        result, roi = frame.result, frame.result.mask.roi
        look = look_of(frame.shown)
        same = self._look is not None and self._roi in (None, roi)
        motion = motion_between(self._look, look) if same and self._look is not None else STILL
        stored = StoredFrame(
            result.index,
            result.pts_s,
            small(result.mask.probability),
            motion,
            frame.damaged,
            view_bits(faults_of(measure(frame.shown))),
            result.field or Field(roi),
        )
        self._look, self._roi, self.next_rank = look, roi, result.index + 1
        if self._follower is None:
            self._follower = Follower(result.size, self._analysis.point, self._begin(result.size))
        seen = self._follower.add(stored)
        self._pictures.add(frame, seen.grown)
        if seen.sightings:
            self._sightings.append((seen.rank, seen.sightings))
        self._frames.append(stored)
        if isinstance(finder, Remembering):
            self.past = replace(self.past, lock=finder.take(result.index))
        if len(self._frames) < CHUNK:
            return False
        self._keep(done=False, faults=())
        return True

    def finish(self, faults: Iterable[FaultError]) -> None:
        """The recording is at its end."""
        self._keep(done=True, faults=tuple(str(fault) for fault in faults))

    def _keep(self, *, done: bool, faults: Sequence[str]) -> None:
        id_ = self._analysis.id
        past = replace(self.past, look=self._look)
        with self._database.change() as change:
            if self._frames:
                write_chunk(change, id_, self._frames)
            changed = self._follower.noted.take_changed() if self._follower else ()
            write_findings(change, id_, changed, self._sightings)
            self._pictures.write(change)
            change.run(
                "UPDATE analysis SET state = ?, done = ?, faults = ? WHERE id = ?",
                None if done else bytes_of(past),
                done,
                json.dumps(faults),
                id_,
            )
            self._tell_length(change, done=done)
        self._frames, self._sightings = [], []

    def _begin(self, size: Size) -> float:
        """What is known once there is a first frame; 1 / the rate, as it was known then and ever after."""
        known = self._database.row("SELECT rate_hz, width_px FROM recording")
        assert known is not None
        rate_hz = known[0] if known[1] is not None else self._source.info.rate_hz
        if known[1] is None:
            with self._database.change() as change:
                change.run(
                    "UPDATE recording SET width_px = ?, height_px = ?, rate_hz = ?",
                    size.width_px,
                    size.height_px,
                    rate_hz,
                )
        return 1.0 / rate_hz if rate_hz else 0.0

    def _tell_length(self, change: Database, *, done: bool) -> None:
        info = self._source.info
        if info.frames is not None:
            change.run("UPDATE recording SET frames = ?, duration_s = ?", info.frames, info.duration_s)
        elif done:  # judged before its packets were counted
            change.run("UPDATE recording SET frames = ?", self.next_rank)

    def _go_through_what_is_kept(self) -> None:
        for frame in stored_frames(self._database, self._analysis.id, self._analysis.map_size):
            if self._follower is None:
                size = self._database.row("SELECT width_px, height_px FROM recording")
                assert size is not None
                self._follower = Follower(Size(*size), self._analysis.point, self._begin(Size(*size)))
            seen = self._follower.add(frame)
            self._pictures.pass_by(frame, seen.grown)
            self._roi, self.next_rank = frame.field.box, frame.rank + 1
        if self._follower is not None:
            self._follower.noted.take_changed()
