"""What a run leaves for the eye: figures of every epoch, curves, and the same twelve images each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from distill.data.dataset import Pictures, squash
from distill.teaching.targets import Teaching
from engine.files.json_reader import read_json
from engine.files.whole import write_bytes, write_json
from engine.jobs.folder import CURVES, DAMAGED_METRICS, METRICS
from engine.types import F32, U8

SAMPLES = 12
TILE_PX = 128
GREEN, RED, BLUE = (0, 200, 0), (230, 40, 40), (60, 90, 255)  # RGB: right, missed, false


def add_epoch(run: Path, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Add an epoch's row to the run's figures and draw the curves again; gives all rows.

    A row of the same epoch, written before an interruption, is replaced.
    """
    path = run / METRICS
    rows = [old for old in _rows_before(path) if old["epoch"] < row["epoch"]] + [dict(row)]
    write_json(path, rows)
    write_bytes(run / CURVES, curves(rows))
    return rows


def _rows_before(path: Path) -> list[dict[str, Any]]:
    """A damaged table is set aside: the epochs are in the events as well, and a training goes on."""
    if not path.is_file():
        return []
    try:
        rows = read_json(path)
        return [{**row, "epoch": int(row["epoch"])} for row in rows]
    except (ValueError, KeyError, TypeError, RecursionError):
        path.replace(path.with_name(DAMAGED_METRICS))
        return []


def curves(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Losses, validation Dice and rate against the epoch, as PNG."""
    from io import BytesIO

    # Without pyplot: no global state, no window system.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    FigureCanvasAgg(figure)
    losses, dice, rate = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 1))
    epochs = [row["epoch"] + 1 for row in rows]
    for name in sorted({name for row in rows for name in row["losses"]}):
        losses.plot(epochs, [row["losses"].get(name) for row in rows], marker=".", label=name)
    losses.set_ylabel("loss")
    losses.legend(fontsize=7)
    dice.plot(epochs, [row["dice"] for row in rows], marker=".", color="tab:green")
    dice.set_ylabel("validation Dice")
    rate.plot(epochs, [row["lr"] for row in rows], color="tab:grey")
    rate.set_ylabel("rate")
    rate.set_xlabel("epoch")
    for axes in (losses, dice, rate):
        axes.grid(alpha=0.3)
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=90)
    return stream.getvalue()


def sample_positions(count: int) -> list[int]:
    """Twelve, evenly spread, the same in every epoch."""
    wanted = min(SAMPLES, count)
    return [rank * count // wanted for rank in range(wanted)]


def contact_sheet(pictures: Pictures, maps: Mapping[int, F32], teachers: Mapping[int, U8]) -> bytes:
    """A row an image: input, truth, teacher where there is one, student, error; as PNG.

    maps: float32 [s, s] in 0..1 by position. teachers: uint8 [h, w, 3]. The error shows what was found
    (green), missed (red) and found where nothing is (blue).
    """
    rows = []
    for position, probability in maps.items():
        image = squash(pictures.images[position], TILE_PX)
        truth = _tile(pictures.masks[position] * np.uint8(255)) > 127
        student = _tile((probability * 255).astype(np.uint8))
        found = student > 127
        error = image // 2
        for where, ink in ((found & truth, GREEN), (truth & ~found, RED), (found & ~truth, BLUE)):
            error[where] = ink
        tiles = [image, _grey(truth.astype(np.uint8) * np.uint8(255))]
        if teachers:
            tiles.append(_tile(teachers[position]))
        rows.append(np.hstack([*tiles, _grey(student), error]))
    sheet = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".png", sheet)[1])


def teacher_pictures(teaching: Teaching, positions: Sequence[int]) -> dict[int, U8]:
    """What the first teacher says of these images, uint8 [h, w, 3]: its mask, or its map in three colours."""
    if not teaching.sources:
        return {}
    source = next(iter(teaching.sources.values()))
    masks = source.masks(positions)
    if masks is not None:
        grey = (masks[:, 0] * 255).byte().numpy()
        return {position: _grey(picture) for position, picture in zip(positions, grey, strict=True)}
    features = source.features(positions).numpy()
    return {position: principal_colours(one) for position, one in zip(positions, features, strict=True)}


def principal_colours(features: F32) -> U8:
    """A teacher's map float32 [C, h, w] in its first three principal components, uint8 [h, w, 3]."""
    channels, height, width = features.shape
    flat = features.reshape(channels, -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    _, _, axes = np.linalg.svd(flat, full_matrices=False)
    shown = axes[:3].T.reshape(height, width, -1)
    low, high = shown.min(axis=(0, 1)), shown.max(axis=(0, 1))
    scaled = (255 * (shown - low) / np.maximum(high - low, 1e-9)).astype(np.uint8)
    return np.asarray(np.resize(scaled, (height, width, 3)) if scaled.shape[2] < 3 else scaled)


def _tile(picture: U8) -> U8:
    return cv2.resize(picture, (TILE_PX, TILE_PX), interpolation=cv2.INTER_LINEAR).astype(
        np.uint8, copy=False
    )


def _grey(picture: U8) -> U8:
    return np.repeat(picture[..., None], 3, axis=2)
