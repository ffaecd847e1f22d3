"""Tiling textures of the mucosa: grain, relief, vessels, gland patterns, bubbles.

All are made once for a scene from its seed, tile without a seam, and are sampled in three planes
(`Texture.triplanar`), so folds and polyps need no unwrapping.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.types import F32

Point = Sequence[float]  # x, y

_ROW = 512  # cv2.remap takes at most 32767 rows or columns, so flat lists of points are folded


@dataclass(frozen=True, slots=True)
class Texture:
    """A square tile with its half-size levels. `levels[i]`: float32 [n, n, channels]; `tile_cm`: its side."""

    levels: tuple[F32, ...]
    tile_cm: float

    @classmethod
    def of(cls, tile: F32, tile_cm: float, levels: int = 5) -> Texture:
        """`tile` is float32 [n, n, channels], n a power of two, at most 4 channels."""
        pyramid = [np.ascontiguousarray(tile)]
        while len(pyramid) < levels and pyramid[-1].shape[0] > 16:
            half = pyramid[-1].shape[0] // 2
            pyramid.append(
                cv2.resize(pyramid[-1], (half, half), interpolation=cv2.INTER_AREA).astype(np.float32)
            )
        return cls(tuple(pyramid), tile_cm)

    def sample(self, u_cm: F32, v_cm: F32, footprint_cm: F32) -> F32:
        """float32 [n, channels] at n points; `footprint_cm` is what one pixel covers there."""
        texel_cm = self.tile_cm / self.levels[0].shape[0]
        lod = np.log2(np.maximum(footprint_cm / texel_cm, 1.0))
        lod = np.minimum(lod, len(self.levels) - 1.001)
        lower = lod.astype(np.int32)
        share = (lod - lower)[:, None]
        values = np.zeros((u_cm.size, self.levels[0].shape[2]), np.float32)
        for number, level in enumerate(self.levels):
            here = np.flatnonzero((lower == number) | (lower == number - 1))
            if here.size == 0:
                continue
            got = _remap(level, u_cm[here] / self.tile_cm, v_cm[here] / self.tile_cm)
            weight = np.where((lower[here] == number)[:, None], 1 - share[here], share[here])
            values[here] += got * weight
        return values

    def triplanar(self, point: F32, weight: F32, footprint_cm: F32) -> tuple[F32, F32]:
        """Values and relief at n points.

        `point` [n, 3] cm and `weight` [n, 3] (sums to 1, from the normal). Channels 0 and 1 of the tile are
        the slope of its relief along u and v, the rest are values. Returns the values [n, channels - 2]
        and the slope as a vector in space [n, 3].
        """
        values = np.zeros((point.shape[0], self.levels[0].shape[2] - 2), np.float32)
        slope = np.zeros_like(point)
        for plane, (u, v) in enumerate(((1, 2), (2, 0), (0, 1))):
            here = np.flatnonzero(weight[:, plane] > 0.02)
            if here.size == 0:
                continue
            shift = 0.37 * plane * self.tile_cm  # the three planes must not show the same piece
            got = self.sample(point[here, u] + shift, point[here, v], footprint_cm[here])
            share = weight[here, plane]
            values[here] += got[:, 2:] * share[:, None]
            slope[here, u] += got[:, 0] * share
            slope[here, v] += got[:, 1] * share
        return values, slope


def _remap(tile: F32, u: F32, v: F32) -> F32:
    size = tile.shape[0]
    count = u.size
    rows = -(-count // _ROW)
    folded = np.zeros((2, rows * _ROW), np.float32)
    folded[0, :count] = (u - np.floor(u)) * size - 0.5
    folded[1, :count] = (v - np.floor(v)) * size - 0.5
    maps = folded.reshape(2, rows, _ROW)
    got = cv2.remap(tile, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return got.reshape(rows * _ROW, tile.shape[2])[:count].astype(np.float32)


def band_noise(rng: np.random.Generator, size: int, low: float, high: float, slope: float = 0.0) -> F32:
    """Tiling noise of unit deviation with `low`..`high` cycles a tile, amplitude falling as f^-slope."""
    spectrum = np.fft.rfft2(rng.standard_normal((size, size)).astype(np.float32))
    cycles = np.hypot(np.fft.fftfreq(size, 1 / size)[:, None], np.fft.rfftfreq(size, 1 / size)[None])
    window = 1 / (1 + (low / np.maximum(cycles, 1e-3)) ** 8) / (1 + (cycles / high) ** 8)
    window *= np.maximum(cycles, 1.0) ** -slope
    window[0, 0] = 0
    noise = np.fft.irfft2(spectrum * window, s=(size, size))
    return np.asarray(noise / noise.std(), np.float32)


def relief_slope(height_cm: F32, tile_cm: float) -> tuple[F32, F32]:
    """Slope of a tiling height along u (columns) and v (rows), without unit."""
    texel_cm = tile_cm / height_cm.shape[0]
    along_u = (np.roll(height_cm, -1, 1) - np.roll(height_cm, 1, 1)) / (2 * texel_cm)
    along_v = (np.roll(height_cm, -1, 0) - np.roll(height_cm, 1, 0)) / (2 * texel_cm)
    return along_u.astype(np.float32), along_v.astype(np.float32)


def labyrinth(rng: np.random.Generator, size: int, cycles: float, rounds: int = 8) -> F32:
    """A maze of even ridges in -1..1, the look of an adenoma's gyri: band-pass and saturate, repeated."""
    pattern = band_noise(rng, size, cycles * 0.8, cycles * 1.25)
    frequency = np.hypot(np.fft.fftfreq(size, 1 / size)[:, None], np.fft.rfftfreq(size, 1 / size)[None])
    band = np.exp(-(((frequency - cycles) / (0.28 * cycles)) ** 2))
    for _ in range(rounds):
        filtered = np.fft.irfft2(np.fft.rfft2(np.tanh(2.0 * pattern)) * band, s=(size, size))
        pattern = np.asarray(filtered / filtered.std(), np.float32)
    return np.asarray(np.tanh(1.2 * pattern), np.float32)


