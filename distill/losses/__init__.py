"""LOSSES: logits and mask of 0 and 1, both [B, 1, H, W], to a scalar; finite on empty and full masks."""

from __future__ import annotations

from collections.abc import Mapping

from engine.table import Entry

LOSSES: Mapping[str, Entry] = {
    "structure_v2": Entry(
        "distill.losses.structure:structure_v2", extra="torch", summary="edge-weighted BCE + IoU"
    ),
    "bce_dice": Entry(
        "distill.losses.masks:bce_dice", extra="torch", summary="BCE + soft Dice with smoothing 1"
    ),
}
