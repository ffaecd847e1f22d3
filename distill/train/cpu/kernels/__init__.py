"""What torch does slowly on a CPU in bf16, in C++; compiled once a process where a C++ compiler is found."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

SOURCES = sorted(Path(__file__).parent.glob("*.cpp"))
COMPILERS = ("c++", "g++", "clang++")
# Not -ffast-math: a library linked with it makes the whole process take tiny numbers for zero.
FLAGS = ("-O3", "-march=native", "-std=c++17", "-ffp-contract=fast", "-shared", "-fPIC", "-pthread", "-w")
LANES = 16  # values of a vector


@cache
def library() -> ctypes.CDLL | None:
    """All kernels; None where no compiler is found or it fails, which costs time only."""
    compiler = next((path for name in COMPILERS if (path := shutil.which(name))), None)
    if compiler is None or sys.byteorder != "little":
        return None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as aside:  # a loaded library can be deleted
        made = Path(aside) / "kernels.so"
        command = [compiler, *FLAGS, *map(str, SOURCES), "-o", str(made)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=120)
            return ctypes.CDLL(str(made))
        except (OSError, subprocess.SubprocessError):
            return None


def address(tensor: Tensor | None) -> ctypes.c_void_p:
    """For a kernel; null for None. The tensor must outlive the call."""
    return ctypes.c_void_p(None if tensor is None else tensor.data_ptr())


def takes_bf16(device: torch.device) -> bool:
    """Whether what autocast would run in bf16 on this device is what the kernels are for."""
    return (
        device.type == "cpu"
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") is torch.bfloat16
    )
