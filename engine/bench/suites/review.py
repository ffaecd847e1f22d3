"""What review costs without its window: opening, stepping, scrubbing, another threshold, exporting, the list.

Long recordings are a clip's own frames again and again; a tenth of 20 minutes is followed, and counts ten
times. What else the machine does counts where a person waits for the disk or a decoder, and not where only
this thread works (`rerun`, `open_2h`, `library`).
"""

from __future__ import annotations

import random
import tempfile
import time
import zlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.analysis.judged import open_recording
from engine.bench.suites.alarms import clips_of
from engine.bench.timing import percentiles
from engine.jobs.events import RunFolder
from engine.model_folder import default_model, find_model, load_model_folder
from engine.review.analysis import analyse_into, begin, paths_of, points_of, run_folder, spec_of
from engine.review.database import DATABASE
from engine.review.exports.export import export
from engine.review.exports.formats import Only
from engine.review.findings import Finding, Sighted, read_findings, read_sightings, write_findings
from engine.review.following import remade
from engine.review.library.index import Library
from engine.review.maps import CHUNK, StoredFrame, stored_frames, write_frames
from engine.review.places import Places
from engine.review.recording import Analysis
from engine.review.review import Review
from engine.review.store import SideCar, open_folder, open_side_car
from engine.review.timeline import frame_table
from engine.sources import open_source
from engine.sources.base import SourceOptions, SourceSpec

RATE_HZ = 30
RERUN_FRAMES, TIMES, LONG_FRAMES = 2 * 60 * RATE_HZ, 10, 2 * 3600 * RATE_HZ
JUMPS = 40
ENTRIES = 5000


def run(paths: Sequence[str], model: str | None = None) -> dict[str, Any]:
    """`review`: a row a clip. Raises FaultError."""
    folder = load_model_folder(find_model(model) if model else default_model())
    rows = []
    for path in clips_of(paths):
        with tempfile.TemporaryDirectory() as name:
            places = Places(Path(name), beside=False)
            with open_side_car(paths_of(path), places) as car:
                began_s = time.perf_counter()
                analysis = begin(car, folder)
                analyse_into(
                    car.database, analysis, spec_of(car), RunFolder(run_folder(car.folder, analysis.id))
                )
                analysed_s = time.perf_counter() - began_s
                analysis = car.analysis(analysis.id)
                rows.append(
                    {"clip": paths_of(path)[0].name} | _figures(car, analysis, Path(name), analysed_s)
                )
                database, minutes = car.folder / DATABASE, (car.recording.duration_s or 0.0) / 60.0
            megabytes = database.stat().st_size / 1e6  # its log is part of it now
            rows[-1]["sidecar_mb_per_min"] = round(megabytes / minutes, 2) if minutes else None
            began_s = time.perf_counter()
            with open_side_car(paths_of(path), places) as car:
                _looked_at(car, analysis)
            rows[-1]["open_s"] = round(time.perf_counter() - began_s, 3)
    return {"review": rows}


def _figures(car: SideCar, analysis: Analysis, folder: Path, analysed_s: float) -> dict[str, Any]:
    spec = spec_of(car)
    decoded_s = _decoded_s(spec)
    frames = list(stored_frames(car.database, analysis.id, analysis.map_size))
    began_s = time.perf_counter()
    export(Review(car, analysis), "clip", folder / "clip", only=Only.ALL)
    exported_s = time.perf_counter() - began_s
    step_ms, scrub_ms = _jumps(spec, len(frames))
    return {
        "frames": len(frames),
        "analyse_vs_decode": round(analysed_s / decoded_s, 2),
        "export_vs_decode": round(exported_s / decoded_s, 2),
        "step_p95_ms": step_ms,
        "scrub_p95_ms": scrub_ms,
        "rerun_20min_s": _rerun_s(car, analysis, frames),
        "open_2h_s": _open_long_s(car, analysis, frames, folder / "long"),
        "library_5000_s": _library_s(folder / "library.db"),
    }


def _looked_at(car: SideCar, analysis: Analysis) -> int:
    """All that a window shows of it first."""
    table = frame_table(car.database, analysis.id)
    rows = Review(car, analysis).rows
    return len(table) + len(rows)


def _decoded_s(spec: SourceSpec) -> float:
    began_s = time.perf_counter()
    with closing(open_recording(spec)) as source:
        while source.read() is not None:
            pass
    return time.perf_counter() - began_s


