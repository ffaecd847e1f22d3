"""What the surface is made of: colour, vessels, residue, relief and gloss of wall and polyps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assets.scene import fluids, texture
from assets.scene.hits import LIQUID, Hits
from assets.scene.light import Surface
from assets.scene.polyp import Polyp
from engine.types import F32

# Linear albedo, matched to the mean colours and ratios of published frames: salmon mucosa, pinker or paler
# in places, darker along vessels.
_SALMON = np.array([0.68, 0.215, 0.080], np.float32)
_PINK = np.array([0.66, 0.190, 0.088], np.float32)
_PALE = np.array([0.69, 0.295, 0.112], np.float32)
_VESSEL = np.array([0.72, 0.36, 0.40], np.float32)
_GRAIN = np.array([0.05, 0.10, 0.11], np.float32)
_RED = np.array([0.60, 0.135, 0.062], np.float32)
_RESIDUE = np.array([0.64, 0.31, 0.04], np.float32)
_SEAM_CM = 0.05  # width over which a polyp's colour fades into the wall's


@dataclass(slots=True)
class _Paint:
    """The surface while layers are laid over it: one row a point, changed in place."""

    albedo: F32
    slope: F32
    rough: F32
    wet: F32
    hue: F32
    grain: F32


class Tissue:
    """The mucosa of one patient: textures and tints drawn from the scene's generator."""

    def __init__(self, rng: np.random.Generator, texture_px: int) -> None:
        self._mucosa = texture.mucosa(rng, texture_px)
        self._tone = texture.tone(rng, texture_px // 2)
        self._glands = texture.glands(rng, texture_px // 2)
        self._bubbles = texture.foam(rng, texture_px // 2)
        self._vascular = np.float32(rng.uniform(0.45, 1.0))
        self._warm = np.float32(rng.uniform(0.1, 0.9))
        self._relief = np.float32(rng.uniform(0.8, 1.2))

    def surface(self, hits: Hits, polyps: tuple[Polyp, ...], patches: tuple[fluids.Foam, ...]) -> Surface:
        """Material at every hit, layer over layer: wall, polyps, liquid, foam."""
        paint = self._wall(hits)
        for polyp, margin_cm in zip(polyps, hits.margin_cm, strict=True):
            self._polyp(paint, hits, polyp, margin_cm)
        liquid = np.flatnonzero(hits.owner == LIQUID)
        paint.albedo[liquid] = fluids.colour_of(hits.wall_cm[liquid], paint.albedo[liquid])
        paint.slope[liquid] *= 0.06
        paint.rough[liquid] = 0.03
        paint.slope -= hits.shape * np.einsum("ij,ij->i", paint.slope, hits.shape)[:, None]
        film_slope = 2.0 * paint.slope
        fluids.cover_with_foam(
            patches, self._bubbles, hits.point, hits.footprint_cm, paint.albedo, film_slope, paint.rough
        )
        # Seen along the surface, relief hides itself; a bent normal does not know and would draw fur.
        facing = np.clip(1.6 * np.abs(np.einsum("ij,ij->i", hits.shape, hits.view)), 0.05, 1)[:, None]
        return Surface(
            point=hits.point,
            normal=_bent(hits.shape, 0.75 * paint.slope * facing),
            film=_bent(hits.shape, film_slope),
            shape=hits.shape,
            albedo=paint.albedo,
            rough=paint.rough,
            wet=paint.wet,
        )

    def _wall(self, hits: Hits) -> _Paint:
        weight = _plane_weight(hits.shape)
        fine, fine_slope = self._mucosa.triplanar(hits.point, weight, hits.footprint_cm)
        wide, wide_slope = self._tone.triplanar(hits.point, weight, hits.footprint_cm)
        network, grain = fine[:, 0], fine[:, 1]
        hue, residue = wide[:, 0], wide[:, 1]
        tint = np.clip(self._warm + 0.24 * hue, 0, 1)[:, None]
        off_salmon = np.abs(2 * tint - 1)
        albedo = _SALMON * (1 - off_salmon) + np.where(tint < 0.5, _PINK, _PALE) * off_salmon
        vessel = np.clip(network * self._vascular * np.clip(0.75 + 0.35 * hue, 0.2, 1.2), 0, 1)[:, None]
        albedo = albedo * (1 - vessel + vessel * _VESSEL) * (1 + grain[:, None] * _GRAIN)
        stain = np.clip((residue + 0.35 * grain) * 1.3 - 2.9, 0, 0.7)[:, None]
        return _Paint(
            albedo=(albedo * (1 - stain) + _RESIDUE * stain).astype(np.float32),
            slope=(fine_slope + wide_slope) * self._relief,
            rough=np.clip(0.040 + 0.008 * grain + 0.008 * hue, 0.025, 0.08).astype(np.float32),
            wet=np.clip(7.0 + 4.0 * residue, 0.7, 16.0).astype(np.float32),
            hue=hue,
            grain=grain,
        )

    def _polyp(self, paint: _Paint, hits: Hits, polyp: Polyp, margin_cm: F32) -> None:
        """Lay the polyp's own colour and relief over the wall's where it is the nearer one."""
        here = np.flatnonzero(margin_cm > -_SEAM_CM)
        if here.size == 0:
            return
        share = np.clip(0.5 + margin_cm[here] / (2 * _SEAM_CM), 0, 1)
        share = (share * share * (3 - 2 * share)).astype(np.float32)
        local = polyp.local(hits.point[here])
        footprint_cm = hits.footprint_cm[here]
        turned = (hits.shape[here] @ polyp.axes.T).astype(np.float32)
        own, own_slope = self._glands.triplanar(local, _plane_weight(turned), footprint_cm)
        head = polyp.headness(local)
        gyri, pits = own[:, 0] * polyp.gyri * head, own[:, 1] * polyp.gyri * head
        x, y, z = local.T
        mottle = self._glands.sample(0.21 * x + 0.1 * z, 0.21 * y, footprint_cm)[:, 2]
        capillary = self._mucosa.sample(1.6 * x + z, 1.6 * y - z, 1.6 * footprint_cm)[:, 2]
        red = (0.15 + polyp.redness) * (1 + 0.25 * paint.hue[here]) + 0.10 * mottle
        red = np.clip(red * head - 0.13 * gyri + 0.22 * capillary, 0, 1)[:, None]
        colour = (0.35 * paint.albedo[here] + 0.65 * _SALMON) * (1 - red) + _RED * red
        colour *= ((1 + 0.09 * gyri) * (1 - 0.15 * pits))[:, None]
        slope = 0.35 * paint.slope[here] + (0.12 + 0.48 * head)[:, None] * (own_slope @ polyp.axes)
        paint.albedo[here] += share[:, None] * (colour - paint.albedo[here])
        paint.slope[here] += share[:, None] * (slope - paint.slope[here])
        paint.rough[here] += share * (0.050 + 0.006 * paint.grain[here] - paint.rough[here])
        paint.wet[here] += share * (7.0 - paint.wet[here])


def _bent(shape: F32, slope: F32) -> F32:
    normal = shape - slope
    return np.asarray(normal / np.linalg.norm(normal, axis=1, keepdims=True), np.float32)


def _plane_weight(normal: F32) -> F32:
    weight = np.abs(normal) ** 4
    return np.asarray(weight / (weight.sum(1, keepdims=True) + 1e-9), np.float32)
