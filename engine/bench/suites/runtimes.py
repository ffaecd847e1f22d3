"""The bundled students on every runtime and precision of this machine, interleaved in one process.

They are shown what the live path shows them: the endoscope's picture of the demonstration, cut out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from typing import Any

from engine.bench.skipped import Skipped
from engine.bench.timing import interleaved, percentiles, ratio
from engine.faults import FaultCode, FaultError
from engine.model_folder import ModelFolder, bundled_models, find_model, load_model_folder
from engine.runtime import open_runtime
from engine.runtime.auto.parity import compare_maps
from engine.runtime.base import Runtime, RuntimeOptions
from engine.runtime.masks import region_mask
from engine.sources import open_source
from engine.sources.base import SourceOptions, SourceSpec
from engine.sources.field_finder import FieldFinder, finder_of
from engine.types import U8, Field, Size

Key = tuple[str, str]

EXACT: Key = ("eager", "f32")
CANDIDATES: tuple[Key, ...] = (
    EXACT,
    ("openvino", "f32"),
    ("openvino", "bf16"),
    ("openvino", "int8"),
    ("openvino", "auto"),
    ("cuda", "f32"),
    ("cuda", "f16"),
    ("cuda", "f16, compiled"),
    ("tensorrt", "auto"),  # an engine is built where there is none yet: a minute or more
)
PICTURES = 8
EVERY = 30  # frames: what follows one at once looks like it


def run(*, rounds: int, model: str | None, runtimes: Collection[str] | None = None) -> dict[str, Any]:
    """Each candidate in turn over the same pictures, `rounds` times; `skipped` names what cannot run here.

    `runtimes` None: all. What is no runtime that was asked for is left out, but the exact one, which every
    other is held against.
    """
    paths = [find_model(model)] if model else bundled_models()
    models = [load_model_folder(path) for path in paths]
    keys = [key for key in CANDIDATES if runtimes is None or key == EXACT or key[0] in runtimes]
    rows: list[dict[str, Any]] = []
    skipped: list[Skipped] = []
    for folder in models:
        rows += _measure(folder, keys, rounds, skipped)
    return {"runtimes": rows, "skipped": skipped, "rounds": rounds}


def region_pictures(size: Size) -> tuple[list[U8], Field]:
    """Frames of the demonstration as a reader hands them over, uint8 [h, w, 3] RGB, and their field."""
    spec = SourceSpec("demo", "")
    finder = finder_of("field", spec) or FieldFinder()
    pictures: list[U8] = []
    with closing(open_source(spec, SourceOptions(throughput=True))) as source:
        while len(pictures) < PICTURES and (picture := source.read()) is not None:
            field = finder.field_of(picture, picture.pts_s)
            if picture.index % EVERY == 0:
                pictures.append(picture.rgb(size, field.box))
    return pictures, field


def _measure(
    model: ModelFolder, keys: Sequence[Key], rounds: int, skipped: list[Skipped]
) -> list[dict[str, Any]]:
    pictures, field = region_pictures(Size(model.card.input.width_px, model.card.input.height_px))
    opened: dict[Key, Runtime] = {}
    try:
        for name, precision in keys:
            try:
                opened[name, precision] = open_runtime(name, model, RuntimeOptions(precision=precision))
            except FaultError as error:
                if error.code is FaultCode.INTERNAL:
                    raise
                skipped.append(Skipped(f"{model.card.id}, {name} {precision}", str(error)))
        times_ms = interleaved({key: (runtime.infer, pictures) for key, runtime in opened.items()}, rounds)
        maps = {
            key: [region_mask(runtime, picture, field, 0).probability for picture in pictures]
            for key, runtime in opened.items()
        }
        return [_row(model, key, opened[key], times_ms, maps) for key in times_ms]
    finally:
        for runtime in opened.values():
            runtime.close()


def _row(
    model: ModelFolder,
    key: Key,
    runtime: Runtime,
    times_ms: Mapping[Key, list[float]],
    maps: Mapping[Key, list[U8]],
) -> dict[str, Any]:
    info = runtime.info
    row = {
        "student": model.card.id,
        "runtime": key[0],
        "precision": info.precision + (" (auto)" if key[1] == "auto" else ""),
        "device": info.device,
        "threads": info.threads,
        **percentiles(times_ms[key]),
        "vs_eager": ratio(times_ms.get(EXACT), times_ms[key]),
    }
    if EXACT in maps:
        threshold = model.card.presets["standard"].threshold
        difference = compare_maps(zip(maps[EXACT], maps[key], strict=True), threshold)
        row |= {"max_dp": round(difference.max_dp, 3), "pooled_dice": round(difference.pooled_dice, 4)}
    return row
