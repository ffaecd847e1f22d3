"""The analysis of a recording into its side-car: in a process of its own that may be killed at any moment.

    python -m engine.review.analysis SIDE_CAR ID

Every 64 frames are kept at once with all that follows from them; a process that comes later goes on behind
them and leaves, to the bit, what an undisturbed one would have left.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from engine.analysis.judged import Judge, judged_frames, open_judge, open_recording
from engine.faults import FaultCode, FaultError
from engine.jobs.begun import begun
from engine.jobs.ended import CANCELLED, INPUT_UNUSABLE, OK
from engine.jobs.events import RunFolder
from engine.jobs.interrupt import interrupt
from engine.jobs.process import Life, Process, end_with_parent, give_way, python
from engine.model_card import SENSITIVE, STANDARD, WEIGHTS
from engine.model_folder import ModelFolder, load_model_folder
from engine.review.database import DATABASE, Database, open_database
from engine.review.going_on import Past, Remembering
from engine.review.keeper import Keeper
from engine.review.maps import (
    small_size,
)
from engine.review.recording import Analysis, point_text, region_text
from engine.review.store import SideCar, now_utc, read_only_fault
from engine.runtime import AUTO
from engine.sources import LIVE_KINDS, SEPARATOR, parse_source
from engine.sources.base import SourceSpec
from engine.sources.field_finder import FieldFinder, finder_of
from engine.sources.joined import address_of
from engine.types import Field, OperatingPoint, Region, Size

JOB = "review"
TELL_EVERY_S = 0.5


def points_of(model: ModelFolder) -> dict[str, OperatingPoint]:
    """The presets of a model for a video, by name: findings are always followed over time here."""
    return {
        name: replace(preset.over_time, preset=name, shows_tentative=name == SENSITIVE)
        for name, preset in model.card.presets.items()
    }


def begin(
    car: SideCar,
    model: ModelFolder,
    preset: str = STANDARD,
    *,
    region: Region | Field | None = None,
    runtime: str = AUTO,
) -> Analysis:
    """The recording's analysis by these weights, and a new one where there is none; `start` works on it.

    `region` None: what the model was made for. Raises FaultError when nothing can be kept.
    """
    looked_at, sha256 = region or model.card.region, model.card.files[WEIGHTS].sha256
    for one in car.analyses:
        if (one.made_by, one.weights_sha256, one.region) == (JOB, sha256, looked_at):
            return one
    check_writable(car)
    size = small_size(Size(model.card.input.width_px, model.card.input.height_px))
    with car.database.change() as change:
        id_ = change.run(
            "INSERT INTO analysis (made_by, model_id, weights_sha256, model_path, preset, point, region, "
            "runtime, began_utc, map_width, map_height, done, faults) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '[]')",
            JOB,
            model.id,
            sha256,
            str(model.path),
            preset,
            point_text(points_of(model)[preset]),
            region_text(looked_at),
            runtime,
            now_utc(),
            size.width_px,
            size.height_px,
        )
    return car.analysis(id_)


def check_writable(car: SideCar) -> None:
    """Raises FaultError: what is found cannot be kept."""
    if car.why_read_only:
        raise read_only_fault(car, f"to keep what is found in {car.folder}")


def start(car: SideCar, analysis: Analysis, *, life: Life = Life.TIED) -> Process:
    """Begin it, or go on with it; `ask` the process to pause.

    It tells in `run_folder`, and how far it is in the side-car (`progress_of`).
    """
    command = python("-m", "engine.review.analysis", str(car.folder), str(analysis.id), "--background")
    return Process(command, life, folder=run_folder(car.folder, analysis.id), background=True)


def run_folder(folder: Path, analysis: int) -> Path:
    return folder / f"analysis-{analysis}"


@dataclass(frozen=True, slots=True)
class Progress:
    """`total` None: the recording has not been counted yet. `until_s`: what is analysed reaches to there."""

    done: int
    total: int | None
    until_s: float
    is_done: bool


def progress_of(database: Database, analysis: int) -> Progress:
    """How far an analysis is, whoever works on it."""
    row = database.row(
        "SELECT coalesce(sum(frames), 0), (SELECT frames FROM recording), "
        "(SELECT done FROM analysis WHERE id = ?1) FROM chunk WHERE analysis = ?1",
        analysis,
    )
    assert row is not None
    last = database.row(
        "SELECT substr(pts_s, -8) FROM chunk WHERE analysis = ? ORDER BY first_rank DESC LIMIT 1", analysis
    )
    until_s = _f8(last[0]) if last is not None else 0.0
    return Progress(row[0], row[1], until_s, bool(row[2]))


def paths_of(text: str) -> list[Path]:
    """The files of a recording as a person names it: one, several (`SourceSpec.text`), or the demonstration.

    Raises FaultError ARGUMENT: a device or a stream has no file.
    """
    spec = parse_source(text)
    if spec.kind == "demo":
        return [Path(str(files("assets").joinpath("demo", "demo.mp4")))]
    if spec.kind in LIVE_KINDS:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a recording: a video file, or a folder of pictures",
            got=f"{spec.title}, which is live",
            remedy="record it first",
            said=f"{spec.title} is live and cannot be reviewed. Record it first.",
        )
    return [Path(part) for part in spec.address.split(SEPARATOR)]


def spec_of(car: SideCar) -> SourceSpec:
    """The recording as a source."""
    return spec_of_files(car.recording.paths)


def spec_of_files(paths: Sequence[Path]) -> SourceSpec:
    """One file, a folder of stills, or several files that are one recording."""
    if len(paths) == 1:
        return parse_source(str(paths[0]))
    return SourceSpec("joined", address_of(paths))


def check_readable(paths: Sequence[Path]) -> None:
    """Raises FaultError: one of the files of a recording cannot be read as one."""
    open_recording(spec_of_files(paths)).close()


def analyse_into(database: Database, analysis: Analysis, spec: SourceSpec, job: RunFolder) -> bool:
    """Judge what is not judged yet; False when it was asked to pause. Raises FaultError."""
    if analysis.done:
        return True
    model = _model(analysis)
    faults: list[FaultError] = []
    with ExitStack() as stack:
        source = stack.enter_context(closing(open_recording(spec)))
        keeper = Keeper(database, analysis, source)
        judge: Judge = stack.enter_context(
            closing(open_judge(model, analysis.point, runtime=analysis.runtime))
        )
        finder = _finder(keeper, analysis.region, spec)
        frames = stack.enter_context(
            closing(judged_frames(source, judge, start=keeper.next_rank, finder=finder, tell=faults.append))
        )
        told_s = 0.0
        for frame in frames:
            keeper.add(frame, finder)
            now_s = time.monotonic()
            if now_s - told_s >= TELL_EVERY_S:
                told_s = now_s
                total = source.info.frames or 0
                job.event("progress", done=keeper.next_rank, total=total, unit="frames")
            if job.is_cancelled():
                return False
        keeper.finish(fault for fault in faults if not fault.harmless)
    return True


def _finder(keeper: Keeper, region: Region | Field, spec: SourceSpec) -> FieldFinder | None:
    if region != "field":
        return finder_of(region, spec)
    if not keeper.next_rank:
        found = finder_of(region, spec)
        keeper.past = Past(known=found.known if found is not None else None)
    return Remembering(keeper.past.known, keeper.past.lock)


def _model(analysis: Analysis) -> ModelFolder:
    """Raises FaultError when it is gone or is another one by now."""
    model = load_model_folder(Path(analysis.model_path))
    if model.card.files[WEIGHTS].sha256 != analysis.weights_sha256:
        raise FaultError(
            FaultCode.MODEL_HASH,
            expected=f"the weights that this analysis was begun with at {analysis.model_path}",
            got="others",
            remedy="put them back, or begin another analysis",
            said=f"{analysis.model_id} at {analysis.model_path} has other weights than this analysis "
            "was begun with. Put them back, or begin another analysis; what was analysed stays.",
        )
    return model


def _f8(data: bytes) -> float:
    import struct

    value: float = struct.unpack("<d", data)[0]
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """0: all of it is judged, 2: it cannot be, 4: paused."""
    parser = argparse.ArgumentParser(prog="review-analysis", description="Analyse into a side-car.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("analysis", type=int)
    parser.add_argument("--background", action="store_true", help="at the lowest priority")
    parser.add_argument("--events", nargs="?", const="-", help="print what is told, too")
    options = parser.parse_args(argv)
    end_with_parent()
    if options.background:
        give_way()
    try:
        with interrupt(signal.SIGINT, signal.SIGTERM) as asked:
            return _run(options, asked)
    except FaultError as error:
        print(error, file=sys.stderr)
        return INPUT_UNUSABLE


def _run(options: argparse.Namespace, asked) -> int:  # type: ignore[no-untyped-def]
    folder: Path = options.folder
    run = run_folder(folder, options.analysis)
    with begun(JOB, run, events=options.events, interrupted=asked) as job:
        with closing(open_database(folder / DATABASE)) as database:
            car = SideCar(folder, database, ExitStack(), "")
            car.check_parts()
            if analyse_into(database, car.analysis(options.analysis), spec_of(car), job):
                return OK
        job.event("done", outcome="cancelled")
        return CANCELLED


if __name__ == "__main__":
    sys.exit(main())
