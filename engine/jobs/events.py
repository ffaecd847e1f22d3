"""What a job tells: a line of `events.jsonl` an event, of the kinds in KINDS (docs/adr/0021).

Jobs are processes that write a run folder; the folder is the only channel (docs/adr/0005).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from engine.faults import Fault
from engine.files.whole import append_json_line, json_line
from engine.jobs.folder import CANCEL, EVENTS

VERSION = 1
LAST_BYTES = 1 << 16  # the last event of a file is in them

Echo = Callable[[str], object]


class Event(BaseModel):
    """What every line has. An event of a kind that this version does not know is an Event and no more;
    what a newer version tells beside the fields of its kind is in `model_extra`.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    momentary: ClassVar[bool] = False  # counts only while it is the newest one
    crowded: ClassVar[bool] = False  # may come by the million: points of a curve

    number: int = Field(alias="n")  # of the lines of a run, from 1; a resumed one goes on
    at_s: float = Field(alias="t")  # unix time; may go back where the clock was set
    version: int = Field(alias="v", default=VERSION)
    kind: str


class Start(Event):
    """The first of a run, and the first after it was resumed; `model` and `runtime` are of a build."""

    kind: Literal["start"]
    job: str
    run_id: str | None = None
    resumed_from: str | None = None
    model: str | None = None
    runtime: str | None = None


class Data(Event):
    """How many images a training has, or a part of it."""

    kind: Literal["data"]
    images: int | None = None
    train: int | None = None
    validation: int | None = None
    hard_negatives: int | None = None
    part: str | None = None
    labelled: int | None = None
    unlabelled: int | None = None


class Stage(Event):
    """Number `i` (from 0) of `of` has begun."""

    kind: Literal["stage"]
    name: str
    i: int | None = None
    of: int | None = None
    phase: str | None = None


class Epoch(Event):
    """Figures of an epoch (from 0); `dice` on the validation images, by task where there are several."""

    kind: Literal["epoch"]
    epoch: int
    losses: dict[str, float]
    step: int | None = None
    phase: str | None = None
    dice: float | dict[str, float] | None = None
    lr: float | None = None
    share_scale: float | None = None
    teachers: dict[str, float] = {}
    teachers_validation: dict[str, float] = {}
    eta_s: float | None = None
    gpu_mb: int | None = None
    part: str | None = None


class Sample(Event):
    """A contact sheet was written; `png` is its place in the run folder."""

    kind: Literal["sample"]
    png: str
    epoch: int


class Checkpoint(Event):
    """From here the run can go on. `best`: its weights are the best ones so far."""

    kind: Literal["checkpoint"]
    step: int
    best: bool | None = None
    part: str | None = None


class Metric(Event):
    """One figure by its name, or what a build's masks are apart from the exact ones (`parity`)."""

    crowded = True

    kind: Literal["metric"]
    name: str | None = None
    value: float | None = None
    split: str | None = None
    step: int | None = None
    epoch: int | None = None
    loss: float | None = None
    precision: str | None = None
    max_dp: float | None = None
    mask_dice: float | None = None
    images: int | None = None
    pooled_dice: float | None = None


class Progress(Event):
    """`done` of `total` units."""

    momentary = True

    kind: Literal["progress"]
    done: int
    total: int
    unit: str | None = None
    eta_s: float | None = None


class Heartbeat(Event):
    """The job is alive; at least every 2 s where it has nothing else to tell."""

    momentary = True

    kind: Literal["heartbeat"]
    done: int | None = None
    total: int | None = None
    unit: str | None = None
    eta_s: float | None = None
    elapsed_s: float | None = None
    part: str | None = None


class File(Event):
    """Something was written; a path inside the run folder, or as the user named it."""

    kind: Literal["file"]
    path: str
    images: int | None = None


class Warn(Event):
    """A sentence for the user; the job goes on."""

    kind: Literal["warn"]
    text: str


class Stop(Event):
    """A training ends before its last step, as it was asked to."""

    kind: Literal["stop"]
    step: int
    of: int


