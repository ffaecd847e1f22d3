"""`python -m engine.runtime.build MODEL --runtime tensorrt`: compile a model as a job; say how near it is.

The compiler is native code that answers to nothing, so it works in a thread while this one listens: Ctrl-C, a
SIGTERM or a file `cancel` in the run folder end the process at once, and what is unfinished is removed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from engine.faults import Fault, FaultError, fault_of
from engine.files.whole import user_cache
from engine.jobs.events import RunFolder
from engine.jobs.process import end_with_parent
from engine.model_folder import ModelFolder, default_model, find_model, load_model_folder
from engine.runtime.auto.frames import stored_frames
from engine.runtime.base import BuildReport, RuntimeOptions
from engine.runtime.cache import cache_folder
from engine.table import Entry, load_named
from engine.types import Size

OK, BUG, INPUT_UNUSABLE, CANCELLED = 0, 1, 2, 4
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
    parser.add_argument("model", nargs="?", help="a model's name or folder (default: the bundled one)")
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
    if options.background and hasattr(os, "nice"):
        os.nice(19)
    try:
        model = load_model_folder(find_model(options.model) if options.model else default_model())
    except FaultError as error:
        print(error, file=sys.stderr)
        return INPUT_UNUSABLE
    folder = RunFolder(
        options.run or run_folder(model.id, options.runtime),
        (lambda line: print(line, end="", flush=True)) if options.events else None,
    )
    folder.clear_cancel()
    folder.event("start", job="build", model=model.id, runtime=options.runtime)

    def work(stage: Stage) -> BuildReport:
        build = load_named(BUILDERS, options.runtime, "runtime that is built")
        size = Size(model.card.input.width_px, model.card.input.height_px)
        frames = stored_frames(size, options.frames) if options.frames else None
        report: BuildReport = build(model, RuntimeOptions(options.precision), frames, stage)
        return report

    return Job(folder, model, options.runtime, work).run()


def run_folder(model_id: str, runtime: str) -> Path:
    """Where the builds of a model tell of themselves."""
    return user_cache() / "builds" / f"{model_id}-{runtime}"


class Job:
    """One build: the work in a thread, its events, and its end."""

    def __init__(
        self, folder: RunFolder, model: ModelFolder, runtime: str, work: Callable[[Stage], BuildReport]
    ) -> None:
        self._folder = folder
        self._model = model
        self._runtime = runtime
        self._work = work
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._report: BuildReport | None = None
        self._fault: Fault | None = None

    def run(self) -> int:
        """Returns the exit code. Where the compiler is still busy after a cancel, the process ends here."""
        began_s = time.monotonic()
        with _interrupts() as asked:
            threading.Thread(target=self._build, name="polyplive-build", daemon=True).start()
            beat_s = began_s
            while not self._ended.wait(POLL_S):
                if asked() or self._folder.is_cancelled():
                    return self._cancelled()
                if time.monotonic() - beat_s >= HEARTBEAT_S:
                    beat_s = time.monotonic()
                    self._event("heartbeat", elapsed_s=round(beat_s - began_s, 1))
        if self._fault is not None:
            self._folder.fault(self._fault)
            self._event("done", outcome="failed")
            print(self._fault.sentence, file=sys.stderr)
            return INPUT_UNUSABLE if self._fault.code != "internal" else BUG
        assert self._report is not None
        self._tell(self._report, time.monotonic() - began_s)
        return OK

    def _build(self) -> None:
        try:
            self._report = self._work(lambda name: self._event("stage", name=name))
        except Exception as error:  # the thread's edge: told by the one that listens
            self._fault = fault_of(error, "build")
        finally:
            self._ended.set()

    def _tell(self, report: BuildReport, took_s: float) -> None:
        parity = asdict(report.parity)
        self._event("metric", name="parity", precision=report.precision, **parity)
        self._event("done", outcome="ok", origin=report.origin, took_s=round(took_s, 1))
        print(
            f"{self._model.id}: {report.runtime} {report.precision}, {report.origin} in {took_s:.0f} s; on "
            f"{report.parity.images} frames max |dp| {report.parity.max_dp:.3f}, Dice between the masks "
            f"{report.parity.pooled_dice:.4f}"
        )

    def _cancelled(self) -> int:
        self._event("done", outcome="cancelled")
        print("Cancelled: nothing was kept.", file=sys.stderr, flush=True)
        for unfinished in cache_folder(self._runtime).glob(UNFINISHED.format(pid=os.getpid())):
            shutil.rmtree(unfinished, ignore_errors=True)
        sys.stdout.flush()
        os._exit(CANCELLED)  # an interpreter that ends around working native code may crash

    def _event(self, kind: str, **fields: object) -> None:
        with self._lock:
            self._folder.event(kind, **fields)


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """What this gives says whether Ctrl-C or SIGTERM has come."""
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main())
