"""The few calls into torch_tensorrt (2.13), and nothing else: tests put a small fake in this module's place.

Written against the sources of 2.13.0, which has taken every student on a CPU up to the builder (a slow test);
builder, refit and replay have not been run: no GPU was at hand (docs/runtimes.md).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import tensorrt
import torch
import torch_tensorrt
from torch import Tensor, nn
from torch.export import ExportedProgram

OPTIMIZATION_LEVEL = 4  # of 0 to 5: the last step takes minutes more

_lock = threading.Lock()
_replaying: list[AbstractContextManager[Any]] = []


def versions() -> dict[str, str]:
    """What must be the same for an engine to load."""
    return {
        "torch": torch.__version__,
        "cuda": str(torch.version.cuda),
        "torch_tensorrt": torch_tensorrt.__version__,
        "tensorrt": tensorrt.__version__,
    }


def export(network: nn.Module, pixels: Tensor) -> ExportedProgram:
    """The network as a graph, for exactly these shapes."""
    return torch.export.export(network, (pixels,))


def compile(program: ExportedProgram, pixels: Tensor, timing_cache: Path, logs: Path) -> nn.Module:
    """An engine for exactly these shapes, in the precisions of the program: TensorRT 11 is strongly typed.

    Unknown keywords are swallowed there without a word (`enabled_precisions` is one by now): there are few.
    """
    # With a Debugger the engine keeps what it knows of its layers, their types among them.
    with torch_tensorrt.dynamo.Debugger(
        log_level="error", engine_builder_monitor=False, logging_dir=str(logs)
    ):
        compiled: nn.Module = torch_tensorrt.dynamo.compile(
            program,
            arg_inputs=[pixels],
            min_block_size=1,
            optimization_level=OPTIMIZATION_LEVEL,
            immutable_weights=False,  # else it could not be refitted
            cache_built_engines=False,  # the cache is ours: theirs lies in the shared temporary folder
            reuse_cached_engines=False,
            timing_cache_path=str(timing_cache),
        )
    return compiled


def layer_info(compiled: nn.Module) -> list[str]:
    """TensorRT's own JSON of every engine inside; only of what `compile` gave, not of what was loaded."""
    modules: list[Any] = list(compiled.modules())
    return [module.get_layer_info() for module in modules if hasattr(module, "get_layer_info")]


def refit(compiled: nn.Module, program: ExportedProgram, pixels: Tensor) -> nn.Module:
    """The same engine with the weights of another program of the same network. Raises what they raise."""
    refitted: nn.Module = torch_tensorrt.dynamo.refit_module_weights(compiled, program, arg_inputs=(pixels,))
    return refitted


def save(compiled: nn.Module, path: Path, pixels: Tensor) -> None:
    """As an exported program; `path` ends in .pt2."""
    torch_tensorrt.save(compiled, str(path), output_format="exported_program", arg_inputs=[pixels])


def load(path: Path) -> nn.Module:
    """What `save` wrote. It is unpickled: only files of our own cache, which are checked by their hash."""
    module: nn.Module = torch_tensorrt.load(str(path)).module()
    return module


def replayed(compiled: nn.Module) -> tuple[Callable[[Tensor], Tensor], Callable[[], None]]:
    """The module with CUDA graph replay, and what gives it back.

    The switch is one for the whole process: it is put back when the last one is given back, or a runtime that
    is closed after its successor was opened would take the graphs away from that.
    """
    switch = torch_tensorrt.runtime.enable_cudagraphs(compiled)
    with _lock:
        fast: Any = switch.__enter__()
        _replaying.append(switch)

    def give_back() -> None:
        with _lock:
            if len(_replaying) > 1 and switch in _replaying:
                _replaying.remove(switch)
            elif switch in _replaying:
                _replaying.clear()
                torch_tensorrt.runtime.set_cudagraphs_mode(False)

    return fast, give_back