def _jumps(spec: SourceSpec, frames: int) -> tuple[float, float]:
    """95th percentiles: a step back with its picture, and a jump anywhere."""
    chance = random.Random(4)
    steps: list[float] = []
    scrubs: list[float] = []
    with closing(open_source(spec, SourceOptions())) as source:
        for _ in range(JUMPS):
            rank = chance.randrange(1, max(frames, 2))
            for times, at in ((scrubs, rank), (steps, rank - 1)):
                began_s = time.perf_counter()
                source.seek(at)
                picture = source.read()
                if picture is not None:
                    picture.bgra()
                times.append((time.perf_counter() - began_s) * 1000)
    return percentiles(steps)["p95_ms"], percentiles(scrubs)["p95_ms"]


def _repeated(frames: Sequence[StoredFrame], count: int) -> list[StoredFrame]:
    return [
        replace(frames[number % len(frames)], rank=number, pts_s=number / RATE_HZ) for number in range(count)
    ]


def _rerun_s(car: SideCar, analysis: Analysis, frames: Sequence[StoredFrame]) -> float:
    size = car.recording.size
    assert size is not None
    long = _repeated(frames, RERUN_FRAMES)
    point = points_of(load_model_folder(Path(analysis.model_path)))[analysis.preset].moved(0.4)
    began_s = time.process_time()
    for _ in remade(long, size, point, 1.0 / RATE_HZ):
        pass
    return round((time.process_time() - began_s) * TIMES, 2)


def _open_long_s(car: SideCar, analysis: Analysis, frames: Sequence[StoredFrame], folder: Path) -> float:
    """A recording of two hours that was analysed before."""
    size = car.recording.size
    assert size is not None
    with open_side_car(list(car.recording.paths), Places(folder, beside=False)) as long:
        with long.database.change() as change:
            columns = (
                "id, made_by, model_id, weights_sha256, model_path, preset, point, region, runtime, began_utc"
            )
            row = car.database.row(f"SELECT {columns} FROM analysis WHERE id = ?", analysis.id)
            assert row is not None
            wide, high = analysis.map_size.width_px, analysis.map_size.height_px
            change.run(
                f"INSERT INTO analysis VALUES ({', '.join('?' * 12)}, 1, '[]', NULL)", *row, wide, high
            )
            change.run("UPDATE recording SET width_px = ?, height_px = ?", size.width_px, size.height_px)
            some = [frames[number % len(frames)] for number in range(CHUNK)]
            peaks = [int(frame.map.max(initial=0)) for frame in some]
            data = zlib.compress(np.stack([frame.map for frame in some]).tobytes())
            for first in range(0, LONG_FRAMES, CHUNK):
                times = [(first + at, (first + at) / RATE_HZ) for at in range(CHUNK)]
                here = [
                    replace(one, rank=rank, pts_s=pts_s)
                    for one, (rank, pts_s) in zip(some, times, strict=True)
                ]
                chunk = write_frames(change, analysis.id, here, peaks)
                change.run("INSERT INTO maps VALUES (?, ?)", chunk, data)
            write_findings(change, analysis.id, *_repeated_findings(car, analysis, len(frames)))
        place = long.folder
    began_s = time.process_time()
    with open_folder(place) as long:
        _looked_at(long, analysis)
    return round(time.process_time() - began_s, 2)


def _repeated_findings(
    car: SideCar, analysis: Analysis, frames: int
) -> tuple[list[Finding], list[tuple[int, tuple[Sighted, ...]]]]:
    known = read_findings(car.database, analysis.id, confirmed=False)
    seen = read_sightings(car.database, analysis.id, 0, frames)
    findings, sightings = [], []
    for turn in range(LONG_FRAMES // frames):
        shift, shift_s = turn * frames, turn * frames / RATE_HZ
        ids = {one.id: turn * len(known) + number for number, one in enumerate(known)}
        findings += [
            replace(
                one,
                id=ids[one.id],
                first_rank=one.first_rank + shift,
                last_rank=one.last_rank + shift,
                best_rank=one.best_rank + shift,
                start_s=one.start_s + shift_s,
                end_s=one.end_s + shift_s,
            )
            for one in known
        ]
        sightings += [
            (rank + shift, tuple(replace(one, track=ids[one.track]) for one in some if one.track in ids))
            for rank, some in seen.items()
        ]
    return findings, sightings


def _library_s(path: Path) -> float:
    library = Library(path)
    library.entries()
    library.put(
        [
            (
                f"/r/{n}.review",
                f"recording {n}.mp4",
                f"/r/{n}.mp4",
                f"{n:064x}",
                60.0,
                3,
                2,
                "light",
                1,
                f"{n}",
                b"",
            )
            for n in range(ENTRIES)
        ]
    )
    began_s = time.process_time()
    found = len(library.entries()) + len(library.entries("recording 4321"))
    assert found == ENTRIES + 1
    return round(time.process_time() - began_s, 3)
