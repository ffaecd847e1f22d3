"""When a compiled TensorRT engine is stale: whatever of these facts has changed since it was built."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from engine.faults import FaultCode, FaultError
from engine.model_card import WEIGHTS
from engine.model_folder import ModelFolder
from engine.runtime.nvidia.fused import PRECISIONS

GRAPH = 2  # grows with every change of what is put around a student, so that older engines are not taken


def engine_facts(
    model: ModelFolder, precision: str, versions: Mapping[str, str], gpu: Mapping[str, str]
) -> dict[str, Any]:
    """All that decides what the engine is; `gpu`: name, capability, driver. Only `weights` are refitted.

    Raises FaultError ARGUMENT for a precision that no engine is built in.
    """
    if precision not in PRECISIONS:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a precision of the runtime tensorrt: {', '.join(PRECISIONS)}",
            got=repr(precision),
            remedy="choose auto",
        )
    card = model.card
    return {
        "graph": GRAPH,
        "weights": card.files[WEIGHTS].sha256,
        "student": card.student.model_dump(mode="json"),
        "input": card.input.model_dump(mode="json"),
        "output": card.output.model_dump(mode="json"),
        "precision": precision,
        "versions": dict(versions),
        "gpu": dict(gpu),
        "os": f"{platform.system()} {platform.machine()}",
    }
