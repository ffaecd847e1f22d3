"""The default student on every runtime and precision of this machine, interleaved in one process."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.bench.skipped import Skipped
from engine.bench.timing import interleaved, percentiles, ratio
from engine.faults import FaultCode, FaultError
from engine.model_folder import ModelFolder, bundled_models, find_model, load_model_folder
from engine.runtime import open_runtime
from engine.runtime.base import Runtime, RuntimeOptions

CANDIDATES = (
    ("eager", "f32"),
    ("openvino", "f32"),
    ("openvino", "bf16"),
    ("openvino", "int8"),
    ("openvino", "auto"),
)
PICTURES = 8


def run(*, rounds: int, model: str | None) -> dict[str, Any]:
    """Each candidate in turn over the same pictures, `rounds` times; `skipped` names what cannot run here."""
    paths = [find_model(model)] if model else bundled_models()
    models = [load_model_folder(path) for path in paths]
    rows: list[dict[str, Any]] = []
    skipped: list[Skipped] = []
    for folder in models:
        rows += _measure(folder, rounds, skipped)
    return {"runtimes": rows, "skipped": skipped, "rounds": rounds}


def _measure(model: ModelFolder, rounds: int, skipped: list[Skipped]) -> list[dict[str, Any]]:
    shape = (model.card.input.height_px, model.card.input.width_px, 3)
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, shape, np.uint8) for _ in range(PICTURES)]
    opened: dict[tuple[str, str], Runtime] = {}
    for name, precision in CANDIDATES:
        try:
            opened[name, precision] = open_runtime(name, model, RuntimeOptions(precision=precision))
        except FaultError as error:
            if error.code is FaultCode.INTERNAL:
                raise
            skipped.append(Skipped(f"{model.card.id}, {name} {precision}", str(error)))
    times_ms = interleaved({key: (runtime.infer, pictures) for key, runtime in opened.items()}, rounds)
    eager = times_ms.get(("eager", "f32"))
    rows = []
    for (name, asked), values in times_ms.items():
        rows.append(
            {
                "student": model.card.id,
                "runtime": name,
                "precision": opened[name, asked].info.precision + (" (auto)" if asked == "auto" else ""),
                "threads": opened[name, asked].info.threads,
                **percentiles(values),
                "vs_eager": ratio(eager, values),
            }
        )
    for runtime in opened.values():
        runtime.close()
    return rows
