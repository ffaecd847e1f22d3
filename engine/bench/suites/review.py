"""What review costs without its window: opening, stepping, scrubbing, another threshold, exporting, the list.

Long recordings are a clip's own frames again and again, `dense` without a pause between. What else the
machine does counts where a person waits for the disk or a decoder, and not where only this thread works
(`rerun`, `open_2h`, `library`).
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.analysis.judged import open_recording
from engine.bench.long_recordings import Layout, lengthened
from engine.bench.suites.alarms import clips_of
from engine.bench.timing import percentiles
from engine.jobs.events import RunFolder
from engine.model_folder import default_model, find_model, load_model_folder
from engine.review.analysis import analyse_into, begin, paths_of, points_of, run_folder, spec_of
from engine.review.database import DATABASE
from engine.review.exports.export import export
from engine.review.exports.formats import Only
from engine.review.library.index import Library
from engine.review.pictures import picture_at
from engine.review.places import Places
from engine.review.recording import Analysis
from engine.review.remaking.blobs import Blobs
from engine.review.remaking.remake import Wanted, made_again
from engine.review.review import Review
from engine.review.store import SideCar, open_folder, open_side_car
from engine.review.timeline import frame_table
from engine.sources import open_source
from engine.sources.base import SourceOptions, SourceSpec

# Of an examination something is found in a sixth of the time; a clip is full of it.
SIXTH, DENSE, TWO_HOURS = Layout(20, rest=5), Layout(20), Layout(120)
JUMPS = 40
ENTRIES = 5000


def run(paths: Sequence[str], model: str | None = None) -> dict[str, Any]:
    """`review`: of each figure the worst; `clips`: a row a clip. Raises FaultError."""
    folder = load_model_folder(find_model(model) if model else default_model())
    rows = []
    for clip in clips_of(paths):
        with tempfile.TemporaryDirectory() as name:
            path = _copied(clip, Path(name))
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
            began_s = time.perf_counter()
            with open_side_car(paths_of(path), places) as car:
                _looked_at(car, analysis)
            rows[-1]["open_s"] = round(time.perf_counter() - began_s, 3)
    figures = [name for name in rows[0] if name not in ("clip", "frames")]
    return {"review": {name: max(row[name] for row in rows) for name in figures}, "clips": rows}


def _figures(car: SideCar, analysis: Analysis, folder: Path, analysed_s: float) -> dict[str, Any]:
    spec = spec_of(car)
    decoded_s = _decoded_s(spec)
    frames = len(frame_table(car.database, analysis.id))
    began_s = time.perf_counter()
    export(Review(car, analysis), "clip", folder / "clip", only=Only.ALL)
    exported_s = time.perf_counter() - began_s
    return {
        "frames": frames,
        "analyse_vs_decode": round(analysed_s / decoded_s, 2),
        "export_vs_decode": round(exported_s / decoded_s, 2),
        **_jumps(car, spec, frames),
        "open_2h_s": _open_long_s(car, analysis, folder / "long"),
        "library_5000_s": _library_s(folder / "library.db"),
        **_rerun(car, analysis, folder),
    }


def _copied(clip: str, folder: Path) -> str:
    """A clip of one's own: what is known of the one that was named is left alone."""
    if not Path(clip).is_file():
        return clip
    own = folder / "recording"
    own.mkdir()
    return str(shutil.copy2(clip, own))


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


def _jumps(car: SideCar, spec: SourceSpec, frames: int) -> dict[str, float]:
    """95th percentiles: a jump anywhere, steps from there with their pictures, and what is shown while the
    time line is dragged.
    """
    chance = random.Random(4)
    times: dict[str, list[float]] = {"seek": [], "step": [], "scrub": []}
    with closing(open_source(spec, SourceOptions())) as source:
        for _ in range(JUMPS):
            rank = chance.randrange(1, max(frames - 1, 2))
            began_s = time.perf_counter()
            picture_at(car.database, rank)
            times["scrub"].append((time.perf_counter() - began_s) * 1000)
            for name, at in (("seek", rank), ("step", rank - 1), ("step", rank), ("step", rank + 1)):
                began_s = time.perf_counter()
                source.seek(at)
                picture = source.read()
                if picture is not None:
                    picture.bgra()
                times[name].append((time.perf_counter() - began_s) * 1000)
    return {f"{name}_p95_ms": percentiles(some)["p95_ms"] for name, some in times.items()}


def _rerun(car: SideCar, analysis: Analysis, folder: Path) -> dict[str, float]:
    """Findings of 20 minutes made again: until the first and until all are there, CPU seconds; `area`: once
    its slider is moved after the threshold's. And the size of such a side-car, of the clip without a pause.
    """
    found: dict[str, float] = {}
    for name, layout in (("rerun_20min", SIXTH), ("rerun_20min_dense", DENSE)):
        place = lengthened(car, analysis, layout, folder / name)
        found["sidecar_mb_per_min"] = round((place / DATABASE).stat().st_size / 1e6 / layout.minutes, 2)
        with open_folder(place, write=False) as long:
            here = layout.frames // 2
            table = frame_table(long.database, analysis.id)
            point = points_of(load_model_folder(Path(analysis.model_path)))[analysis.preset].moved(0.4)
            blobs = Blobs()
            for what, moved in (("", point), ("_area", replace(point, min_area_frac=0.004))):
                wanted = Wanted(long.analysis(analysis.id), long.recording, table, moved, here)
                began_s = time.process_time()
                for number, so_far in enumerate(made_again(long.database, wanted, blobs)):
                    if not number and not what:
                        so_far()
                        found[f"{name}_first_s"] = round(time.process_time() - began_s, 3)
                so_far()
                found[f"{name}{what}_s"] = round(time.process_time() - began_s, 2)
    return found


def _open_long_s(car: SideCar, analysis: Analysis, folder: Path) -> float:
    """A recording of two hours that was analysed before."""
    place = lengthened(car, analysis, TWO_HOURS, folder)
    began_s = time.process_time()
    with open_folder(place) as long:
        _looked_at(long, analysis)
    return round(time.process_time() - began_s, 2)


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
