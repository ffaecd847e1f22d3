"""How far two outlines are apart."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def hd95_px(found: Mask, there: Mask) -> float:
    """The larger of the two directed 95th percentiles between the outlines, pixels. bool [h, w] both.

    One empty: the diagonal of the picture; both: 0. Outlines are the mask's own pixels that touch the outside
    by an edge; a mask that runs out of the picture ends there.
    Source: Metrics Reloaded (Maier-Hein 2024); medpy pools both directions before the percentile instead.
    """
    if not found.any() and not there.any():
        return 0.0
    if not found.any() or not there.any():
        return diagonal_px(there)
    first, second = _outline(found), _outline(there)
    return max(_directed(first, second), _directed(second, first))


def diagonal_px(mask: Mask) -> float:
    """Of the whole picture."""
    return math.hypot(*mask.shape)


def _outline(mask: Mask) -> Mask:
    solid = mask.astype(np.uint8)
    inner = cv2.erode(solid, _CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(solid > inner)


def _directed(source: Mask, target: Mask) -> float:
    away = cv2.distanceTransform((~target).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float(np.percentile(away[source], 95))
