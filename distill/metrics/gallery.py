"""The worst images on one sheet: input, truth, prediction."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from distill.metrics.measure import THRESHOLD, Sample
from engine.types import U8

TILE_PX = 240
CAPTION_PX = 22
COUNT = 24
ACROSS = 2  # images side by side, three tiles each
TRUTH_BGR, FOUND_BGR = (80, 220, 80), (60, 160, 255)
_MARGIN_PX = 4


@dataclass
class Gallery:
    """Keeps the strips of the images with the lowest figures among those shown to it."""

    count: int = COUNT
    _worst: list[tuple[float, int, str, U8]] = field(default_factory=list)  # a heap, the least bad on top
    _shown: int = 0

    def add(self, sample: Sample, figure: float) -> None:
        """Remember it if its figure is among the lowest so far."""
        self._shown += 1
        if len(self._worst) == self.count and -figure <= self._worst[0][0]:
            return
        # The running number: heapq must never compare pictures.
        entry = (-figure, self._shown, sample.case.name, _strip(sample))
        if len(self._worst) < self.count:
            heapq.heappush(self._worst, entry)
        else:
            heapq.heapreplace(self._worst, entry)

    def sheet(self) -> bytes:
        """PNG, worst first, row by row. Without any image: a single caption."""
        strips = [
            _captioned(strip, f"{name}  {-figure:.3f}")
            for figure, _, name, strip in sorted(self._worst)[::-1]
        ]
        if not strips:
            strips = [_captioned(np.zeros((TILE_PX, 3 * TILE_PX, 3), np.uint8), "no image with a polyp")]
        blank = np.zeros_like(strips[0])
        strips += [blank] * (-len(strips) % ACROSS)
        rows = [np.hstack(strips[i : i + ACROSS]) for i in range(0, len(strips), ACROSS)]
        return bytes(cv2.imencode(".png", np.vstack(rows))[1])


def _strip(sample: Sample) -> U8:
    height, width = sample.mask.shape
    scale = (TILE_PX - 2 * _MARGIN_PX) / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.zeros((size[1], size[0], 3), np.uint8)
    if sample.picture is not None:
        small[:] = cv2.resize(sample.picture, size, interpolation=cv2.INTER_AREA)
    truth = cv2.resize((sample.mask > 0).astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    chance = cv2.resize(sample.probability, size, interpolation=cv2.INTER_LINEAR)
    tiles = (small, _drawn(small, truth, TRUTH_BGR), _drawn(small, chance, FOUND_BGR))
    return np.hstack([_tile(picture) for picture in tiles])


def _drawn(picture: U8, chance: npt.NDArray[Any], colour: tuple[int, int, int]) -> U8:
    """The picture with the map, float [h, w] in 0..1, as a veil, and the outline of what is found."""
    veil = (0.5 * chance)[..., None]
    mixed = picture * (1 - veil) + np.array(colour, np.float32) * veil
    drawn = np.ascontiguousarray(mixed.astype(np.uint8))
    inside = (chance > THRESHOLD).astype(np.uint8)
    lines, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(drawn, lines, -1, colour, 1)
    return drawn


def _tile(picture: U8) -> U8:
    tile = np.zeros((TILE_PX, TILE_PX, 3), np.uint8)
    top, left = (TILE_PX - picture.shape[0]) // 2, (TILE_PX - picture.shape[1]) // 2
    tile[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return tile


def _captioned(strip: U8, text: str) -> U8:
    caption = np.zeros((CAPTION_PX, strip.shape[1], 3), np.uint8)
    cv2.putText(caption, text, (6, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (235, 235, 235), 1, cv2.LINE_AA)
    return np.vstack([caption, strip])
