"""What this machine computes with: cores and the processor's name."""

from __future__ import annotations

import os
import platform
from pathlib import Path

MOST_THREADS = 4  # a small network at batch 1 gains nothing from more


def default_threads() -> int:
    """Physical cores this process may use, at most 4: two threads of one core share its arithmetic."""
    return max(1, min(physical_cores(), MOST_THREADS))


def physical_cores() -> int:
    """Physical cores among those the process may run on; logical ones where the system does not say."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    allowed = os.sched_getaffinity(0)
    siblings = {
        _text(Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")) or str(cpu)
        for cpu in allowed
    }
    return len(siblings)


def cpu_name() -> str:
    """The processor as its maker calls it."""
    for line in _text(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
