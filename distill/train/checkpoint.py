"""Checkpoints without pickle: tensors as safetensors, the rest as JSON with their hashes, written last."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from distill.train.checkpoint_files import (
    Damaged,
    State,
    read_state,
    read_tensors,
    states_of,
    tidy,
    write_state,
)
from engine.faults import FaultCode, FaultError
from engine.files.whole import write_bytes
from engine.jobs.folder import STATE

log = logging.getLogger("distill")


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
    """Save beside the checkpoint that is there, which stays as the one before.

    The new files carry the step in their names; `state.json` turns to them when they are on the disk. `best`
    keeps the averaged weights of now as the best ones. With `chosen` the best ones are what is exported,
    otherwise the newest average. Raises OSError; what was saved before is then as it was.
    """
    tag = f"{progress.step:07d}"
    newest = _newest(folder)
    if newest and newest.hashes and newest.progress == asdict(progress):
        write_state(folder, newest)  # its tensors are there already
        return
    hashes: dict[str, str] = {}

    def write(name: str, tensors: Mapping[str, Tensor]) -> str:
        data = save(contiguous(tensors))
        write_bytes(folder / name, data)
        hashes[name] = hashlib.sha256(data).hexdigest()
        return name

    try:
        for name, tensors in learners.tensors().items():
            write(f"{name}-{tag}.safetensors", tensors)
        weights = f"average-{tag}.safetensors"
        if chosen and best:
            weights = write(f"best-{tag}.safetensors", learners.average.state_dict())
        elif chosen and newest and newest.keeps_best and newest.hashes:
            weights = newest.weights
            hashes[weights] = newest.hashes[weights]  # what it was, not what it may have become
        write_state(folder, State(tag, weights, asdict(progress), hashes))
    except OSError:
        with contextlib.suppress(OSError):
            tidy(folder)  # half a checkpoint is of no use, and the disk may be full
        raise
    tidy(folder)


def load_checkpoint(folder: Path, learners: Learners, tell: Callable[[str], None] = log.warning) -> Progress:
    """Restore everything in place: the newest state, or the one before where that is damaged.

    What was damaged goes to `tell`, as a sentence; the newest state is then the one that was taken. A best
    epoch whose weights are damaged in both is forgotten: the training itself still stands. Raises FaultError
    ARGUMENT when neither can be gone on from.
    """
    troubles: list[str] = []
    for with_best in (True, False):
        for path, state in states_of(folder):
            try:
                return _taken(folder, path, state, learners, with_best, troubles, tell)
            except (Damaged, TypeError, ValueError, RuntimeError, KeyError) as error:
                troubles.append(str(error).partition("\n")[0])
    got = "; ".join(dict.fromkeys(troubles))
    raise FaultError(
        FaultCode.ARGUMENT,
        expected=f"a run with a checkpoint in {folder}",
        got=got,
        remedy="start the training again without --resume",
        said=f"No checkpoint in {folder} can be gone on from ({got}): put the files back from a copy, "
        "or start the training again in another folder.",
    )


def _taken(
    folder: Path,
    path: Path,
    state: State | Damaged,
    learners: Learners,
    with_best: bool,
    troubles: list[str],
    tell: Callable[[str], None],
) -> Progress:
    if isinstance(state, Damaged):
        raise state
    read = {name: read_tensors(folder, state.file_of(name), state) for name in learners.tensors()}
    progress = Progress(**state.progress)
    if state.keeps_best and with_best:
        read_tensors(folder, state.weights, state)
    elif state.keeps_best:
        progress = replace(progress, best=-1.0, best_epoch=-1, lowest_loss=None)
        hashes = {name: value for name, value in state.hashes.items() if name != state.weights}
        state = State(state.files, state.file_of("average"), asdict(progress), hashes)
    learners.model.load_state_dict(read["model"])
    learners.average.load_state_dict(read["average"])
    if learners.distiller is not None:
        learners.distiller.load_state_dict(read["distiller"])
    _restore(learners.optimiser, read["optimiser"])
    if troubles:
        what = f"going on from step {progress.step}" + ("" if with_best else ", without a best epoch so far")
        tell(f"A checkpoint in {folder} is damaged ({troubles[0]}): {what}.")
        (folder / STATE).unlink(missing_ok=True)  # or the damaged one became the one before
        write_state(folder, state)
    return progress


def averaged_weights(folder: Path) -> tuple[dict[str, Tensor], State]:
    """What is exported, of the newest state whose file is whole; a damaged one is told. Raises Damaged."""
    troubles: list[Damaged] = []
    for _, state in states_of(folder):
        try:
            if isinstance(state, Damaged):
                raise state
            found = read_tensors(folder, state.weights, state)
        except Damaged as damaged:
            troubles.append(damaged)
            continue
        if troubles:
            log.warning("The newest checkpoint is damaged (%s): the one before is taken.", troubles[0])
        return found, state
    raise troubles[0]


def _newest(folder: Path) -> State | None:
    try:
        return read_state(folder / STATE)
    except Damaged:
        return None


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
