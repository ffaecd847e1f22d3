"""An export in a process of its own, as the window asks for it: staged, so that a person looks at it first.

    python -m engine.review.exports.job RUN_FOLDER

`run.json` says what is wanted; events tell how far it is, and `file` where it lies aside. An addition to a
data set has its name at once: it stays on this machine.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from engine.faults import FaultError
from engine.files.json_reader import read_json
from engine.files.whole import write_json
from engine.jobs.begun import begun
from engine.jobs.ended import CANCELLED, INPUT_UNUSABLE, OK
from engine.jobs.events import RunFolder
from engine.jobs.folder import RUN_JSON
from engine.jobs.interrupt import interrupt
from engine.jobs.process import Life, Process, end_with_parent, give_way, python
from engine.review.exports.dataset import add_to_data_set
from engine.review.exports.export import lock_of, stage
from engine.review.exports.formats import Look, Only
from engine.review.review import Review
from engine.review.store import open_folder

JOB = "export"
NICE = 10
TELL_EVERY_S = 0.2
MOST_BYTES = 1 << 16


class Wanted(BaseModel):
    """`side_car`: its folder; `range`: first and last frame, None: all. `adds`: `out` is a data set that gets
    a new version, and the rest says nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    side_car: Path
    analysis: int
    format: str
    out: Path
    only: Only
    range: tuple[int, int] | None = None
    full_frame: bool = False
    look: Look = Look.OVERLAY
    adds: bool = False


def start(wanted: Wanted, run: Path) -> Process:
    """Begin it in the run folder `run`; `ask` the process to cancel. Raises OSError."""
    write_json(run / RUN_JSON, wanted.model_dump(mode="json"))
    return Process(
        python("-m", "engine.review.exports.job", str(run)), Life.TIED, folder=run, background=True
    )


def work(wanted: Wanted, tick: Callable[[int, int], None]) -> Path:
    """Where it lies. Raises FaultError, and whatever `tick` raises."""
    with open_folder(wanted.side_car, write=False) as car:
        review = Review(car, car.analysis(wanted.analysis))
        if wanted.adds:
            return add_to_data_set(review, wanted.out, tick=tick)
        staged = stage(
            review,
            wanted.format,
            wanted.out,
            only=wanted.only,
            range_=wanted.range,
            full_frame=wanted.full_frame,
            look=wanted.look,
            tick=tick,
        )
        lock_of(staged.out).touch()  # whoever wanted it holds it; of a killed one it can be told
        return staged.folder


def main(argv: Sequence[str] | None = None) -> int:
    """0: it is there, 2: it cannot be, 4: cancelled, and nothing is there."""
    parser = argparse.ArgumentParser(prog="review-export", description="Export a side-car.")
    parser.add_argument("run", type=Path)
    run: Path = parser.parse_args(argv).run
    end_with_parent()
    give_way(NICE)
    try:
        with interrupt(signal.SIGINT, signal.SIGTERM) as asked, begun(JOB, run, interrupted=asked) as job:
            wanted = Wanted.model_validate(read_json(run / RUN_JSON, MOST_BYTES))
            job.event("file", path=str(work(wanted, _teller(job))))
    except FaultError as error:
        print(error, file=sys.stderr)
        return INPUT_UNUSABLE
    except KeyboardInterrupt:
        return CANCELLED
    return OK


def _teller(job: RunFolder) -> Callable[[int, int], None]:
    told_s = 0.0

    def tick(done: int, of: int) -> None:
        nonlocal told_s
        if job.is_cancelled():
            raise KeyboardInterrupt
        now_s = time.monotonic()
        if now_s - told_s >= TELL_EVERY_S:
            told_s = now_s
            job.event("progress", done=done, total=of, unit="pictures")

    return tick


if __name__ == "__main__":
    sys.exit(main())
