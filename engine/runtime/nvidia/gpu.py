"""Which NVIDIA GPUs there are, asked of the driver: no torch, a millisecond where there is none."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LIBRARY = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
VISIBLE = "CUDA_VISIBLE_DEVICES"
TEXT_BYTES = 96


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA GPU: its name, compute capability ("9.0") and driver ("570.86.15")."""

    name: str
    capability: str
    driver: str


def nvidia_gpus() -> tuple[Gpu, ...]:
    """The GPUs that a CUDA program may use, in the driver's order; () without a driver.

    Whether torch can compute on them is another question (`engine.runtime.student.cuda_device`).
    """
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        return ()
    return gpus_of(library, os.environ)


def gpus_of(nvml: Any, environ: Mapping[str, str]) -> tuple[Gpu, ...]:
    """What NVML (NVIDIA's management library) tells; () where it fails or everything is hidden."""
    if environ.get(VISIBLE, "all").strip() in ("", "-1", "none", "NoDevFiles"):
        return ()
    if nvml.nvmlInit_v2() != 0:
        return ()
    try:
        driver = ctypes.create_string_buffer(TEXT_BYTES)
        count = ctypes.c_uint()
        if nvml.nvmlSystemGetDriverVersion(driver, TEXT_BYTES) or nvml.nvmlDeviceGetCount_v2(
            ctypes.byref(count)
        ):
            return ()
        found = (_gpu(nvml, number, driver.value.decode()) for number in range(count.value))
        return tuple(gpu for gpu in found if gpu is not None)
    finally:
        nvml.nvmlShutdown()


def _gpu(nvml: Any, number: int, driver: str) -> Gpu | None:
    handle = ctypes.c_void_p()
    name = ctypes.create_string_buffer(TEXT_BYTES)
    major, minor = ctypes.c_int(), ctypes.c_int()
    if (
        nvml.nvmlDeviceGetHandleByIndex_v2(number, ctypes.byref(handle))
        or nvml.nvmlDeviceGetName(handle, name, TEXT_BYTES)
        or nvml.nvmlDeviceGetCudaComputeCapability(handle, ctypes.byref(major), ctypes.byref(minor))
    ):
        return None
    return Gpu(name.value.decode(), f"{major.value}.{minor.value}", driver)
