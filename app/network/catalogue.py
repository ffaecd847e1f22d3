"""What the side panel offers, read in a thread: model folders and runtimes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.types import OperatingPoint


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model folder that can be chosen: its operating points by preset name, and their figures.

    `worst`: the set in which each preset does worst, with its figures there.
    """

    path: Path
    id: str
    presets: Mapping[str, OperatingPoint]
    measured: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    worst: Mapping[str, tuple[str, Mapping[str, float]]] = field(default_factory=dict)
    has_int8: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """What cannot run here, by runtime and with its reason; OpenVINO's devices with their capabilities."""

    reasons: Mapping[str, str]
    devices: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`chosen` is the folder to start with."""

    models: tuple[ModelChoice, ...]
    runtimes: tuple[str, ...]
    chosen: Path


def read_catalogue(model: str | None) -> Catalogue:
    """All model folders that can be read, the runtimes, and `model` (None: the one in use).

    Raises FaultError MODEL_MISSING or MODEL_SCHEMA when the one to start with cannot be used.
    """
    from engine.model_folder import bundled_models, user_models
    from engine.model_in_use import named_or_in_use
    from engine.runtime import RUNTIMES

    chosen = named_or_in_use(model)
    paths = dict.fromkeys((chosen, *bundled_models(), *user_models()))
    return Catalogue(tuple(_choices([*paths], chosen)), tuple(RUNTIMES), chosen)


def model_choice(path: Path) -> ModelChoice:
    """One folder as a choice. Raises FaultError MODEL_MISSING or MODEL_SCHEMA."""
    from engine.model_card import INT8_XML
    from engine.model_folder import read_card

    card = read_card(path)
    measured = {name: preset.measured for name, preset in card.presets.items()}
    worst = {
        name: (preset.worst_set, preset.by_set[preset.worst_set])
        for name, preset in card.presets.items()
        if preset.worst_set in preset.by_set
    }
    return ModelChoice(path, card.id, card.points, measured, worst, INT8_XML in card.files)


def name_of(folder: Path) -> str:
    """What finds this folder again at the next start: a bundled model by its name, others by their place."""
    from engine.model_folder import bundled_models

    return folder.name if folder in bundled_models() else str(folder.absolute())


def _choices(paths: list[Path], chosen: Path) -> list[ModelChoice]:
    from engine.faults import FaultError

    choices = []
    for path in paths:
        try:
            choices.append(model_choice(path))
        except FaultError:
            # A broken folder beside good ones is not offered; the one that was asked for is told.
            if path == chosen:
                raise
    return sorted(choices, key=lambda choice: choice.id)


def read_machine() -> Machine:
    """What can run a network here; asks OpenVINO, which takes a moment."""
    from engine.faults import FaultError
    from engine.runtime import RUNTIMES
    from engine.runtime.order import missing
    from engine.table import Entry, load

    reasons = {name: missing(name) for name in RUNTIMES}
    devices: dict[str, tuple[str, ...]] = {}
    if not reasons["openvino"]:
        try:
            devices = load(Entry("engine.runtime.openvino:devices"))()
        except FaultError as error:
            reasons["openvino"] = str(error)
    return Machine(reasons, devices)
