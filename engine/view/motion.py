"""How far the picture's content moved from one look to the next: phase correlation of very small pictures."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.types import F32, U8

SIDE_PX = 80
EVEN_PX = 11  # over so much of a look its contrast is evened: the endoscope's light moves with it
NOISE = 4.0  # grey levels: less contrast than that is noise and stays small
# Of pictures with nothing in common 90 % stay below it, of frames that follow each other half reach 0.33.
LEAST_RESPONSE = 0.16
PEAK_PX = 2  # around the highest value: their centre is the shift, finer than a pixel
TINY = 1e-9
FARTHEST_FRAC = 0.4  # of the side: beyond it hardly anything of the picture before is left to compare


@dataclass(frozen=True, slots=True)
class Motion:
    """From the look before, as fractions of the picture's width and height; right and down are positive."""

    dx_frac: float = 0.0
    dy_frac: float = 0.0


STILL = Motion()
_WINDOW = np.outer(np.hanning(SIDE_PX), np.hanning(SIDE_PX)).astype(np.float32)


def look_of(picture: U8) -> F32:
    """What two looks are compared by: the green of uint8 [h, w, 3], its contrast evened, float32 [80, 80]."""
    green = cv2.extractChannel(picture, 1)
    small = cv2.resize(green, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    detail = small - cv2.blur(small, (EVEN_PX, EVEN_PX))
    # Running sums fall a hair below zero behind a lit part, and a root of that is no number.
    power = np.maximum(cv2.blur(detail * detail, (EVEN_PX, EVEN_PX)), 0.0)
    return np.asarray(detail / (np.sqrt(power) + NOISE), np.float32)


def motion_between(before: F32, now: F32) -> Motion:
    """Of two looks of one source. `STILL` where they have nothing in common: another scene, or a black one.

    A shift alone: a turn or a zoom of the endoscope is one for the few hundredths of a second between looks.
    """
    (dx, dy), response = _correlated(before, now)
    if response < LEAST_RESPONSE or max(abs(dx), abs(dy)) > FARTHEST_FRAC * SIDE_PX:
        return STILL
    return Motion(dx / SIDE_PX, dy / SIDE_PX)


def _correlated(before: F32, now: F32) -> tuple[tuple[float, float], float]:
    """The shift in look pixels and how clear it is: 1 of a picture and itself.

    Our own: `cv2.phaseCorrelate` gives the same two pictures another answer whenever its memory has held
    something else (0.03 px from one frame to the same again), and tracks have to be the same bit for bit.
    """
    cross = np.fft.rfft2(now * _WINDOW) * np.conj(np.fft.rfft2(before * _WINDOW))
    surface = np.fft.irfft2(cross / (np.abs(cross) + TINY), (SIDE_PX, SIDE_PX))
    row, column = divmod(int(np.argmax(surface)), SIDE_PX)
    near = np.arange(-PEAK_PX, PEAK_PX + 1)
    peak = surface[np.ix_((row + near) % SIDE_PX, (column + near) % SIDE_PX)]
    weight = np.maximum(peak, 0.0) + TINY
    dy = row + float((weight.sum(1) * near).sum() / weight.sum())
    dx = column + float((weight.sum(0) * near).sum() / weight.sum())
    half = SIDE_PX / 2
    return (dx - SIDE_PX * (dx > half), dy - SIDE_PX * (dy > half)), float(peak.sum())
