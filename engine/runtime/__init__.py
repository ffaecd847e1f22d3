"""RUNTIMES: what executes a student. To add one: a module with `open(model, options)`, and its line here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec

from engine.faults import FaultError
from engine.model_folder import ModelFolder
from engine.runtime.auto.choice import Choice, choice_facts, forget_choice, stored_choice
from engine.runtime.base import Runtime, RuntimeOptions
from engine.table import Entry, load_named
from engine.table import choose as entry_of  # `choose` is a module here

log = logging.getLogger(__name__)

AUTO = "auto"
GPU_RUNTIMES = frozenset({"tensorrt", "cuda"})  # compute on an NVIDIA GPU or not at all

RUNTIMES: Mapping[str, Entry] = {
    "openvino": Entry("engine.runtime.openvino:open", summary="CPU; f32, bf16, int8"),
    "tensorrt": Entry(
        "engine.runtime.nvidia.tensorrt:open", extra="tensorrt", summary="NVIDIA GPU, compiled; f16, f32"
    ),
    "cuda": Entry("engine.runtime.nvidia.cuda:open", extra="torch", summary="NVIDIA GPU; f16, bf16, f32"),
    "eager": Entry(
        "engine.runtime.eager:open", extra="torch", summary="PyTorch as trained; CPU, CUDA or MPS"
    ),
}


def open_runtime(name: str, model: ModelFolder, options: RuntimeOptions = RuntimeOptions()) -> Runtime:
    """A runtime for the model. "openvino:GPU" is one on a device of its own.

    "auto" is what was measured to be the fastest here (`python -m engine.runtime.auto.measure`); before that,
    and for a precision that was asked for, OpenVINO, where it is installed.
    Raises FaultError ARGUMENT (no such runtime or precision), EXTRA_MISSING (not installed), RUNTIME_MISSING
    (no such hardware) or MODEL_LOAD.
    """
    if name == AUTO:
        choice = measured_choice(model, options)
        if choice is not None:
            try:
                return _opened(choice.chosen.runtime, model, choice.chosen.options(options))
            except FaultError as error:
                log.warning("what was measured to be the fastest does not open, auto is the usual: %s", error)
                forget_choice(choice_facts(model))
        return _opened(usual_runtime(), model, options)
    known, device = parse_runtime(name)
    return _opened(known, model, replace(options, device=device) if device else options)


def parse_runtime(name: str) -> tuple[str, str]:
    """Runtime and device ("" for its own): "openvino:GPU". Raises FaultError ARGUMENT for an unknown one."""
    known, _, device = name.partition(":")
    entry_of(RUNTIMES, known, "runtime")
    return known, device


def measured_choice(model: ModelFolder, options: RuntimeOptions) -> Choice | None:
    """What "auto" stands for here; None when it was not measured, or a precision was asked for."""
    return stored_choice(choice_facts(model)) if options.precision == AUTO else None


def usual_runtime() -> str:
    """Torch is met only by name."""
    return "openvino" if find_spec("openvino") is not None else "eager"


def _opened(name: str, model: ModelFolder, options: RuntimeOptions) -> Runtime:
    runtime: Runtime = load_named(RUNTIMES, name, "runtime")(model, options)
    return runtime
