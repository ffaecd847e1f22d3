"""How polyps of each kind are built from ellipsoids and a stalk, and where they sit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.scene.colon import SPACING_CM, Colon
from assets.scene.polyp import Polyp, PolypKind
from engine.types import F32

Part = tuple[float, ...]  # an ellipsoid: centre x, y, z and half-axes, cm


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts of one polyp in its own frame; see `Polyp` for the fields."""

    blobs: list[Part]
    soft_cm: float
    contact_cm: float
    lump_cm: float
    gyri: float
    redness: float
    stalk: F32


def grow(
    rng: np.random.Generator,
    colon: Colon,
    kind: PolypKind,
    s_cm: float,
    angle: float,
    size_cm: float,
    gravity: F32,
) -> Polyp:
    """A polyp about `size_cm` across on the wall at s and `angle`; heads on stalks hang along `gravity`."""
    base, normal = colon.wall_point(s_cm, angle)
    axes = _axes(rng, normal, colon.frame(s_cm)[1])
    shape = _BUILDERS[kind](rng, size_cm / 2, (axes @ gravity).astype(np.float64))
    blobs = np.array(shape.blobs, np.float32)
    middle, bound_cm = _bound(blobs, shape.stalk)
    return Polyp(
        kind=kind,
        s_cm=s_cm,
        base=base,
        axes=axes,
        blobs=blobs,
        stalk=shape.stalk,
        soft_cm=shape.soft_cm,
        contact_cm=shape.contact_cm,
        lump_cm=shape.lump_cm,
        lump_hz=float(rng.uniform(6, 10) / max(size_cm, 0.5)),
        bound_cm=bound_cm + 3 * shape.lump_cm,
        middle=(base + middle @ axes).astype(np.float32),
        redness=shape.redness,
        gyri=shape.gyri,
    )


def _sessile(rng: np.random.Generator, half: float, hang: npt.NDArray[np.float64]) -> Shape:
    """A dome on a broad base."""
    wide, deep, high = (
        half * rng.uniform(0.95, 1.15),
        half * rng.uniform(0.8, 1.0),
        half * rng.uniform(0.65, 1.0),
    )
    blobs: list[Part] = [(0, 0, 0.22 * half, wide, deep, high)]
    blobs += _lobes(rng, 3, 0.5 * half, 0.5 * half, 0.3 * half)
    return Shape(
        blobs, 0.4 * half, 0.22, 0.04 * half, rng.uniform(0.15, 0.7), rng.uniform(0.1, 0.6), _NO_STALK
    )


def _flat(rng: np.random.Generator, half: float, hang: npt.NDArray[np.float64]) -> Shape:
    """A plaque with an uneven outline, a third as high as wide."""
    blobs: list[Part] = [(0, 0, 0, half * rng.uniform(1.0, 1.25), half * rng.uniform(0.8, 1.0), 0.48 * half)]
    blobs += _lobes(rng, 4, 0.7 * half, 0.42 * half, 0.03 * half, squash=0.75)
    return Shape(
        blobs, 0.35 * half, 0.18, 0.024 * half, rng.uniform(0.5, 0.9), rng.uniform(0.2, 0.55), _NO_STALK
    )


def _lobulated(rng: np.random.Generator, half: float, hang: npt.NDArray[np.float64]) -> Shape:
    """A cauliflower of lobes with furrows between them."""
    blobs: list[Part] = [(0, 0, 0.40 * half, 0.74 * half, 0.68 * half, 0.70 * half)]
    blobs += _lobes(rng, 7, 0.58 * half, 0.42 * half, 0.52 * half)
    blobs += _lobes(rng, 3, 0.28 * half, 0.36 * half, 0.85 * half)
    return Shape(
        blobs, 0.16 * half, 0.12, 0.02 * half, rng.uniform(0.7, 1.0), rng.uniform(0.3, 0.85), _NO_STALK
    )


def _pedunculated(rng: np.random.Generator, half: float, hang: npt.NDArray[np.float64]) -> Shape:
    """A lobed head on a stalk that leaves the wall straight and then gives way to gravity."""
    length_cm = 2 * half * rng.uniform(0.8, 1.2)
    down = np.array([hang[0], hang[1], 0.0])
    knee = np.array([0.0, 0.0, 0.75 * length_cm]) + 0.15 * length_cm * down
    fall = down + np.array([0, 0, 0.35])
    tip = knee + 0.75 * length_cm * fall / np.linalg.norm(fall)
    part = np.linspace(0, 1, 8)
    line = 2 * (part * (1 - part))[:, None] * knee + (part**2)[:, None] * tip  # a quadratic Bezier curve
    radii = max(0.10, 0.3 * half) * (1 + 0.5 * (1 - part) ** 3 + 0.25 * part**3)
    stalk = np.array([[*line[i], radii[i], *line[i + 1], radii[i + 1]] for i in range(7)], np.float32)
    blobs: list[Part] = [(*tip.tolist(), 0.86 * half, 0.80 * half, 0.82 * half)]
    lobes = _lobes(rng, 6, 0.52 * half, 0.48 * half, 0.1 * half) + _lobes(
        rng, 2, 0.3 * half, 0.4 * half, 0.5 * half
    )
    blobs += [(*(np.array(lobe[:3]) + tip).tolist(), *lobe[3:]) for lobe in lobes]
    return Shape(blobs, 0.13 * half, 0.30, 0.03 * half, rng.uniform(0.7, 1.0), rng.uniform(0.35, 0.85), stalk)


