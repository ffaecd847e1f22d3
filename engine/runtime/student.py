"""A model folder's network in torch: what the runtimes eager, cuda and tensorrt start from."""

from __future__ import annotations

import os

# Before torch is imported: its OpenMP threads otherwise spin on cores they have lost (189 ms instead of 19
# beside one busy process).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from engine.faults import FaultCode, FaultError
from engine.model_folder import ModelFolder
from engine.models import make_student
from engine.models.base import Student


def load_student(model: ModelFolder) -> Student:
    """The student of `model.json` with the folder's weights: float32, on the CPU, for inference.

    Raises FaultError ARGUMENT (unknown student) or MODEL_LOAD (weights of another network).
    """
    student = make_student(model.card.student.name, model.card.student.args)
    try:
        student.load_state_dict(load_file(model.weights))  # stored in half precision, widened by the copy
    except (RuntimeError, SafetensorError) as error:
        raise FaultError(
            FaultCode.MODEL_LOAD,
            expected=f"{model.weights.name} of {model.id} to hold the weights of a {model.card.student.name}",
            got=str(error).splitlines()[0],
            remedy="export the model again, or choose another model",
            said=f"{model.weights.name} of {model.id} does not hold the weights of a "
            f"{model.card.student.name}. "
            "Export the model again, or choose another model.",
            detail=str(error),
        ) from error
    return student.eval()


def cuda_device(runtime: str) -> torch.device:
    """The NVIDIA GPU that torch computes on. Raises FaultError RUNTIME_MISSING, with the reason."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    built_for = torch.version.cuda
    raise FaultError(
        FaultCode.RUNTIME_MISSING,
        expected=f"an NVIDIA GPU for the runtime {runtime}",
        got=f"torch {torch.__version__}, which finds none" if built_for else "a torch built for CPUs only",
        said=f"The runtime {runtime} needs an NVIDIA GPU, and torch finds none. Update the NVIDIA "
        "driver, or choose auto."
        if built_for
        else f"The runtime {runtime} needs an NVIDIA GPU, and this torch is built for CPUs only. "
        "Install torch's CUDA build as pytorch.org describes, or choose auto.",
        remedy="update the NVIDIA driver, or choose auto"
        if built_for
        else "install torch's CUDA build as pytorch.org describes, or choose auto",
    )
