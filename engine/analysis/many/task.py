"""The work on one recording, as any process on any machine does it: from an order to its result."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from engine.analysis.one import analyse
from engine.faults import Fault, FaultCode, FaultError, fault_of
from engine.model_card import STANDARD
from engine.model_folder import ModelFolder, find_model, load_model_folder
from engine.runtime import open_runtime
from engine.runtime.base import RuntimeOptions
from engine.runtime.host import MOST_THREADS, physical_cores
from engine.sources import parse_source
from engine.sources.file.decode_choice import SOFTWARE
from engine.types import Region

RESULTS_FOLDER = "results"
PROGRESS = "progress"  # how many frames of how many, and who is at it
TELL_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """How every recording of a run is analysed. `model`: a name or folder that all machines know, `digest`
    tells that it is the same there; the others are `analyse`'s.
    """

    model: str
    digest: str
    threshold: float | None
    overlay: str | None
    runtime: str
    precision: str
    decode: str = SOFTWARE
    preset: str = STANDARD
    region: Region | None = None

    @property
    def asked(self) -> str:
        """One short word for all of it. The model's place does not count, only what it is."""
        values = [self.digest, self.threshold, self.overlay, self.runtime, self.precision, self.decode]
        if (self.preset, self.region) != (STANDARD, None):  # runs begun before there were others go on
            values += [self.preset, self.region]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Order:
    """One recording to be analysed into a new folder inside `work`, which all machines see under that path.

    `number` is the recording's in this run; `sharers`: how many such tasks share a machine's cores.
    """

    number: int
    source: str
    work: str
    options: Options
    sharers: int


@dataclass(frozen=True, slots=True)
class OrderResult:
    """`results`: the folder with the whole results, to be moved to its place by the one who gave the order;
    empty when `fault` says why there are none. `lost`: whoever was at it is gone, without a word.
    """

    number: int
    results: str = ""
    fault: str = ""
    lost: bool = False
    seconds: float = 0.0
    host: str = ""


class Withdrawn(Exception):
    """The folder of an attempt is gone: nobody waits for its results any more."""


def analyse_one(order: Order) -> OrderResult:
    """Analyse one recording. Never raises: what goes wrong with it is in the result.

    Nothing is written outside a folder of this attempt's own, so that one who was thought lost, and is not,
    does no harm; when that folder is removed, the attempt ends.
    """
    began_s = time.monotonic()
    attempt: Path | None = None
    fault = ""
    try:
        attempt = _new_attempt(order)
        analyse(
            parse_source(order.source),
            attempt / RESULTS_FOLDER,
            model=_model(order.options),
            preset=order.options.preset,
            threshold=order.options.threshold,
            runtime=order.options.runtime,
            precision=order.options.precision,
            overlay=order.options.overlay,
            decode=order.options.decode,
            region=order.options.region,
            threads=threads_of(order.sharers),
            progress=Heartbeat(attempt / PROGRESS),
        )
    except Withdrawn:
        fault = "withdrawn"
    except Exception as error:  # the task's edge: whatever it is, the others go on
        fault = fault_of(error, "analysis").sentence
    if fault and attempt:
        shutil.rmtree(attempt, ignore_errors=True)
    return OrderResult(
        order.number,
        results="" if fault or attempt is None else str(attempt / RESULTS_FOLDER),
        fault=fault,
        seconds=round(time.monotonic() - began_s, 2),
        host=socket.gethostname(),
    )


def check(order: Order) -> Fault | None:
    """What stands in the way of such orders here, None if nothing does.

    Compiles the model, so that the workers of a machine find it in the cache.
    """
    try:
        _look_for(Path(order.work))
        model, options = _model(order.options), order.options
        with closing(open_runtime(options.runtime, model, RuntimeOptions(options.precision))):
            return None
    except Exception as error:  # as in analyse_one
        return fault_of(error, "worker")


class Heartbeat:
    """Writes how far an analysis is, now and then. Raises Withdrawn when its folder is gone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next_s = 0.0

    def __call__(self, done: int, total: int | None) -> None:
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + TELL_EVERY_S
        try:
            self._path.write_text(f"{done} {total or '?'} {socket.gethostname()} {os.getpid()}\n")
        except OSError as error:
            if not self._path.parent.is_dir():  # a full disk is told by what is to be written
                raise Withdrawn from error


def frames_so_far(work: Path) -> dict[int, int]:
    """Frames done of the orders under way, by their number; the furthest of several attempts."""
    frames: dict[int, int] = {}
    for path in work.glob(f"*/{PROGRESS}"):
        try:
            number, done = int(path.parent.name.partition("-")[0]), int(path.read_text().split()[0])
        except (OSError, ValueError, IndexError):  # being written, or gone just now
            continue
        frames[number] = max(done, frames.get(number, 0))
    return frames


def remove_attempts(work: Path, number: int) -> None:
    """Remove all that was begun for an order; whoever is still at it stops."""
    for attempt in work.glob(f"{number}-*"):
        shutil.rmtree(attempt, ignore_errors=True)


def threads_of(sharers: int) -> int:
    """A worker's part of the physical cores."""
    return max(1, min(physical_cores() // max(1, sharers), MOST_THREADS))


def digest_of(model: ModelFolder) -> str:
    """Tells whether two model folders are the same: everything in `model.json`, the files' hashes with it."""
    return hashlib.sha256(model.card.model_dump_json(by_alias=True).encode()).hexdigest()


def _new_attempt(order: Order) -> Path:
    work = Path(order.work)
    _look_for(work)
    return Path(tempfile.mkdtemp(prefix=f"{order.number}-", dir=work))


def _look_for(work: Path) -> None:
    if not work.is_dir():
        raise FaultError(
            FaultCode.OUTPUT,
            expected=f"the output folder {work.parent} on {socket.gethostname()}",
            got="nothing there",
            remedy="share it with every machine under the same path",
        )


def _model(options: Options) -> ModelFolder:
    model = load_model_folder(find_model(options.model))
    if digest_of(model) != options.digest:
        raise FaultError(
            FaultCode.MODEL_HASH,
            expected=f"{model.id} on {socket.gethostname()} to be the model that was asked for",
            got="another one of that name",
            remedy="install the same version on every machine, or name a folder that all of them see",
        )
    return model
