"""The protocols of PROTOCOLS, each a function of counted pixels. Which paper uses which: docs/metrics.md.

`draws` is float64 [d, n]; every figure is float64 [d]. Both empty counts 1, one of both empty 0.
"""

from __future__ import annotations

import numpy as np

from distill.metrics.pixels import F64, Pixels

Figures = dict[str, F64]
BATCH = 6  # images pooled by `batch_micro`, as the published notebook does
SMOOTH = 1.0  # of `soft_minmax`, as Polyp-PVT's selection has it


def p05_image(pixels: Pixels, draws: F64) -> Figures:
    """Probability > 0.5, one figure an image, mean over images."""
    return _means(overlap(pixels.hit, pixels.found, pixels.there), draws)


def p05_minmax(pixels: Pixels, draws: F64) -> Figures:
    """`p05_image` of the map stretched to 0..1: a faint miss becomes a hit."""
    return _means(overlap(pixels.stretched_hit, pixels.stretched_found, pixels.there), draws)


def pranet_mean(pixels: Pixels, draws: F64) -> Figures:
    """Mean over images, then over the 256 thresholds of the stretched map; threshold 0 finds everything."""
    return {name: curve.mean(1) for name, curve in _curves(pixels, draws).items()}


def pranet_max(pixels: Pixels, draws: F64) -> Figures:
    """The best of the 256 mean Dice, the best mean IoU; precision and recall where Dice is best."""
    curves = _curves(pixels, draws)
    best = curves["dice"].argmax(1)[:, None]
    at_best = {name: np.take_along_axis(curve, best, 1)[:, 0] for name, curve in curves.items()}
    return {**at_best, "iou": curves["iou"].max(1)}


def soft_minmax(pixels: Pixels, draws: F64) -> Figures:
    """Soft Dice of the stretched map, smooth 1; IoU is the same overlap as D / (2 - D)."""
    dice = (2 * pixels.soft_hit + SMOOTH) / (pixels.soft_found + pixels.there + SMOOTH)
    exact = overlap(pixels.soft_hit, pixels.soft_found, pixels.there)
    return _means({**exact, "dice": dice, "iou": dice / (2 - dice)}, draws)


def dataset_micro(pixels: Pixels, draws: F64) -> Figures:
    """Probability > 0.5, the pixels of all images in one pot: large polyps hide small misses."""
    return overlap(draws @ pixels.hit, draws @ pixels.found, draws @ pixels.there)


def batch_micro(pixels: Pixels, draws: F64, batch: int = BATCH) -> Figures:
    """`dataset_micro` of each `batch` consecutive images, the last may be smaller, mean over batches.

    A draw weighs the images inside their batches; a batch of which nothing was drawn is left out.
    """
    starts = np.arange(0, draws.shape[1], batch)
    pooled = [
        np.add.reduceat(draws * counts, starts, axis=1) for counts in (pixels.hit, pixels.found, pixels.there)
    ]
    drawn = np.add.reduceat(draws, starts, axis=1) > 0
    return {name: (value * drawn).sum(1) / drawn.sum(1) for name, value in overlap(*pooled).items()}


def overlap(hit: F64, found: F64, there: F64) -> Figures:
    """Dice, IoU, precision and recall, element by element, from counts of one shape."""
    nothing = (found + there) == 0
    return {
        "dice": _ratio(2 * hit, found + there, nothing),
        "iou": _ratio(hit, found + there - hit, nothing),
        "precision": _ratio(hit, found, nothing),
        "recall": _ratio(hit, there, nothing),
    }


def _ratio(part: F64, whole: F64, nothing: np.ndarray) -> F64:
    return np.where(nothing, 1.0, part / np.where(whole > 0, whole, 1.0))


def _curves(pixels: Pixels, draws: F64) -> Figures:
    """The figures at each of the 256 thresholds, mean over images: float64 [d, 256]."""
    there = np.broadcast_to(pixels.there[:, None], pixels.curve_hit.shape)
    return _means(overlap(pixels.curve_hit, pixels.curve_found, there), draws)


def _means(figures: Figures, draws: F64) -> Figures:
    weight = draws.sum(1)
    return {
        name: draws @ value / (weight if value.ndim == 1 else weight[:, None])
        for name, value in figures.items()
    }
