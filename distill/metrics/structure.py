"""S-alpha, E-phi, weighted F and MAE of the min-max map, computed by pysodmetrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from py_sod_metrics import MAE, Emeasure, Smeasure, WeightedFmeasure

from distill.metrics.pixels import F64, LEVELS, levels, stretched
from engine.types import F32, U8


@dataclass(frozen=True, slots=True)
class Structure:
    """Of one image; `e_curve` is float64 [256], E-phi at each threshold from the highest down."""

    s_alpha: float
    e_curve: F64
    weighted_f: float
    mae: float


class _Smeasure(Smeasure):  # type: ignore[misc]
    """A mask on the last row or column leaves empty quarters: they weigh nothing, not NaN."""

    def ssim(self, pred: F64, gt: npt.NDArray[np.bool_]) -> float:
        return float(super().ssim(pred, gt)) if pred.size else 0.0


def measure_structure(probability: F32, mask: U8) -> Structure:
    """probability: float32 [h, w] in 0..1; mask: uint8 [h, w], 0 is background."""
    there = mask > 0
    full = stretched(probability)
    # A measure for each image: the library keeps all it has seen and can only give their mean.
    s_alpha, e_phi, weighted_f, mae = _Smeasure(), Emeasure(), WeightedFmeasure(), MAE()
    for measure in (s_alpha, weighted_f, mae):
        measure.step(full, there, normalize=False)
    # It floors to levels itself: given levels, it finds the same ones as `count_pixels`.
    e_phi.step(levels(full) / (LEVELS - 1), there, normalize=False)
    return Structure(
        s_alpha=float(s_alpha.get_results()["sm"]),
        e_curve=np.asarray(e_phi.get_results()["em"]["curve"], np.float64),
        weighted_f=float(weighted_f.get_results()["wfm"]),
        mae=float(mae.get_results()["mae"]),
    )


def structure_figures(images: Sequence[Structure], draws: F64) -> dict[str, F64]:
    """Means over images, float64 [d] each; E-phi mean and max over the thresholds of the mean curve.

    draws: float64 [d, n], how often each image counts.
    """
    weight = draws.sum(1)
    curve = draws @ np.stack([image.e_curve for image in images]) / weight[:, None]
    means = {
        name: draws @ np.array([getattr(image, name) for image in images]) / weight
        for name in ("s_alpha", "weighted_f", "mae")
    }
    return {**means, "e_mean": curve.mean(1), "e_max": curve.max(1)}