def vessels(rng: np.random.Generator, size: int, tile_cm: float, trunks: int = 15) -> F32:
    """Density 0..1 of a branching vessel network that tiles: winding trunks that fork and taper."""
    px_cm = size / tile_cm
    main = rng.uniform(0, np.pi)  # trunks of one region run roughly alike
    sprouts: list[_Sprout] = []
    for _ in range(trunks):
        at, heading, width_cm = (
            rng.uniform(0, tile_cm, 2),
            main + rng.normal(0, 0.5),
            rng.uniform(0.028, 0.055),
        )
        sprouts += [_Sprout(at, heading, width_cm, 0), _Sprout(at, heading + np.pi, width_cm, 0)]
    strokes: list[tuple[float, Point, Point]] = []
    while sprouts:
        line, widths_cm, young = _branch(rng, sprouts.pop())
        sprouts += young
        points = (line * px_cm).tolist()
        strokes += zip(widths_cm.tolist(), points[:-1], points[1:], strict=True)
    canvas = np.zeros((size, size), np.float32)
    for width_cm, start, end in sorted(strokes, key=lambda stroke: stroke[0]):  # trunks over twigs
        _wrapped_line(canvas, start, end, width_cm * px_cm, min(1.0, 0.25 + width_cm / 0.045))
    sigma_px = max(0.6, 0.007 * px_cm)
    return cv2.GaussianBlur(canvas, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT_101).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Sprout:
    """Where a vessel begins, in cm, and how far it is from its trunk."""

    at: npt.NDArray[np.float64]
    heading: float
    width_cm: float
    depth: int


def _branch(
    rng: np.random.Generator, sprout: _Sprout
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], list[_Sprout]]:
    """One vessel up to its fork: points [n + 1, 2] and widths [n] in cm, and what sprouts from it."""
    step_cm = 0.05
    count = int(rng.uniform(1.0, 2.6) * 0.8**sprout.depth / step_cm)
    goal = sprout.heading + np.cumsum(rng.normal(0, 0.05, count))
    bends = 2 * np.pi * np.arange(count) * step_cm / rng.uniform(0.35, 0.8) + rng.uniform(0, 2 * np.pi)
    heading = goal + 0.55 * np.sin(bends) + rng.normal(0, 0.12, count)
    steps = step_cm * np.column_stack([np.cos(heading), np.sin(heading)])
    line = np.asarray(np.vstack([sprout.at[None], sprout.at + np.cumsum(steps, 0)]), np.float64)
    widths_cm = np.asarray(sprout.width_cm * 0.993 ** np.arange(count), np.float64)
    young = []
    if sprout.depth < 4:
        for k in np.flatnonzero((rng.random(count) < 0.06) & (widths_cm > 0.009)):
            side = goal[k] + rng.choice((-1, 1)) * rng.uniform(0.5, 1.1)
            young.append(_Sprout(line[k + 1], side, widths_cm[k] * rng.uniform(0.4, 0.7), sprout.depth + 1))
        if widths_cm[-1] > 0.009:
            for sign in (-1, 1):
                fork = goal[-1] + sign * rng.uniform(0.25, 0.6)
                young.append(
                    _Sprout(line[-1], fork, widths_cm[-1] * rng.uniform(0.55, 0.8), sprout.depth + 1)
                )
    return line, widths_cm, young


def _wrapped_line(canvas: F32, start: Point, end: Point, width_px: float, value: float) -> None:
    """One stroke, drawn again across each edge that it touches; `width_px` under 1 fades instead."""
    size = canvas.shape[0]
    home_x, home_y = math.floor(start[0] / size) * size, math.floor(start[1] / size) * size
    x0, y0, x1, y1 = start[0] - home_x, start[1] - home_y, end[0] - home_x, end[1] - home_y
    thickness = max(1, round(width_px))
    ink = value * min(1.0, max(width_px, 0.3))
    reach = thickness + max(abs(x1 - x0), abs(y1 - y0)) + 1
    shifts_x = [0] + ([size] if x0 < reach else []) + ([-size] if x0 > size - reach else [])
    shifts_y = [0] + ([size] if y0 < reach else []) + ([-size] if y0 > size - reach else [])
    for dx in shifts_x:
        for dy in shifts_y:
            a = (round((x0 + dx) * 8), round((y0 + dy) * 8))
            b = (round((x1 + dx) * 8), round((y1 + dy) * 8))
            cv2.line(canvas, a, b, ink, thickness, cv2.LINE_AA, 3)


