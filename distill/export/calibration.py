"""How far probabilities can be believed: reliability curve, calibration error, and the temperature.

Guo et al., On Calibration of Modern Neural Networks, ICML 2017: one number divides all logits, found by the
likelihood of the validation pixels. No mask at 0.5 changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from distill.metrics.pixels import F64, at_native_size
from engine.types import F32, U8

LARGEST_LOGIT = 12.0
BINS = 480  # of logits, 0.05 wide: what is counted is all that is kept of the pixels
COARSE_BINS = 15  # of the reliability curve
TEMPERATURES = (0.25, 8.0)
TOO_FEW_PX = 100  # in a bin of the curve: not shown


@dataclass(frozen=True, slots=True)
class LogitCounts:
    """Pixels by logit, float64 [BINS]: all, and those in a mask."""

    all: F64
    polyp: F64

    @property
    def logits(self) -> F64:
        """The middle of each bin."""
        width = 2 * LARGEST_LOGIT / BINS
        return np.asarray(-LARGEST_LOGIT + width * (np.arange(BINS) + 0.5))


def count_logits(maps: Iterable[F32], masks: Sequence[U8]) -> LogitCounts:
    """maps: float32 probabilities at temperature 1, one a mask, brought to its size bilinearly."""
    everything, polyp = np.zeros(BINS), np.zeros(BINS)
    for probability, mask in zip(maps, masks, strict=True):
        native = at_native_size(probability, mask).astype(np.float64)
        edge = 1 / (1 + np.exp(LARGEST_LOGIT))
        native = np.clip(native, edge, 1 - edge)
        place = (np.log(native / (1 - native)) + LARGEST_LOGIT) * (BINS / (2 * LARGEST_LOGIT))
        place = np.clip(place.astype(np.int64), 0, BINS - 1)
        everything += np.bincount(place.ravel(), minlength=BINS)
        polyp += np.bincount(place[mask > 0], minlength=BINS)
    return LogitCounts(everything, polyp)


def best_temperature(counts: LogitCounts) -> float:
    """The temperature of the highest likelihood, to two digits; 1 where there is no polyp at all."""
    if not counts.polyp.any():
        return 1.0
    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(counts, float(np.exp(log_t))),
        bounds=(np.log(TEMPERATURES[0]), np.log(TEMPERATURES[1])),
        method="bounded",
    )
    return round(float(np.exp(found.x)), 2)


def negative_log_likelihood(counts: LogitCounts, temperature: float) -> float:
    """A pixel, in nats."""
    logits = counts.logits / temperature
    negative = counts.all - counts.polyp
    # log(1 + e^-z) and log(1 + e^z), safe for large z
    cost = counts.polyp * np.logaddexp(0, -logits) + negative * np.logaddexp(0, logits)
    return float(cost.sum() / counts.all.sum())


def cooled(probability: F32, temperature: float) -> F32:
    """The map, made at temperature 1, at another one."""
    safe = np.clip(probability.astype(np.float64), 1e-12, 1 - 1e-12)
    logits = np.log(safe / (1 - safe)) / temperature
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Reliability:
    """`said` and `true` float64 [n] of the bins that are shown; `share` of all pixels in each.

    `error`: the expected calibration error, |said - true| weighed by pixels; `polyp_error`: the same without
    the bin of the surest background, which holds nearly all pixels and makes the other figure look good.
    """

    said: F64
    true: F64
    share: F64
    error: float
    polyp_error: float


def reliability(counts: LogitCounts, temperature: float) -> Reliability:
    said = 1 / (1 + np.exp(-counts.logits / temperature))
    place = np.minimum((said * COARSE_BINS).astype(np.int64), COARSE_BINS - 1)
    pixels = np.bincount(place, counts.all, COARSE_BINS)
    polyp = np.bincount(place, counts.polyp, COARSE_BINS)
    mean_said = np.bincount(place, counts.all * said, COARSE_BINS) / np.maximum(pixels, 1)
    true = polyp / np.maximum(pixels, 1)
    apart = np.abs(mean_said - true)
    shown = pixels >= TOO_FEW_PX
    inner = pixels[1:]
    return Reliability(
        said=mean_said[shown],
        true=true[shown],
        share=pixels[shown] / pixels.sum(),
        error=float((apart * pixels).sum() / pixels.sum()),
        polyp_error=float((apart[1:] * inner).sum() / max(inner.sum(), 1)),
    )
