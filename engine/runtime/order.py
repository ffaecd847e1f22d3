"""What can execute a model on this machine, best first, and why the rest cannot. Torch is never imported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from engine.faults import FaultError
from engine.model_folder import ModelFolder, load_model_folder
from engine.runtime import AUTO, GPU_RUNTIMES, RUNTIMES, measured_choice
from engine.runtime.auto.choice import Candidate
from engine.runtime.base import RuntimeOptions
from engine.runtime.nvidia.gpu import Gpu, nvidia_gpus
from engine.types import RuntimeInfo

PACKAGES = {"openvino": "openvino", "tensorrt": "torch_tensorrt", "cuda": "torch", "eager": "torch"}
PRECISIONS = {
    "openvino": ("f32", "bf16", "f16", "int8"),
    "tensorrt": ("f32", "f16"),
    "cuda": ("f32", "bf16", "f16"),
    "eager": ("f32", "bf16"),
}
CPU_BUILD = "+cpu"

NextRuntime = Callable[[Path, Collection[str]], str | None]


def missing(
    name: str,
    *,
    gpus: Callable[[], Sequence[Gpu]] = nvidia_gpus,
    version_of: Callable[[str], str | None] | None = None,
) -> str:
    """Why the runtime `name` cannot run here, in a few words; "" where nothing speaks against it."""
    found = (version_of or _version)(PACKAGES[name])
    if name in GPU_RUNTIMES and not gpus():
        return "no NVIDIA GPU here"
    if found is None:
        extra = RUNTIMES[name].extra
        return f"not installed: pip install 'polyplive[{extra}]'" if extra else "not installed"
    if name in GPU_RUNTIMES and ((version_of or _version)("torch") or "").endswith(CPU_BUILD):
        return "torch is installed without CUDA"
    return ""


def precision_missing(name: str, precision: str, capabilities: Collection[str], *, has_int8: bool) -> str:
    """Why the runtime cannot compute in it here, in a few words; "" where nothing speaks against it.

    `capabilities` are those of OpenVINO's device; `has_int8`: the model has an int8 network.
    """
    known = name.partition(":")[0]
    known = "openvino" if known == AUTO else known
    if precision == AUTO:
        return ""
    if precision not in PRECISIONS[known]:
        return "another runtime's"
    if known != "openvino":
        return ""
    if precision == "int8":
        return "" if has_int8 else "not of this model"
    word = {"bf16": "BF16", "f16": "FP16"}.get(precision)
    return "" if word is None or word in capabilities else "not on this processor"


def next_runtime(model_dir: Path, tried: Collection[str]) -> str | None:
    """The first of the measured order, then of the table, that was not tried; None where there is none."""
    try:
        choice = measured_choice(load_model_folder(model_dir), RuntimeOptions())
    except FaultError:
        return None
    rows = sorted(choice.rows if choice else (), key=lambda row: row.p50_ms)
    measured = [_name(row.candidate) for row in rows if row.passes]
    declared = [name for name in RUNTIMES if not missing(name)]
    return next((name for name in (*measured, *declared) if name not in tried), None)


def key_of(asked: str, info: RuntimeInfo, model: ModelFolder) -> str:
    """The name by which `next_runtime` knows what runs: "openvino", "openvino:GPU"."""
    if asked != AUTO and asked.partition(":")[0] == info.name:
        return asked
    choice = measured_choice(model, RuntimeOptions()) if asked == AUTO else None
    if choice is not None and choice.chosen.runtime == info.name:
        return _name(choice.chosen)
    return info.name


def _name(candidate: Candidate) -> str:
    return candidate.runtime + (f":{candidate.device}" if candidate.device != "CPU" else "")


def _version(package: str) -> str | None:
    """None where it is not there; "" where nobody knows its version."""
    if find_spec(package) is None:
        return None
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
