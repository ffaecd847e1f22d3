"""Checkpoints without pickle: tensors as safetensors, the rest as JSON, written last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.optim import Optimizer

from engine.faults import FaultCode, FaultError
from engine.files import write_bytes, write_json

STATE = "state.json"


@dataclass(frozen=True, slots=True)
class Progress:
    """`step` steps are done; `best` is the best validation Dice so far, at `best_epoch`."""

    step: int
    best: float
    best_epoch: int


def save_checkpoint(
    folder: Path, model: nn.Module, average: nn.Module, optimiser: Optimizer, progress: Progress
) -> None:
    """Replace the checkpoint. The new files carry the step in their names; `state.json` turns to them."""
    tag = f"{progress.step:07d}"
    for name, tensors in (
        ("model", model.state_dict()),
        ("average", average.state_dict()),
        ("optimiser", _flat(optimiser)),
    ):
        write_bytes(folder / f"{name}-{tag}.safetensors", save(contiguous(tensors)))
    write_json(
        folder / STATE,
        {
            "schema": 1,
            "step": progress.step,
            "best": progress.best,
            "best_epoch": progress.best_epoch,
            "files": tag,
        },
    )
    for old in folder.glob("*-*.safetensors"):
        if not old.stem.endswith(tag):
            old.unlink()


def load_checkpoint(folder: Path, model: nn.Module, average: nn.Module, optimiser: Optimizer) -> Progress:
    """Restore all three in place. Raises FaultError ARGUMENT when there is no whole checkpoint."""
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        read = {
            name: load((folder / f"{name}-{state['files']}.safetensors").read_bytes())
            for name in ("model", "average", "optimiser")
        }
    except (OSError, ValueError, KeyError) as error:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a run with a checkpoint in {folder}",
            got=f"{type(error).__name__}: {error}",
            remedy="start the training again without --resume",
        ) from error
    model.load_state_dict(read["model"])
    average.load_state_dict(read["average"])
    _restore(optimiser, read["optimiser"])
    return Progress(step=state["step"], best=state["best"], best_epoch=state["best_epoch"])


def contiguous(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """safetensors refuses channels-last memory."""
    return {name: tensor.contiguous() for name, tensor in tensors.items()}


def _flat(optimiser: Optimizer) -> dict[str, Tensor]:
    state = optimiser.state_dict()["state"]
    return {f"{index}.{key}": value for index, slots in state.items() for key, value in slots.items()}


def _restore(optimiser: Optimizer, flat: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in flat.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """average <- decay * average + (1 - decay) * model, running statistics included; counters are copied."""
    with torch.no_grad():
        for old, new in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
            if old.is_floating_point():
                old.lerp_(new, 1 - decay)
            else:
                old.copy_(new)
