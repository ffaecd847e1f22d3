"""LOSSES: what a student is taught with.

LOSSES: logits and mask of 0 and 1, both [B, 1, H, W], to a scalar; finite on empty and full masks.
SOFT_LOSSES: logits, a teacher's soft mask 0..1, how much each pixel counts (all [B, 1, H, W]) and a
temperature, to a scalar that is least where the two say the same.
FEATURE_LOSSES: a student's and a teacher's map, both [B, C, h, w], and where they count ([B, 1, h, w] or
None), to a scalar.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.table import Entry

LOSSES: Mapping[str, Entry] = {
    "structure_v2": Entry(
        "distill.losses.structure:structure_v2", extra="torch", summary="edge-weighted BCE + IoU"
    ),
    "structure_v1": Entry(
        "distill.losses.structure:structure_v1",
        extra="torch",
        summary="plain BCE + edge-weighted IoU: what PraNet's code comes to",
    ),
    "bce_dice": Entry(
        "distill.losses.masks:bce_dice", extra="torch", summary="BCE + soft Dice with smoothing 1"
    ),
    "bce_dice_notebook": Entry(
        "distill.losses.masks:bce_dice_notebook",
        extra="torch",
        summary="BCE + soft Dice with eps 1e-6: negatives learn from BCE alone",
    ),
}

SOFT_LOSSES: Mapping[str, Entry] = {
    "kl": Entry("distill.losses.soft:kl", extra="torch", summary="KL of the softened masks"),
    "kl_dice": Entry("distill.losses.soft:kl_dice", extra="torch", summary="KL + a Dice of squares"),
}

FEATURE_LOSSES: Mapping[str, Entry] = {
    "cosine_l1": Entry(
        "distill.losses.features:cosine_l1", extra="torch", summary="0.9 (1 - cosine) + 0.1 smooth L1"
    ),
    "mse": Entry("distill.losses.features:mse", extra="torch", summary="mean squared error"),
    "mse_kl": Entry("distill.losses.features:mse_kl", extra="torch", summary="MSE + KL over channels"),
    "mse_mae": Entry("distill.losses.features:mse_mae", extra="torch", summary="MSE + mean absolute error"),
    "cwd": Entry(
        "distill.losses.features:channel_wise", extra="torch", summary="KL over places, channel by channel"
    ),
}
