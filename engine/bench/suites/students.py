"""Every student of the table on every runtime of this machine: random weights, one size, one run."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.bench.executed import Executed, measure, random_pictures
from engine.bench.random_models import random_model
from engine.bench.skipped import Skipped
from engine.faults import FaultError
from engine.models.cost import Cost
from engine.models.sizes import SIZE_PX, VARIANTS, Variant, measured


def run(
    *,
    rounds: int,
    size_px: int = SIZE_PX,
    only: str | None = None,
    runtimes: Sequence[str] | None = None,
    memory: bool = True,
    int8: bool = False,
) -> dict[str, Any]:
    """A row a student and runtime. `only`: those with this in their name; `skipped`: what is missing, why.

    `int8`: each also in int8, where OpenVINO would choose that; half a minute to two minutes more a student.
    """
    rows: list[dict[str, Any]] = []
    skipped: list[Skipped] = []
    pictures = random_pictures(size_px)
    with tempfile.TemporaryDirectory() as folder:
        for variant in VARIANTS:
            if only is not None and only not in variant.label:
                continue
            try:
                path = Path(folder) / _id_of(variant)
                model = random_model(path, variant.student, variant.args, size_px, int8=int8)
            except FaultError as error:
                skipped.append(Skipped(variant.label, str(error)))
                continue
            cost = measured(variant)
            found = measure({variant.label: (model, pictures)}, rounds, runtimes, memory, skipped)
            rows += [_row(executed, cost) for executed in found]
    return {"students": rows, "size_px": size_px, "rounds": rounds, "skipped": skipped}


def _row(executed: Executed, cost: Cost) -> dict[str, Any]:
    return {
        "student": executed.label,
        "parameters_m": round(cost.parameters / 1e6, 2),
        "gmac_at_352": round(cost.macs / 1e9, 2),
        **executed.cells,
    }


def _id_of(variant: Variant) -> str:
    return re.sub(r"[^a-z0-9]+", "-", variant.label.lower()).strip("-")
