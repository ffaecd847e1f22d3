"""RUNTIMES: what executes a student. To add one: a module with `open(model, options)`, and its line here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from engine.model_folder import ModelFolder
from engine.runtime.base import Runtime, RuntimeOptions
from engine.table import Entry, load_named

AUTO = "auto"
GPU_RUNTIMES = frozenset({"tensorrt", "cuda"})  # compute on an NVIDIA GPU or not at all

RUNTIMES: Mapping[str, Entry] = {
    "openvino": Entry("engine.runtime.openvino:open", summary="CPU; f32, bf16, int8"),
    "tensorrt": Entry(
        "engine.runtime.tensorrt:open", extra="tensorrt", summary="NVIDIA GPU, compiled; f16, f32"
    ),
    "cuda": Entry("engine.runtime.cuda:open", extra="torch", summary="NVIDIA GPU; f16, bf16, f32"),
    "eager": Entry(
        "engine.runtime.eager:open", extra="torch", summary="PyTorch as trained; CPU, CUDA or MPS"
    ),
}


def open_runtime(name: str, model: ModelFolder, options: RuntimeOptions = RuntimeOptions()) -> Runtime:
    """A runtime for the model. "auto" is OpenVINO wherever it is installed: torch is met only by name.

    Raises FaultError ARGUMENT (no such runtime or precision), EXTRA_MISSING (not installed) or MODEL_LOAD.
    """
    if name == AUTO:
        name = "openvino" if find_spec("openvino") is not None else "eager"
    runtime: Runtime = load_named(RUNTIMES, name, "runtime")(model, options)
    return runtime
