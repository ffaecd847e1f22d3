"""The bundled models beside what a user would pick instead, in one run on the same frames."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from engine.bench.executed import PICTURES, Executed, measure
from engine.bench.peer_table import PEERS, add_peers
from engine.bench.random_models import random_model
from engine.bench.skipped import Skipped
from engine.bench.timing import Work
from engine.faults import FaultError
from engine.model_folder import ModelFolder, bundled_models, load_model_folder
from engine.models import make_student
from engine.models.cost import Cost, cost_of
from engine.sources import open_source
from engine.sources.base import SourceOptions, SourceSpec
from engine.types import U8, Size

POOLED, PROTOCOL, DICE = "pooled", "p05_image", "dice"
STEP = 40  # frames of the demonstration between two of ours
PREDICT = "ultralytics YOLO11n-seg, 640 px, predict()"


def run(
    *,
    rounds: int,
    only: str | None = None,
    runtimes: Sequence[str] | None = None,
    memory: bool = True,
    trained: Sequence[Path] = (),
) -> dict[str, Any]:
    """A row a model and runtime. Accuracy is the model card's: peers with random weights have none.

    `only`: models whose name has this in it. `trained`: further model folders, such as a peer that was
    trained by a recipe of ours. `skipped`: what is not installed, and what did not run. Raises FaultError
    MODEL_MISSING or MODEL_LOAD for a folder that is no model.
    """
    skipped: list[Skipped] = []
    add_peers()
    asked = [path for path in bundled_models() if _is_asked(path.name, only)]
    models = {path.name: load_model_folder(path) for path in (*asked, *trained)}
    with tempfile.TemporaryDirectory() as folder:
        for peer in PEERS:
            if not _is_asked(peer.label, only):
                continue
            if not peer.is_installed:
                skipped.append(Skipped(peer.label, f"{peer.package} is not installed ({peer.install})"))
                continue
            try:
                path = Path(folder) / f"{peer.student}-{peer.size_px}"
                models[peer.label] = random_model(path, peer.student, peer.args, peer.size_px)
            except (FaultError, RuntimeError) as error:  # a version of the package that cannot be exported
                skipped.append(Skipped(peer.label, str(error).splitlines()[0]))
        framed = {label: (model, frames(_size_of(model))) for label, model in models.items()}
        besides = _whole_packages() if _is_asked(PREDICT, only) else {}
        rows = [
            _row(executed, models.get(executed.label))
            for executed in measure(framed, rounds, runtimes, memory, skipped, besides)
        ]
    return {"peers": rows, "frames": "the bundled demonstration", "rounds": rounds, "skipped": skipped}


def frames(size: Size | None) -> list[U8]:
    """Frames of the bundled demonstration, uint8 [h, w, 3] RGB of that size; None: BGR at its own size."""
    found: list[U8] = []
    with closing(open_source(SourceSpec("demo", ""), SourceOptions(throughput=True))) as source:
        while len(found) < PICTURES and (picture := source.read()) is not None:
            if picture.index % STEP == 0:
                found.append(
                    np.ascontiguousarray(picture.bgra()[..., :3]) if size is None else picture.rgb(size)
                )
    return found


def accuracy(model: ModelFolder) -> dict[str, float | int | None]:
    """Pooled Dice on the validation groups with its interval, as its `model.json` has it."""
    for metric in model.card.metrics:
        if (metric.set, metric.protocol, metric.name) == (POOLED, PROTOCOL, DICE):
            return {"dice": metric.value, "low": metric.low, "high": metric.high, "images": metric.n}
    return {"dice": None, "low": None, "high": None, "images": None}


def _is_asked(name: str, only: str | None) -> bool:
    return only is None or only in name


def _row(executed: Executed, model: ModelFolder | None) -> dict[str, Any]:
    cost = _cost(model) if model is not None else None
    return {
        "model": executed.label,
        "weights": "trained" if model is not None and model.card.metrics else "random",
        "size_px": model.card.input.width_px if model is not None else None,
        "parameters_m": round(cost.parameters / 1e6, 2) if cost else None,
        "gmac": round(cost.macs / 1e9, 2) if cost else None,
        **executed.cells,
        **(accuracy(model) if model is not None else {}),
    }


def _cost(model: ModelFolder) -> Cost:
    return cost_of(make_student(model.card.student.name, model.card.student.args), model.card.input.width_px)


def _size_of(model: ModelFolder) -> Size:
    return Size(model.card.input.width_px, model.card.input.height_px)


def _whole_packages() -> dict[str, Work]:
    """`predict()` of ultralytics as its users call it: letterbox, network, NMS, masks; random weights."""
    if not any(peer.is_installed for peer in PEERS if peer.package == "ultralytics"):
        return {}
    from ultralytics import YOLO

    yolo = YOLO("yolo11n-seg.yaml")

    def predict(frame: U8) -> object:
        return yolo.predict(frame, imgsz=640, verbose=False)

    return {PREDICT: (predict, frames(None))}
