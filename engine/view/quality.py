"""Whether a view can be judged at all: cheap gates on the network's own picture, with their delay. Pure.

They are set far from what a usable view is like: a gate that closes by mistake hides a polyp, one that stays
open costs a false mark. An instrument in view is not told: nothing
here can do that honestly without a network trained for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import cv2.typing
import numpy as np

from engine.types import U8

SIDE_PX = 160
EDGE_PX = 16  # of that side: outlines and text lie there
ON_S = 0.200
OFF_S = 0.400

BLURRED_BELOW = 0.08  # real usable views: 99.5 % over 0.12; out of focus by 3 px of 160: 0.03 to 0.07
CONTRAST_FLOOR = 8.0  # levels: of a flat picture every noise would be sharp
DARK_LEVEL, DARK_FRAC = 45, 0.75
BRIGHT_LEVEL, BRIGHT_FRAC = 245, 0.35
RED_FRAC, RED_CONTRAST = 0.62, 12.0  # the lens lies on the mucosa: red, and nothing to be seen
SPOT_LEVELS, SPOT_SIZE_PX, SPOTS_FRAC = 40, 7, 0.06  # bubbles and jets of water: a glint beside the other
GREY_FRAC, GREY_SATURATION = 0.08, 0.15  # no tissue is grey, dyed or not


class ViewFault(StrEnum):
    """Why a view cannot be judged, as it is said."""

    BLURRED = "blurred"
    DARK = "too dark"
    BRIGHT = "over-exposed"
    TOUCHING = "lens on the wall"
    BUBBLES = "water or bubbles"
    OUTSIDE = "outside the body"


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one picture. Shares are 0..1; `contrast` is the deviation of green, in levels of 255.

    `sharpness`: deviation of green's Laplacian over the contrast. `redness`: (R - G) / R of the
    mean colour; `saturation`: how far pixels are from grey, so tissue dyed blue is as far as red tissue.
    """

    sharpness: float
    contrast: float
    dark_frac: float
    bright_frac: float
    spots_frac: float
    redness: float
    saturation: float


def measure(picture: U8) -> Measures:
    """Of uint8 [h, w, 3] RGB, the endoscope's picture without panels."""
    inside, size = np.s_[EDGE_PX:-EDGE_PX, EDGE_PX:-EDGE_PX], (SIDE_PX, SIDE_PX)
    # Detail is that of an area filter; colours need none, which takes 0.3 ms for all three channels.
    detail = cv2.resize(cv2.extractChannel(picture, 1), size, interpolation=cv2.INTER_AREA)
    green = np.ascontiguousarray(detail[inside])
    inner = np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)[inside])
    first, second, third = cv2.split(inner)
    brightest = cv2.max(cv2.max(first, second), third)
    darkest = cv2.min(cv2.min(first, second), third)
    contrast = float(cv2.meanStdDev(green)[1][0, 0])
    edges = float(cv2.meanStdDev(cv2.Laplacian(green, cv2.CV_16S))[1][0, 0])
    glints = cv2.subtract(green, cv2.blur(green, (SPOT_SIZE_PX, SPOT_SIZE_PX)))
    pixels = green.size
    r, g = cv2.mean(inner)[:2]
    return Measures(
        sharpness=edges / (contrast + CONTRAST_FLOOR),
        contrast=contrast,
        dark_frac=1.0 - _over(brightest, DARK_LEVEL - 1) / pixels,
        bright_frac=_over(green, BRIGHT_LEVEL) / pixels,
        spots_frac=_over(glints, SPOT_LEVELS) / pixels,
        redness=(r - g) / (r + 1.0),
        saturation=cv2.mean(cv2.subtract(brightest, darkest))[0] / (cv2.mean(brightest)[0] + 1.0),
    )


def _over(plane: cv2.typing.MatLike, level: int) -> int:
    return cv2.countNonZero(cv2.threshold(plane, level, 255, cv2.THRESH_BINARY)[1])


def faults_of(of: Measures) -> frozenset[ViewFault]:
    """What is wrong with this one picture."""
    if of.dark_frac > DARK_FRAC:
        return frozenset({ViewFault.DARK})  # the rest says nothing about what is not lit
    if of.bright_frac > BRIGHT_FRAC:
        return frozenset({ViewFault.BRIGHT})
    found = set()
    if of.redness > RED_FRAC and of.contrast < RED_CONTRAST:
        found.add(ViewFault.TOUCHING)
    elif of.sharpness < BLURRED_BELOW:
        found.add(ViewFault.BLURRED)
    if of.spots_frac > SPOTS_FRAC:
        found.add(ViewFault.BUBBLES)
    if of.redness < GREY_FRAC and of.saturation < GREY_SATURATION:
        found.add(ViewFault.OUTSIDE)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class ViewQuality:
    """What has been wrong for a while. `since_s`: of each fault, since when it is there, or is gone."""

    faults: frozenset[ViewFault] = frozenset()
    since_s: tuple[tuple[ViewFault, float], ...] = ()

    @property
    def is_good(self) -> bool:
        return not self.faults


def after(before: ViewQuality, faults: frozenset[ViewFault], now_s: float) -> ViewQuality:
    """On after 200 ms without a break, off after 400 ms: a single picture decides nothing."""
    if faults == before.faults:  # nothing is about to change, as in most frames
        return before if not before.since_s else ViewQuality(before.faults)
    since = dict(before.since_s)
    told = set(before.faults)
    changing: dict[ViewFault, float] = {}
    for fault in ViewFault:
        there, is_told = fault in faults, fault in told
        if there == is_told:
            continue
        begun_s = min(since.get(fault, now_s), now_s)
        if now_s - begun_s >= (ON_S if there else OFF_S) - 1e-9:
            told.symmetric_difference_update({fault})
        else:
            changing[fault] = begun_s
    return ViewQuality(frozenset(told), tuple(changing.items()))
