"""What the figures were measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

from engine.runtime.nvidia.gpu import nvidia_gpus

PACKAGES = (
    "numpy",
    "opencv-python-headless",
    "av",
    "openvino",
    "PySide6-Essentials",
    "torch",
    "torch-tensorrt",
)


def machine() -> dict[str, object]:
    """Processor, NVIDIA GPUs, memory, system and the versions that matter, as JSON values."""
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "gpus": [f"{gpu.name}, driver {gpu.driver}" for gpu in nvidia_gpus()],
        "memory_gb": _memory_gb(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version for name in PACKAGES if (version := _version(name))},
    }


def cpu_name() -> str:
    """The processor's own name where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    if not hasattr(os, "sysconf"):
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
