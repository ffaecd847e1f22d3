"""`python -m engine.bench.memory FOLDER RUNTIME PRECISION`: what a runtime takes in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from engine.jobs.process import environment, python

LIMIT_S = 600.0  # a runtime may compile
PICTURES = 3


def memory_mb(folder: Path, runtime: str, precision: str) -> dict[str, float | None]:
    """`rss_mb`: the whole process with its libraries; `gpu_mb`: what torch takes on a GPU; or None."""
    command = python("-m", "engine.bench.memory", str(folder), runtime, precision)
    try:
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        told: dict[str, float | None] = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError):
        return {"rss_mb": None, "gpu_mb": None}
    return told


def main(folder: str, runtime: str, precision: str) -> int:
    import numpy as np
    import psutil

    from engine.bench.peer_table import add_peers
    from engine.model_folder import load_model_folder
    from engine.runtime import open_runtime
    from engine.runtime.base import RuntimeOptions

    add_peers()
    model = load_model_folder(Path(folder))
    opened = open_runtime(runtime, model, RuntimeOptions(precision=precision))
    for _ in range(PICTURES):
        opened.infer(np.zeros((model.card.input.height_px, model.card.input.width_px, 3), np.uint8))
    rss_mb = round(psutil.Process().memory_info().rss / 1e6, 1)
    print(json.dumps({"rss_mb": rss_mb, "gpu_mb": _gpu_mb()}))
    opened.close()
    return 0


def _gpu_mb() -> float | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    return round(float(torch.cuda.max_memory_allocated()) / 1e6, 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
