"""PROTOCOLS: how maps and masks become numbers. Figures of two protocols are never mixed.

A protocol is a function (pixels: Pixels, draws: float64 [d, n]) -> {"dice", "iou", "precision", "recall"},
each float64 [d]. `draws` says how often each image counts: one row of ones is the figure itself, rows of
`group_draws` are its bootstrap.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.table import Entry

PROTOCOLS: Mapping[str, Entry] = {
    "p05_image": Entry("distill.metrics.protocols:p05_image", summary="probability > 0.5, mean over images"),
    "pranet_mean": Entry(
        "distill.metrics.protocols:pranet_mean",
        summary="min-max, 8 bits, mean over images and 256 thresholds",
    ),
    "pranet_max": Entry(
        "distill.metrics.protocols:pranet_max", summary="the same, at the best of the 256 thresholds"
    ),
    "p05_minmax": Entry(
        "distill.metrics.protocols:p05_minmax", summary="min-max, then > 0.5, mean over images"
    ),
    "soft_minmax": Entry("distill.metrics.protocols:soft_minmax", summary="soft Dice of the min-max map"),
    "dataset_micro": Entry("distill.metrics.protocols:dataset_micro", summary="> 0.5, all pixels pooled"),
    "batch_micro": Entry(
        "distill.metrics.protocols:batch_micro",
        summary="> 0.5, pixels pooled in batches of 6, mean over them",
    ),
}
