"""Which runtime `auto` stands for on this machine once it was measured; reading it costs milliseconds."""

from __future__ import annotations

import logging
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from engine.files.json_reader import read_json
from engine.files.whole import user_cache, write_json
from engine.model_folder import ModelFolder
from engine.runtime.auto.difference import Difference
from engine.runtime.auto.parity import is_same
from engine.runtime.base import RuntimeOptions
from engine.runtime.cache import key_of
from engine.runtime.host import cpu_name, physical_cores
from engine.runtime.nvidia.gpu import Gpu, nvidia_gpus

log = logging.getLogger(__name__)

SCHEMA = 1
PACKAGES = ("openvino", "torch", "torch-tensorrt", "tensorrt")
# Faster than the usual choice by less than this is not faster: the next measurement may say otherwise.
MARGIN_FRAC = 0.05


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to execute a model, in the words of `RuntimeOptions`."""

    runtime: str
    precision: str
    threads: int = 0
    device: str = "CPU"

    def options(self, asked: RuntimeOptions) -> RuntimeOptions:
        """Asked-for options with what was measured; threads only for one stream, as they were measured."""
        threads = asked.threads or (self.threads if asked.streams == 1 else 0)
        return replace(asked, precision=self.precision, threads=threads, device=self.device)


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate measured: median and 95th percentile; `failed` says why there is nothing else.

    `executes`: the precision it came to, as the window shows it (TensorRT may keep more in float32).
    """

    candidate: Candidate
    executes: str = ""
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    parity: Difference | None = None
    failed: str = ""

    @property
    def passes(self) -> bool:
        """Whether it runs, and with the masks of the exact network."""
        return self.parity is not None and is_same(self.parity, self.executes)


@dataclass(frozen=True, slots=True)
class Choice:
    """What `auto` stands for, and the measurement behind it."""

    chosen: Candidate
    rows: tuple[Row, ...]


def fastest(rows: Sequence[Row], usual: Candidate) -> Candidate | None:
    """The fastest that passes; the usual one where nothing is clearly faster and f32 not faster at all."""
    passing = [row for row in rows if row.passes]
    if not passing:
        return None
    best = min(passing, key=lambda row: row.p50_ms)
    exact_ms = [row.p50_ms for row in passing if row.executes == "f32"]
    for row in passing:
        if (
            row.candidate == usual
            and row.p50_ms * (1.0 - MARGIN_FRAC) <= best.p50_ms
            and row.p50_ms <= min(exact_ms, default=row.p50_ms)
        ):
            return usual
    return best.candidate


def choice_facts(model: ModelFolder, gpus: Sequence[Gpu] | None = None) -> dict[str, Any]:
    """All that makes a measurement worth repeating: the model, the machine, drivers and versions."""
    found = nvidia_gpus() if gpus is None else gpus
    return {
        "schema": SCHEMA,
        "files": {name: file.sha256 for name, file in sorted(model.card.files.items())},
        "input": model.card.input.model_dump(mode="json"),
        "versions": {name: _version(name) for name in PACKAGES},
        "gpus": [asdict(gpu) for gpu in found],
        "cpu": cpu_name(),
        "cores": physical_cores(),
        "os": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def stored_choice(facts: Mapping[str, Any]) -> Choice | None:
    """What was measured under these facts; None when nothing was, or the file is not what was written."""
    try:
        values = read_json(_path(facts))
        if values["facts"] != dict(facts):
            return None
        return Choice(Candidate(**values["chosen"]), tuple(map(_row, values["rows"])))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.info("the measured choice of a runtime is unreadable (%s), it is measured again", error)
        return None


def store_choice(facts: Mapping[str, Any], choice: Choice) -> Path:
    """Keep it. Raises OSError where the cache cannot be written."""
    path = _path(facts)
    rows = [asdict(row) for row in choice.rows]
    write_json(path, {"facts": dict(facts), "chosen": asdict(choice.chosen), "rows": rows})
    return path


def forget_choice(facts: Mapping[str, Any]) -> None:
    """What was chosen does not open any more."""
    _path(facts).unlink(missing_ok=True)


def _path(facts: Mapping[str, Any]) -> Path:
    return user_cache() / "choices" / f"{key_of(facts)}.json"


def _row(values: Mapping[str, Any]) -> Row:
    parity = values["parity"]
    return Row(
        **{
            **values,
            "candidate": Candidate(**values["candidate"]),
            "parity": None if parity is None else Difference(**parity),
        }
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
