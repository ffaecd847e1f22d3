"""Checkpoints without pickle: tensors as safetensors, the rest as JSON, written last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.optim import Optimizer

from engine.faults import FaultCode, FaultError
from engine.files import write_bytes, write_json

STATE = "state.json"
SCHEMA = 2


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands, next to the tensors. Batches, views and dropout follow from `step` alone.

    `step` steps are done; `best` is the best validation Dice so far, at `best_epoch`. `lowest_loss` is the
    lowest mean training loss of an epoch and `epoch_loss` the sum over the steps of the epoch in hand.
    `share_scale` is the factor of the feature terms, None before it was measured; `loss_scale` that of fp16
    and `loss_scale_steps` the steps since it last changed.
    """

    step: int = 0
    best: float = -1.0
    best_epoch: int = -1
    lowest_loss: float | None = None
    epoch_loss: float = 0.0
    share_scale: float | None = None
    loss_scale: float | None = None
    loss_scale_steps: int = 0


@dataclass(frozen=True, slots=True)
class Learners:
    """Everything whose tensors a checkpoint holds; restored in place."""

    model: nn.Module
    average: nn.Module
    optimiser: Optimizer
    distiller: nn.Module | None = None

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        found = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": _flat(self.optimiser),
        }
        return found | ({"distiller": self.distiller.state_dict()} if self.distiller is not None else {})


def save_checkpoint(
    folder: Path, learners: Learners, progress: Progress, best: bool = False, chosen: bool = False
) -> None:
    """Replace the checkpoint. The new files carry the step in their names; `state.json` turns to them.

    `best` keeps the averaged weights of now as the best ones. With `chosen` the best ones are what is
    exported, otherwise the newest average.
    """
    tag = f"{progress.step:07d}"
    kept = _weights_of(folder) if chosen else None
    weights = f"average-{tag}.safetensors" if not chosen or kept is None else kept
    for name, tensors in learners.tensors().items():
        write_bytes(folder / f"{name}-{tag}.safetensors", save(contiguous(tensors)))
    if best and chosen:
        weights = f"best-{tag}.safetensors"
        write_bytes(folder / weights, save(contiguous(learners.average.state_dict())))
    write_json(
        folder / STATE, {"schema": SCHEMA, "files": tag, "weights": weights, "progress": asdict(progress)}
    )
    for old in folder.glob("*-*.safetensors"):
        if not old.stem.endswith(tag) and old.name != weights:
            old.unlink()


def load_checkpoint(folder: Path, learners: Learners) -> Progress:
    """Restore everything in place. Raises FaultError ARGUMENT when there is no whole checkpoint."""
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        progress = Progress(**state["progress"])
        read = {
            name: load((folder / f"{name}-{state['files']}.safetensors").read_bytes())
            for name in learners.tensors()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a run with a checkpoint in {folder}",
            got=f"{type(error).__name__}: {error}",
            remedy="start the training again without --resume",
        ) from error
    learners.model.load_state_dict(read["model"])
    learners.average.load_state_dict(read["average"])
    if learners.distiller is not None:
        learners.distiller.load_state_dict(read["distiller"])
    _restore(learners.optimiser, read["optimiser"])
    return progress


def _weights_of(folder: Path) -> str | None:
    """The best weights that are kept, by name."""
    state = folder / STATE
    if not state.is_file():
        return None
    name = str(json.loads(state.read_text(encoding="utf-8")).get("weights", ""))
    return name if name.startswith("best-") and (folder / name).is_file() else None


def contiguous(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """safetensors refuses channels-last memory and tensors that share theirs."""
    return {name: tensor.contiguous().clone() for name, tensor in tensors.items()}


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