class Memory(Event):
    """What a training would need; None: nobody can tell here."""

    kind: Literal["memory"]
    fixed_mib: float
    image_mib: float
    free_mib: float | None
    largest_batch: int | None


class Failed(Event):
    """A fault (engine.faults): `said` is the sentence for the user. The job ends after it."""

    kind: Literal["fault"]
    code: str
    expected: str
    got: str
    remedy: str
    said: str


class Done(Event):
    """The last one, however the job ended; `origin` and `took_s` are of a build."""

    kind: Literal["done"]
    outcome: Literal["ok", "cancelled", "failed"]
    origin: str | None = None
    took_s: float | None = None


Told = (
    Start
    | Data
    | Stage
    | Epoch
    | Sample
    | Checkpoint
    | Metric
    | Progress
    | Heartbeat
    | File
    | Warn
    | Stop
    | Memory
    | Failed
    | Done
)
KINDS: Mapping[str, type[Event]] = {
    kind.model_fields["kind"].annotation.__args__[0]: kind for kind in Told.__args__
}
_TOLD: TypeAdapter[Event] = TypeAdapter(Annotated[Told, Field(discriminator="kind")])


def event_of(line: bytes | str) -> Event | None:
    """The event of a line. None for a line that holds none: torn, or not of this file.

    A kind of a newer version, or a known one with fields that do not fit, is an Event of no kind.
    """
    for shape in (_TOLD.validate_json, Event.model_validate_json):
        try:
            return shape(line)
        except ValidationError:
            continue
    return None


def schema_errors(line: bytes | str) -> list[str]:
    """What in a line is not of KINDS; nothing in any that this version writes."""
    try:
        event = _TOLD.validate_json(line)
    except ValidationError as error:
        return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
    return [f"{event.kind}.{name} is not a field of it" for name in event.model_extra or {}]


class RunFolder:
    """Writes `events.jsonl`: {"v", "n", "t" (unix seconds), "kind", ...} a line, numbered on after a resume.

    `echo` gets every line as well (`--events` prints it). Cancelling is a file named `cancel` in the folder,
    or whatever `interrupted` says. Any thread may tell an event.
    """

    def __init__(
        self, path: Path, echo: Echo | None = None, interrupted: Callable[[], bool] = lambda: False
    ) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.is_done = False  # `done` has been told
        self._events = path / EVENTS
        self._echo = echo
        self._interrupted = interrupted
        self._lock = threading.Lock()
        self._number = _last_line_number(self._events)

    def event(self, kind: str, **fields: Any) -> None:
        """Tell an event of KINDS."""
        with self._lock:
            self._number += 1
            line = {"v": VERSION, "n": self._number, "t": round(time.time(), 3), "kind": kind, **fields}
            append_json_line(self._events, line)
            self.is_done = self.is_done or kind == "done"
            if self._echo:
                self._echo(json_line(line))

    def fault(self, fault: Fault) -> None:
        self.event(
            "fault",
            code=fault.code,
            expected=fault.expected,
            got=fault.got,
            remedy=fault.remedy,
            said=fault.sentence,
        )

    def is_cancelled(self) -> bool:
        return self._interrupted() or (self.path / CANCEL).exists()

    def clear_cancel(self) -> None:
        """A resumed job starts without the old wish to stop."""
        (self.path / CANCEL).unlink(missing_ok=True)


def _last_line_number(events: Path) -> int:
    """Ends a torn last line, so that the next event starts on its own; that one has a number, too."""
    if not events.exists():
        return 0
    with events.open("r+b") as stream:
        begin = max(0, stream.seek(0, os.SEEK_END) - LAST_BYTES)
        stream.seek(begin)
        end = stream.read()
        if end and not end.endswith(b"\n"):
            stream.write(b"\n")
        for back, line in enumerate(reversed(end.splitlines())):
            if (event := event_of(line)) is not None:
                return event.number + back
        stream.seek(0)
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(LAST_BYTES), b""))