def mucosa(rng: np.random.Generator, size: int) -> Texture:
    """Fine tile of the wall: slopes of the relief, vessel density, grain. 8 cm wide."""
    tile_cm = 8.0
    fine = band_noise(rng, size, 50, 110) * 0.0016
    middle = band_noise(rng, size, 14, 34, 0.3) * 0.0075
    wide = band_noise(rng, size, 4, 10) * 0.012
    patchy = np.clip(
        0.65 + 0.5 * band_noise(rng, size, 3, 7), 0.15, 1.5
    )  # smooth stretches beside wrinkled ones
    network = vessels(rng, size, tile_cm)
    height = (fine + middle) * patchy + wide + 0.0035 * network
    grain = 0.55 * band_noise(rng, size, 60, 200, 0.5) + 0.45 * band_noise(rng, size, 12, 60, 0.5)
    tile = np.dstack([*relief_slope(height, tile_cm), network, grain])
    return Texture.of(tile, tile_cm)


def tone(rng: np.random.Generator, size: int) -> Texture:
    """Wide tile of the wall: broad relief and three slow fields (colour, pallor, residue). 21 cm wide."""
    tile_cm = 21.0
    height = band_noise(rng, size, 6, 14) * 0.035
    fields = [band_noise(rng, size, 3, 16, 0.9), band_noise(rng, size, 8, 40, 0.8)]
    return Texture.of(np.dstack([*relief_slope(height, tile_cm), *fields]), tile_cm)


def glands(rng: np.random.Generator, size: int) -> Texture:
    """Tile of a polyp's own surface: relief slopes, gyri, and open pits. 2 cm wide."""
    tile_cm = 2.0
    patchy = np.clip(0.45 + 0.5 * band_noise(rng, size, 2, 6), 0.0, 1.2)
    gyri = (labyrinth(rng, size, 26, 3) * patchy).astype(np.float32)
    lumps = band_noise(rng, size, 5, 12)
    pits = np.clip(labyrinth(rng, size, 40, 3) * 1.5 - 0.5, 0, 1)
    height = 0.0016 * gyri + 0.009 * lumps
    return Texture.of(np.dstack([*relief_slope(height, tile_cm), gyri, pits]), tile_cm)


def foam(rng: np.random.Generator, size: int, count: int = 700) -> Texture:
    """Bubbles that lie on the wall: the slopes of their domes, the bright rim, and each bubble's rank 0..1
    where it covers. 3 cm wide."""
    tile_cm = 3.0
    tile = np.zeros((size, size, 4), np.float32)
    px_cm = size / tile_cm
    radii_cm = np.sort(0.014 + 0.15 * rng.random(count) ** 5)[::-1]
    taken = np.zeros((0, 3))
    for radius_cm in radii_cm:
        centre = rng.uniform(0, tile_cm, 2)
        apart = np.linalg.norm(_wrap(taken[:, :2] - centre, tile_cm), axis=1)
        if (apart < 0.93 * (taken[:, 2] + radius_cm)).any():
            continue
        taken = np.concatenate([taken, [[*centre, radius_cm]]])
        reach = int(radius_cm * px_cm) + 2
        at = np.floor(centre * px_cm).astype(int)
        span = np.arange(-reach, reach + 1)
        columns, rows = (at[0] + span) % size, (at[1] + span) % size
        dx = (at[0] + span + 0.5) / px_cm - centre[0]
        dy = (at[1] + span + 0.5) / px_cm - centre[1]
        rho = np.hypot(dx[None], dy[:, None]) / radius_cm
        inside = np.clip((1 - rho) * radius_cm * px_cm + 0.5, 0, 1)
        steep = 1.0 / np.sqrt(np.maximum(1 - np.minimum(rho, 0.93) ** 2, 0.02))
        patch = np.ix_(rows, columns)
        old = tile[patch]
        rim = np.exp(-(((rho - 0.93) / 0.10) ** 2))
        rank = rng.uniform(0.25, 1.0)
        dome = np.dstack(
            [
                -dx[None] / radius_cm * steep * inside,
                -dy[:, None] / radius_cm * steep * inside,
                rim,
                inside * rank,
            ]
        )
        tile[patch] = np.where(inside[..., None] > 0, dome, old)
    return Texture.of(tile.astype(np.float32), tile_cm, levels=3)


def _wrap(delta: npt.NDArray[np.float64], period: float) -> npt.NDArray[np.float64]:
    return np.asarray((delta + period / 2) % period - period / 2, np.float64)
