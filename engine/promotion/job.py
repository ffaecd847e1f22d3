"""A candidate beside the model in use, as a job: `python -m engine.promotion.job RUN_FOLDER`.

Its run folder says what is asked (`run.json`), how far it is (`events.jsonl`), and in the end what came of it
(`acceptance.json`). It changes nothing that is in use: a person decides (`engine.promotion.promote`).
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from engine.analysis.judged import Judge, open_judge
from engine.faults import FaultCode, FaultError
from engine.files.json_reader import read_json
from engine.files.whole import output_fault, sha256_of, user_data, write_json
from engine.jobs.begun import begun
from engine.jobs.ended import CANCELLED, DATA_UNUSABLE, INPUT_UNUSABLE, OK
from engine.jobs.events import RunFolder
from engine.jobs.folder import RUN_JSON
from engine.jobs.interrupt import interrupt
from engine.jobs.process import Life, Process, end_with_parent, give_way, python
from engine.jobs.program import program
from engine.model_card import CARD
from engine.model_folder import ModelFolder, find_model, load_model_folder
from engine.model_in_use import model_in_use
from engine.promotion.acceptance import (
    ACCEPTANCE,
    Acceptance,
    DataUsed,
    Side,
    read_acceptance,
    write_acceptance,
)
from engine.promotion.export import exported, is_run, model_id_of
from engine.promotion.locked import MAKE_ROOM, Locked, checked, hash_of, locked, refuse_trained_beside
from engine.promotion.measures import Row, Where
from engine.promotion.on_this_machine import describe, latencies_ms, parity_of, settle_runtime
from engine.promotion.statistics import Share, latency_rows, rows
from engine.promotion.stills import count_images
from engine.promotion.truth import Image, Images, Recording, demonstration
from engine.promotion.watching import counts_of, watch

JOB = "promotion"
RUNS = "promotions"  # below the user's data
CANDIDATE = "candidate"  # in the run folder: what was exported
TELL_EVERY_S = 0.5


def begin(source: str, folder: Path | None = None) -> Path:
    """The run folder of a new comparison of what was named (a model's name, its folder, or a training's run
    folder) with the model in use. Raises FaultError: there is no such thing.
    """
    path = Path(source)
    asked = path.absolute() if is_run(path) else find_model(source)
    began = datetime.now(UTC)
    run = folder or user_data() / RUNS / f"{began:%Y%m%dT%H%M%S%f}-{model_id_of(asked)}"
    try:
        run.mkdir(parents=True, exist_ok=True)
        write_json(run / RUN_JSON, {"schema": 1, "job": JOB, "source": str(asked), "began_utc": _utc(began)})
    except OSError as error:
        raise output_fault(run, error, MAKE_ROOM) from error
    return run


def is_comparison(path: Path) -> bool:
    """The run folder of one, whatever has become of it; it can be started again."""
    try:
        return bool(read_json(path / RUN_JSON)["job"] == JOB)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def finished(model: Path) -> Path | None:
    """The newest comparison of this model folder, as it is, with the one in use, on what is locked, by this
    version of the program; None: there is none. Raises FaultError DATA_SET as `locked`.
    """
    sides = sha256_of(model / CARD), sha256_of(model_in_use().path / CARD)
    data = {hash_of(demonstration()), *(one.sha256 for one in locked())}
    for path in sorted((user_data() / RUNS).glob(f"*/{ACCEPTANCE}"), reverse=True):
        with contextlib.suppress(FaultError):
            made = read_acceptance(path.parent)
            on = {one.sha256 for one in made.data}
            if ((made.candidate.sha256, made.in_use.sha256), on, made.app) == (sides, data, program()):
                return path.parent
    return None


def start(run: Path, life: Life = Life.DETACHED, *, background: bool = False) -> Process:
    """Work on it in a process of its own, which may outlive this one. Raises OSError."""
    quiet = ("--background",) if background else ()
    return Process(
        python("-m", "engine.promotion.job", str(run), *quiet), life, folder=run, background=background
    )


@dataclass(slots=True)
class _Stages:
    """Tells which stage the job is in, and how far; ends it where that was asked for."""

    job: RunFolder
    names: tuple[str, ...]
    _told_s: float = field(default=0.0)

    def begin(self, name: str) -> None:
        self.check()
        self.job.event("stage", name=name, i=self.names.index(name), of=len(self.names))

    def tick(self, total: int, unit: str) -> Callable[[], None]:
        done = 0

        def tell() -> None:
            nonlocal done
            done += 1
            self.check()
            if time.monotonic() - self._told_s >= TELL_EVERY_S:
                self._told_s = time.monotonic()
                self.job.event("progress", done=done, total=total, unit=unit)

        return tell

    def check(self) -> None:
        if self.job.is_cancelled():
            raise KeyboardInterrupt


def compare(run: Path, job: RunFolder) -> Acceptance:
    """All stages. Raises FaultError for what cannot be used, KeyboardInterrupt when it was asked to end."""
    began_s = time.monotonic()
    source = Path(read_json(run / RUN_JSON)["source"])
    some = _named(tuple(checked(locked())))  # before all work: what is not there any more is told
    told = _Stages(job, _stages(source, some))
    path = source
    if is_run(source):
        told.begin("export")
        path = exported(source, run / CANDIDATE, job)
    candidate, in_use = load_model_folder(path), load_model_folder(model_in_use().path)
    refuse_trained_beside([truth for truth, _ in some], (in_use, candidate))
    told.begin("runtime")
    settle_runtime(candidate, job)
    told.begin("parity")
    parity = parity_of(candidate)
    told.begin("latency")
    times = latencies_ms((in_use, candidate), told.tick)
    made: list[Row] = [*latency_rows(*times)]
    data: list[DataUsed] = []
    with ExitStack() as stack:
        judges = [
            stack.enter_context(closing(open_judge(model, model.card.points["standard"])))
            for model in (in_use, candidate)
        ]
        both = list(zip((in_use, candidate), judges, strict=True))
        told.begin("demonstration")
        shown = demonstration()
        made += _recordings(Where.DEMONSTRATION, [(shown, hash_of(shown))], both, told, data)
        if recordings := [(truth, sha256) for truth, sha256 in some if isinstance(truth, Recording)]:
            told.begin("recordings")
            made += _recordings(Where.RECORDINGS, recordings, both, told, data)
        if folders := [(truth, sha256) for truth, sha256 in some if isinstance(truth, Images)]:
            told.begin("images")
            made += _images(folders, both, told, data)
        sides = [_side(model, judge) for model, judge in both]
    return Acceptance(
        made_utc=_utc(datetime.now(UTC)),
        source=str(source),
        app=program(),
        in_use=sides[0],
        candidate=sides[1],
        parity=parity,
        rows=tuple(made),
        data=tuple(data),
        took_s=round(time.monotonic() - began_s, 1),
    )


def _stages(source: Path, some: Sequence[tuple[Recording | Images, str]]) -> tuple[str, ...]:
    first = ("export",) if is_run(source) else ()
    last = [
        name
        for name, kind in (("recordings", Recording), ("images", Images))
        if any(isinstance(truth, kind) for truth, _ in some)
    ]
    return (*first, "runtime", "parity", "latency", "demonstration", *last)


Both = Sequence[tuple[ModelFolder, Judge]]


def _named(some: Sequence[tuple[Locked, Recording | Images]]) -> list[tuple[Recording | Images, str]]:
    """What is locked and its hash; two of one name are called by their paths."""
    names = Counter(truth.name for _, truth in some)
    return [
        (truth if names[truth.name] == 1 else replace(truth, name=one.path), one.sha256)
        for one, truth in some
    ]


def _recordings(
    where: Where,
    recordings: Sequence[tuple[Recording, str]],
    both: Both,
    told: _Stages,
    data: list[DataUsed],
) -> tuple[Row, ...]:
    counts: list[dict[str, list[Share]]] = [{} for _ in both]
    for recording, sha256 in recordings:
        tell, frames = told.tick(len(both) * (recording.frames or 0), "frames"), 0
        for (model, judge), kept in zip(both, counts, strict=True):
            moments = watch(recording, judge, model.card.region, tell)
            frames = len(moments)
            for key, shares in counts_of(recording.name, moments).items():
                kept.setdefault(key, []).extend(shares)
        amount = f"{frames} frames"
        data.append(DataUsed(where=where, name=recording.name, sha256=sha256, amount=amount))
    return rows(where, counts[0], counts[1])


def _images(
    folders: Sequence[tuple[Images, str]], both: Both, told: _Stages, data: list[DataUsed]
) -> tuple[Row, ...]:
    images: list[Image] = []
    for folder, sha256 in folders:
        images += [replace(image, group=f"{folder.name}/{image.group}") for image in folder.images]
        amount = f"{len(folder.images)} images"
        data.append(DataUsed(where=Where.IMAGES, name=folder.name, sha256=sha256, amount=amount))
    counts = count_images(images, both, told.tick(len(images), "images"))
    return rows(Where.IMAGES, counts[0], counts[1])


def _side(model: ModelFolder, judge: Judge) -> Side:
    return Side(
        id=model.id,
        sha256=sha256_of(model.path / CARD),
        path=str(model.path),
        engine=describe(judge.runtime.info),
    )


def _utc(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def main(arguments: Sequence[str] | None = None) -> int:
    """0: `acceptance.json` is there, 2: the candidate, 3: the locked data cannot be used, 4: cancelled."""
    parser = argparse.ArgumentParser(prog="python -m engine.promotion.job", description=__doc__)
    parser.add_argument("run", type=Path, help="a run folder that `python main.py use` made")
    parser.add_argument("--background", action="store_true", help="at the lowest priority")
    parser.add_argument("--events", nargs="?", const="-", help="print what is told, too")
    options = parser.parse_args(arguments)
    end_with_parent()
    if options.background:
        give_way()
    try:
        with interrupt(signal.SIGINT, signal.SIGTERM) as asked:
            return _run(options.run, options.events, asked)
    except FaultError as error:
        print(error, file=sys.stderr)
        return DATA_UNUSABLE if error.code is FaultCode.DATA_SET else INPUT_UNUSABLE
    except KeyboardInterrupt:
        return CANCELLED


def _run(run: Path, events: str | None, asked: Callable[[], bool]) -> int:
    with begun(JOB, run, events=events, interrupted=asked) as job:
        acceptance = compare(run, job)
        try:
            job.event("file", path=write_acceptance(run, acceptance).name)
        except OSError as error:
            raise output_fault(run, error, MAKE_ROOM) from error
    return OK


if __name__ == "__main__":
    sys.exit(main())
