"""The two newest states of a checkpoint folder: what each file was, by its hash.

A state is `state.json` (the newest) or `state-before.json`. It names its tensor files with their sha256 and
ends with the sha256 of its own words: a flipped bit anywhere is seen before anything is taken from it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from engine.files.json_reader import read_json
from engine.files.whole import write_bytes, write_json
from engine.jobs.folder import BEFORE, STATE

SCHEMA = 3
UNHASHED = 2  # the schema of runs from before files were hashed


class Damaged(Exception):
    """A file of a checkpoint is not what was saved; the words name it."""


@dataclass(frozen=True, slots=True)
class State:
    """`files` ends the names of the tensor files: NAME-FILES.safetensors. `weights` is the file to export.

    `hashes` by name; empty in a state from before files were hashed.
    """

    files: str
    weights: str
    progress: dict[str, Any]
    hashes: dict[str, str] = field(default_factory=dict)

    def file_of(self, name: str) -> str:
        return f"{name}-{self.files}.safetensors"

    @property
    def keeps_best(self) -> bool:
        return self.weights.startswith("best-")

    @property
    def names(self) -> set[str]:
        return {*self.hashes, self.weights}


def read_state(path: Path) -> State:
    """Raises Damaged."""
    try:
        told = read_json(path)
        own = told.pop("sha256", None)
        hashes = told.get("hashes", {})
        if told["schema"] not in (SCHEMA, UNHASHED) or (
            told["schema"] == SCHEMA and (own != _hash_of(told) or not hashes)
        ):
            raise Damaged(f"{path.name} is not what was saved")
        return State(told["files"], told["weights"], told["progress"], hashes)
    except FileNotFoundError as error:
        raise Damaged(f"{path.name} is missing") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Damaged(f"{path.name} cannot be read ({type(error).__name__})") from error


def write_state(folder: Path, state: State) -> None:
    """As the newest; the one that was becomes the one before, unless it is of the same step."""
    try:
        if read_state(folder / STATE).files != state.files:
            write_bytes(folder / BEFORE, (folder / STATE).read_bytes())
    except Damaged:
        pass  # the one before stays
    told: dict[str, Any] = {
        "schema": SCHEMA if state.hashes else UNHASHED,
        "files": state.files,
        "weights": state.weights,
        "hashes": state.hashes,
        "progress": state.progress,
    }
    write_json(folder / STATE, told | {"sha256": _hash_of(told)})


def states_of(folder: Path) -> Iterator[tuple[Path, State | Damaged]]:
    """The newest first."""
    for name in (STATE, BEFORE):
        path = folder / name
        try:
            yield path, read_state(path)
        except Damaged as damaged:
            yield path, damaged


def read_tensors(folder: Path, name: str, state: State) -> dict[str, Tensor]:
    """A file of the state, whole. Raises Damaged."""
    try:
        data = (folder / name).read_bytes()
        if state.hashes and hashlib.sha256(data).hexdigest() != state.hashes.get(name):
            raise Damaged(f"{name} is not what was saved")
        return load(data)
    except FileNotFoundError as error:
        raise Damaged(f"{name} is missing") from error
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise Damaged(f"{name} cannot be read ({type(error).__name__})") from error


def tidy(folder: Path) -> None:
    """Remove what neither state names, and what a killed process left half written."""
    kept: set[str] = set()
    for path, state in states_of(folder):
        if isinstance(state, Damaged):
            if path.is_file():  # its files may still be of use to somebody who looks
                return
        else:
            kept |= {*state.names, *(found.name for found in folder.glob(f"*-{state.files}.safetensors"))}
    for old in (*folder.glob("*-*.safetensors"), *folder.glob(".*.part")):
        if old.name not in kept:
            old.unlink(missing_ok=True)


def _hash_of(told: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
