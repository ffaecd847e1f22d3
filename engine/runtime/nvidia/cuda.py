"""PyTorch on an NVIDIA GPU without TensorRT: half precision, channels_last, one CUDA graph.

"f16, compiled" lets torch.compile fuse the network first. Whether that pays, and whether it works at all (it
needs Triton, which Windows has not), is for `engine.runtime.auto.measure` to measure; nothing else takes it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.faults import FaultCode, FaultError
from engine.model_folder import ModelFolder
from engine.runtime.base import Runtime, RuntimeOptions
from engine.runtime.host import cpu_name
from engine.runtime.nvidia.fused import Fused
from engine.runtime.nvidia.lane import Lane
from engine.runtime.nvidia.on_gpu import LaneRuntime, opening
from engine.runtime.student import cuda_device, load_student
from engine.types import RuntimeInfo, Size

COMPILED = "f16, compiled"
PRECISIONS = {"auto": "f16", "f16": "f16", "bf16": "bf16", "f32": "f32", COMPILED: COMPILED}


def open(model: ModelFolder, options: RuntimeOptions) -> Runtime:
    """The student on the GPU. Raises FaultError ARGUMENT (precision), RUNTIME_MISSING or MODEL_LOAD."""
    return on_device(model, options, cuda_device("cuda"))


def on_device(model: ModelFolder, options: RuntimeOptions, device: torch.device) -> Runtime:
    """The same on any device: on the CPU without a stream and a graph, for comparing the numbers."""
    if options.precision not in PRECISIONS:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a precision of the runtime cuda: f16, bf16, f32 or {COMPILED!r}",
            got=repr(options.precision),
            remedy="choose auto",
        )
    precision = PRECISIONS[options.precision]
    layout = precision.partition(",")[0]
    card = model.card
    size = Size(card.input.width_px, card.input.height_px)
    with (
        opening("cuda", model.id),
        # One size for ever: cuDNN may try its kernels once and keep the fastest.
        torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=precision != "f32"),
    ):
        network: Callable[[Tensor], Tensor] = Fused(load_student(model), card, layout).to(device)
        if precision == COMPILED:
            # The graph is ours: one of the compiler's inside it could not be captured. No helper processes.
            network = torch.compile(network, fullgraph=True, dynamic=False, options={"compile_threads": 1})
        lane = Lane(network, size, device, graph=True)
    on_gpu = device.type == "cuda"
    info = RuntimeInfo(
        "cuda",
        torch.cuda.get_device_name(device) if on_gpu else cpu_name(),
        precision,
        0,
        f"torch {torch.__version__}",
    )
    return LaneRuntime(lane, size, info)
