"""Tensors of a file by their names, never anything that runs: safetensors, or a torch file of tensors."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from engine.faults import FaultCode, FaultError

WRAPPERS = ("model", "state_dict", "model_state_dict")  # keys under which trainers keep the tensors


def read_tensors(path: Path) -> dict[str, Tensor]:
    """On the CPU. Raises FaultError MODEL_MISSING (no such file), MODEL_LOAD (it holds something else)."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise FaultError(
            FaultCode.MODEL_MISSING,
            expected="a file with weights",
            got=f"no file {path}",
            remedy="correct its name",
        )
    try:
        stored = (
            load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
        )
    except pickle.UnpicklingError as error:  # torch's own words tell how to run it all the same
        raise _other(path, "objects whose code would have to be run") from error
    except (SafetensorError, RuntimeError, EOFError, ValueError) as error:
        raise _other(path, str(error).partition("\n")[0]) from error
    for wrapper in WRAPPERS:
        inner = stored.get(wrapper) if isinstance(stored, Mapping) else None
        stored = inner if isinstance(inner, Mapping) else stored
    if not isinstance(stored, Mapping):
        raise _other(path, f"a {type(stored).__name__}")
    return {name: value for name, value in stored.items() if isinstance(value, Tensor)}


def _other(path: Path, got: str) -> FaultError:
    return FaultError(
        FaultCode.MODEL_LOAD,
        expected=f"{path.name} to be a safetensors file, or a torch file that holds tensors only",
        got=got,
        remedy="download it again, or convert it to safetensors",
    )