_NO_STALK = np.zeros((0, 8), np.float32)
_BUILDERS: dict[PolypKind, Callable[[np.random.Generator, float, npt.NDArray[np.float64]], Shape]] = {
    PolypKind.SESSILE: _sessile,
    PolypKind.FLAT: _flat,
    PolypKind.LOBULATED: _lobulated,
    PolypKind.PEDUNCULATED: _pedunculated,
}


def _lobes(
    rng: np.random.Generator, count: int, ring: float, radius: float, height: float, squash: float = 1.0
) -> list[Part]:
    """Smaller ellipsoids in a ring around the middle."""
    lobes: list[Part] = []
    start = rng.uniform(0, 2 * np.pi)
    for k in range(count):
        angle = start + 2 * np.pi * (k + rng.uniform(-0.25, 0.25)) / count
        far, size = ring * rng.uniform(0.7, 1.1), radius * rng.uniform(0.75, 1.2)
        centre = (far * np.cos(angle), far * np.sin(angle), height * rng.uniform(0.6, 1.5))
        lobes.append((*centre, size, size * rng.uniform(0.85, 1.1), size * squash))
    return lobes


def _axes(rng: np.random.Generator, normal: F32, tangent: F32) -> F32:
    """Rows: two directions along the wall, turned at random, and the normal."""
    first = tangent - normal * np.dot(tangent, normal)
    first /= np.linalg.norm(first)
    second = np.cross(normal, first)
    turn = rng.uniform(0, 2 * np.pi)
    along = np.cos(turn) * first + np.sin(turn) * second
    across = np.cos(turn) * second - np.sin(turn) * first
    return np.stack([along, across, normal]).astype(np.float32)


def _bound(blobs: F32, stalk: F32) -> tuple[F32, float]:
    """Centre [3] and radius of a sphere that holds all parts, in the polyp's frame."""
    balls = np.concatenate(
        [
            np.column_stack([blobs[:, :3], blobs[:, 3:].max(1)]),
            stalk[:, 4:8],
            np.array([[0, 0, 0, 0.2]], np.float32),
        ]
    )
    low = (balls[:, :3] - balls[:, 3:]).min(0)
    high = (balls[:, :3] + balls[:, 3:]).max(0)
    middle = ((low + high) / 2).astype(np.float32)
    return middle, float((np.linalg.norm(balls[:, :3] - middle, axis=1) + balls[:, 3]).max())


_USUAL_CM = {
    PolypKind.SESSILE: 1.0,
    PolypKind.FLAT: 1.3,
    PolypKind.LOBULATED: 1.3,
    PolypKind.PEDUNCULATED: 1.0,
}
_FIRST_CM = 6.0
_APART_CM = 3.0


def planted(
    rng: np.random.Generator, colon: Colon, count: int, length_cm: float, gravity: F32
) -> tuple[Polyp, ...]:
    """`count` polyps of all kinds between the folds of the way, with one long stretch that has none."""
    if count == 0:
        return ()
    kinds = list(PolypKind)
    order = [kinds[k] for k in rng.permutation(np.arange(count) % len(kinds))]
    spare_cm = max(0.86 * length_cm - _FIRST_CM - _APART_CM * (count - 1), 0.0)
    weights = rng.uniform(0.3, 1.0, count)
    if count > 2:
        weights[rng.integers(1, count)] += 0.9 * count
    gaps_cm = weights / weights.sum() * spare_cm
    places_cm = _FIRST_CM + np.cumsum(gaps_cm) - gaps_cm[0] + _APART_CM * np.arange(count)
    polyps = []
    for kind, place_cm in zip(order, places_cm.tolist(), strict=True):
        fold = int(np.argmin(np.abs(colon.fold_s_cm + SPACING_CM / 2 - place_cm)))
        s_cm = float(colon.fold_s_cm[fold] + SPACING_CM * rng.uniform(0.35, 0.8))
        size_cm = _USUAL_CM[kind] * rng.uniform(0.75, 1.35)
        polyps.append(grow(rng, colon, kind, s_cm, rng.uniform(0, 2 * np.pi), size_cm, gravity))
    return tuple(polyps)
