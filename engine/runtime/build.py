"""`python -m engine.runtime.build MODEL --runtime tensorrt`: compile a model as a job; say how near it is.

The compiler is native code that answers to nothing, so it works in a thread while this one listens: Ctrl-C, a
SIGTERM or a file `cancel` in the run folder end the process at once, and what is unfinished is removed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from queue import Empty, Queue
from typing import NoReturn

from engine.faults import FaultError, fault_of
from engine.files.whole import user_cache
from engine.jobs.begun import begun
from engine.jobs.ended import BUG, CANCELLED, INPUT_UNUSABLE, OK
from engine.jobs.events import RunFolder
from engine.jobs.interrupt import interrupt
from engine.jobs.process import end_with_parent, give_way
from engine.model_folder import load_model_folder
from engine.model_in_use import named_or_in_use
from engine.runtime.auto.frames import stored_frames
from engine.runtime.base import BuildReport, RuntimeOptions
from engine.runtime.cache import cache_folder
from engine.table import Entry, load_named
from engine.types import Size

POLL_S = 0.1
HEARTBEAT_S = 2.0
UNFINISHED = ".building-{pid}-*"  # as engine.runtime.nvidia.trt_build names them; that one needs torch

# build(model, options, frames or None, stage) -> BuildReport
BUILDERS: Mapping[str, Entry] = {
    "tensorrt": Entry("engine.runtime.nvidia.tensorrt:build", extra="tensorrt"),
}

Stage = Callable[[str], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job. 0: built (or there already), 2: it cannot be built here, 4: cancelled."""
    parser = argparse.ArgumentParser(prog="python -m engine.runtime.build", description=__doc__)
    parser.add_argument("model", nargs="?", help="a model's name or folder (default: the one in use)")
    parser.add_argument("--runtime", choices=tuple(BUILDERS), default="tensorrt")
    parser.add_argument("--precision", default="auto", help="auto (default), f16, f32")
    parser.add_argument(
        "--frames", type=Path, metavar="FOLDER", help="pictures to compare masks on (default: demonstration)"
    )
    parser.add_argument("--run", type=Path, metavar="FOLDER", help="where the job writes events.jsonl")
    parser.add_argument("--events", action="store_true", help="also print the events, a JSON object a line")
    parser.add_argument("--background", action="store_true", help="at the lowest priority")
    options = parser.parse_args(arguments)
    end_with_parent()
    if options.background:
        give_way()
    try:
        model = load_model_folder(named_or_in_use(options.model))
    except FaultError as error:
        print(error, file=sys.stderr)
        return INPUT_UNUSABLE

    def work(stage: Stage) -> BuildReport:
        build = load_named(BUILDERS, options.runtime, "runtime that is built")
        size = Size(model.card.input.width_px, model.card.input.height_px)
        frames = stored_frames(size, options.frames) if options.frames else None
        report: BuildReport = build(model, RuntimeOptions(options.precision), frames, stage)
        return report

    run = options.run or run_folder(model.id, options.runtime)
    echo = "-" if options.events else None
    told = {"model": model.id, "runtime": options.runtime}
    began_s = time.monotonic()
    try:
        with begun("build", run, events=echo, alone=False, **told) as folder:  # two windows may share it
            report = _built(folder, options.runtime, work)
            took_s = time.monotonic() - began_s
            parity = asdict(report.parity)
            folder.event("metric", name="parity", precision=report.precision, **parity)
            folder.event("done", outcome="ok", origin=report.origin, took_s=round(took_s, 1))
    except FaultError as error:
        print(error, file=sys.stderr)
        return INPUT_UNUSABLE
    except Exception as error:
        print(fault_of(error, "build").sentence, file=sys.stderr)
        return BUG
    print(
        f"{model.id}: {report.runtime} {report.precision}, {report.origin} in {took_s:.0f} s; on "
        f"{report.parity.images} frames max |dp| {report.parity.max_dp:.3f}, Dice between the masks "
        f"{report.parity.pooled_dice:.4f}"
    )
    return OK


def run_folder(model_id: str, runtime: str) -> Path:
    """Where the builds of a model tell of themselves."""
    return user_cache() / "builds" / f"{model_id}-{runtime}"


def _built(folder: RunFolder, runtime: str, work: Callable[[Stage], BuildReport]) -> BuildReport:
    """The work in a thread, and signs of life. Raises what the work raised.

    Cancelled while the compiler is still busy, the process ends here.
    """
    ended: Queue[BuildReport | Exception] = Queue()

    def build() -> None:
        try:
            ended.put(work(lambda name: folder.event("stage", name=name)))
        except Exception as error:  # the thread's edge: raised again by the one that listens
            ended.put(error)

    began_s = beat_s = time.monotonic()
    with interrupt(signal.SIGINT, signal.SIGTERM) as asked:
        threading.Thread(target=build, name="polyplive-build", daemon=True).start()
        try:
            while not (asked() or folder.is_cancelled()):
                with contextlib.suppress(Empty):
                    answer = ended.get(timeout=POLL_S)
                    break
                if time.monotonic() - beat_s >= HEARTBEAT_S:
                    beat_s = time.monotonic()
                    folder.event("heartbeat", elapsed_s=round(beat_s - began_s, 1))
            else:
                raise KeyboardInterrupt
        except KeyboardInterrupt:  # a second Ctrl-C comes by itself
            _end_cancelled(folder, runtime)
    if isinstance(answer, Exception):
        raise answer
    return answer


def _end_cancelled(folder: RunFolder, runtime: str) -> NoReturn:
    folder.event("done", outcome="cancelled")
    print("Cancelled: nothing was kept.", file=sys.stderr, flush=True)
    for unfinished in cache_folder(runtime).glob(UNFINISHED.format(pid=os.getpid())):
        shutil.rmtree(unfinished, ignore_errors=True)
    sys.stdout.flush()
    os._exit(CANCELLED)  # an interpreter that ends around working native code may crash


if __name__ == "__main__":
    sys.exit(main())
