"""TensorRT by torch_tensorrt: a compiled engine, from pixels to probabilities, replayed as a CUDA graph."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from engine.model_folder import ModelFolder
from engine.runtime.auto.frames import stored_frames
from engine.runtime.base import BuildReport, Runtime, RuntimeOptions
from engine.runtime.cache import cache_folder
from engine.runtime.nvidia import trt_calls
from engine.runtime.nvidia.gpu import nvidia_gpus
from engine.runtime.nvidia.lane import Lane
from engine.runtime.nvidia.on_gpu import LaneRuntime, opening
from engine.runtime.nvidia.staleness import engine_facts
from engine.runtime.nvidia.trt_build import Builder, Built, Stage, cache
from engine.runtime.student import cuda_device
from engine.types import U8, RuntimeInfo, Size


def open(model: ModelFolder, options: RuntimeOptions) -> Runtime:
    """The model's engine; built now, which takes minutes, where there is none yet.

    Raises FaultError ARGUMENT (precision), RUNTIME_MISSING (no GPU) or MODEL_LOAD.
    """
    builder = builder_for(model, options)
    with opening("tensorrt", model.id):
        built = builder.cached() or builder.make(_frames(model), cache_folder("tensorrt"))
        return runtime_of(model, built)


def build(
    model: ModelFolder, options: RuntimeOptions, frames: Sequence[U8] | None, stage: Stage
) -> BuildReport:
    """Have an engine in the cache, and say how near its masks are. `frames` None: of the demonstration.

    Raises FaultError as `open`.
    """
    builder = builder_for(model, options, stage=stage)
    pictures = _frames(model) if frames is None else frames
    with opening("tensorrt", model.id):
        built = builder.cached() or builder.make(pictures, cache_folder("tensorrt"))
        stage("compare")
        return BuildReport("tensorrt", built.layout, built.origin, builder.compare(built, pictures))


def is_built(model: ModelFolder, options: RuntimeOptions) -> bool:
    """Whether `open` has an engine to load. Raises FaultError ARGUMENT or RUNTIME_MISSING."""
    return cache().find(_facts(model, options, cuda_device("tensorrt"))) is not None


def builder_for(model: ModelFolder, options: RuntimeOptions, *, stage: Stage = lambda name: None) -> Builder:
    """What makes the model's engine on this machine's GPU."""
    device = cuda_device("tensorrt")
    return Builder(model, _facts(model, options, device), trt_calls, device, cache(), stage=stage)


def runtime_of(model: ModelFolder, built: Built) -> Runtime:
    """The engine in its lane."""
    device = cuda_device("tensorrt")
    size = Size(model.card.input.width_px, model.card.input.height_px)
    network, give_back = trt_calls.replayed(built.module)
    try:
        lane = Lane(network, size, device, graph=False)  # the graph is torch_tensorrt's own
    except BaseException:
        give_back()
        raise
    info = RuntimeInfo(
        "tensorrt",
        torch.cuda.get_device_name(device),
        built.layout,
        0,
        f"tensorrt {trt_calls.versions()['tensorrt']}",
    )
    return LaneRuntime(lane, size, info, give_back)


def _facts(model: ModelFolder, options: RuntimeOptions, device: torch.device) -> dict[str, object]:
    major, minor = torch.cuda.get_device_capability(device)
    gpu = {
        "name": torch.cuda.get_device_name(device),
        "capability": f"{major}.{minor}",
        "driver": next((gpu.driver for gpu in nvidia_gpus()), ""),
    }
    return engine_facts(model, options.precision, trt_calls.versions(), gpu)


def _frames(model: ModelFolder) -> list[U8]:
    return stored_frames(Size(model.card.input.width_px, model.card.input.height_px))
