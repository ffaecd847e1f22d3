"""Side-cars of long recordings, made of a short one's frames again and again."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.review.database import Database
from engine.review.findings import Finding, Sighted, read_findings, read_sightings, write_findings
from engine.review.maps import CHUNK, StoredFrame, stored_frames, write_frames
from engine.review.places import Places
from engine.review.recording import Analysis
from engine.review.store import SideCar, open_side_car

RATE_HZ = 30
PICTURE_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Layout:
    """`rest`: so many times as long as the clip is there nothing in the maps behind each turn of it."""

    minutes: int
    rest: int = 0

    @property
    def frames(self) -> int:
        return self.minutes * 60 * RATE_HZ


def lengthened(
    car: SideCar, analysis: Analysis, layout: Layout, folder: Path, recording: Path | None = None
) -> Path:
    """The folder of a side-car of so many minutes at 30 Hz, analysed to its end. `recording`: the one that it
    is of, as long and of the same size; None: that of `car`.
    """
    places = Places(folder, beside=False)
    paths = list(car.recording.paths) if recording is None else [recording]
    with open_side_car(paths, places) as long, long.database.change() as change:
        _copy_analysis(car, analysis, change)
        frames = list(stored_frames(car.database, analysis.id, analysis.map_size))
        turn_chunks = -(-len(frames) // CHUNK)
        turn = [frames[number % len(frames)] for number in range(turn_chunks * CHUNK)]
        datas = [_packed(turn[first : first + CHUNK]) for first in range(0, len(turn), CHUNK)]
        nothing = [replace(frames[0], map=np.zeros_like(frames[0].map), view=0)] * CHUNK
        empty = _packed(nothing)
        for number in range(-(-layout.frames // CHUNK)):
            at = number % (turn_chunks * (1 + layout.rest))
            is_there = at < turn_chunks
            some = turn[at * CHUNK : (at + 1) * CHUNK] if is_there else nothing
            here = [
                replace(one, rank=rank, pts_s=rank / RATE_HZ) for rank, one in enumerate(some, number * CHUNK)
            ]
            chunk = write_frames(change, analysis.id, here, [int(one.map.max(initial=0)) for one in some])
            change.run("INSERT INTO maps VALUES (?, ?)", chunk, datas[at] if is_there else empty)
        period = turn_chunks * CHUNK * (1 + layout.rest)
        write_findings(change, analysis.id, *_repeated(car, analysis, period, layout.frames))
        _copy_pictures(car, change, layout)
    return long.folder


def _packed(some: Sequence[StoredFrame]) -> bytes:
    return zlib.compress(np.stack([one.map for one in some]).tobytes())


def _copy_analysis(car: SideCar, analysis: Analysis, change: Database) -> None:
    size = car.recording.size
    assert size is not None
    columns = "id, made_by, model_id, weights_sha256, model_path, preset, point, region, runtime, began_utc"
    row = car.database.row(f"SELECT {columns} FROM analysis WHERE id = ?", analysis.id)
    assert row is not None
    wide, high = analysis.map_size.width_px, analysis.map_size.height_px
    change.run(f"INSERT INTO analysis VALUES ({', '.join('?' * 12)}, 1, '[]', NULL)", *row, wide, high)
    change.run(
        "UPDATE recording SET width_px = ?, height_px = ?, rate_hz = ?",
        size.width_px,
        size.height_px,
        RATE_HZ,
    )


def _copy_pictures(car: SideCar, change: Database, layout: Layout) -> None:
    pictures = [row[0] for row in car.database.rows("SELECT jpeg FROM picture ORDER BY rank")]
    ranks = range(0, layout.frames, round(PICTURE_EVERY_S * RATE_HZ))
    change.run_all(
        "INSERT INTO picture VALUES (?, ?)",
        [(rank, pictures[number % len(pictures)]) for number, rank in enumerate(ranks)],
    )


def _repeated(
    car: SideCar, analysis: Analysis, period: int, frames: int
) -> tuple[list[Finding], list[tuple[int, tuple[Sighted, ...]]]]:
    known = read_findings(car.database, analysis.id, confirmed=False)
    seen = read_sightings(car.database, analysis.id, 0, period)
    findings, sightings = [], []
    for turn, shift in enumerate(range(0, frames, period)):
        shift_s = shift / RATE_HZ
        ids = {one.id: turn * len(known) + number for number, one in enumerate(known)}
        findings += list(_moved(known, ids, shift, shift_s))
        sightings += [
            (rank + shift, tuple(replace(one, track=ids[one.track]) for one in some if one.track in ids))
            for rank, some in seen.items()
        ]
    return findings, sightings


def _moved(known: Sequence[Finding], ids: dict[int, int], shift: int, shift_s: float) -> Iterator[Finding]:
    for one in known:
        yield replace(
            one,
            id=ids[one.id],
            first_rank=one.first_rank + shift,
            last_rank=one.last_rank + shift,
            best_rank=one.best_rank + shift,
            start_s=one.start_s + shift_s,
            end_s=one.end_s + shift_s,
        )
