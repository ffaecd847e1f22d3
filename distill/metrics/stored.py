"""Rows that somebody stored, ours or published: each with its protocol, and flagged when it cannot be."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from distill.metrics import PROTOCOLS
from engine.faults import FaultCode, FaultError
from engine.files.json_reader import read_json

log = logging.getLogger(__name__)
ROUNDING = 0.0015  # 0.15 points: what figures of one decimal may be off


@dataclass(frozen=True, slots=True)
class StoredRow:
    """Means over images, 0..1. `suspect`: see `is_suspect`."""

    set: str
    protocol: str
    dice: float
    iou: float
    n: int
    suspect: bool


def is_suspect(dice: float, iou: float) -> bool:
    """Whether a mean IoU is lower than any images with that mean Dice can have, 0..1 both.

    IoU = D / (2 - D) of an image is convex in D, so its mean is at least that of the mean Dice (Jensen).
    """
    return iou < dice / (2 - dice) - ROUNDING


def load_rows(path: Path, set_name: str = "pooled") -> tuple[StoredRow, ...]:
    """What `score` or `evaluate` wrote with --json: all images as `set_name`, then each set.

    Suspects are logged. Raises FaultError DATA_SET for a file that is none.
    """
    try:
        values = read_json(path)
        rows = tuple(
            StoredRow(name, protocol, row["dice"], row["iou"], part["n"], is_suspect(row["dice"], row["iou"]))
            for name, part in {set_name: values, **values.get("sets", {})}.items()
            for protocol in PROTOCOLS
            if (row := part.get(protocol)) is not None
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"figures in {path}",
            got=f"{type(error).__name__}: {error}",
            remedy="write them with: python -m distill score or evaluate, --json",
        ) from error
    for row in rows:
        if row.suspect:
            log.warning(
                "%s: IoU %.4f of %s on %s is lower than Dice %.4f allows",
                path,
                row.iou,
                row.protocol,
                row.set,
                row.dice,
            )
    return rows
