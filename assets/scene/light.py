"""Light on wet tissue: two lamps beside the lens, inverse square, gloss, light between the walls."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from assets.scene.camera import Pose
from engine.types import F32

# Lamps in camera axes (right, up, forward), cm: the light guides sit left and right of the lens.
LAMPS_CM = np.array([[-0.36, 0.10, 0.0], [0.36, 0.10, 0.0]], np.float32)


@dataclass(frozen=True, slots=True)
class Surface:
    """What the rays met, one row a pixel. Lengths in cm, colours linear."""

    point: F32  # [n, 3]
    normal: F32  # [n, 3], with relief
    film: F32  # [n, 3], normal of the wet film, which shows the relief more than the tissue below
    shape: F32  # [n, 3], without relief
    albedo: F32  # [n, 3]
    rough: F32  # [n] GGX alpha of the wet film
    wet: F32  # [n] strength of the film's reflection


def direct(surface: Surface, pose: Pose) -> tuple[F32, F32]:
    """Diffuse light that arrives [n] and mirror light that leaves [n], both without colour."""
    diffuse = np.zeros(surface.rough.shape, np.float32)
    mirror = np.zeros_like(diffuse)
    view = pose.position - surface.point
    view /= np.linalg.norm(view, axis=1, keepdims=True)
    for lamp in LAMPS_CM:
        to = pose.position + lamp @ pose.axes - surface.point
        square = np.einsum("ij,ij->i", to, to)
        to = to / np.sqrt(square)[:, None]
        beam = np.clip(-(to @ pose.axes[2]), 0, 1)
        arriving = np.sqrt(beam) / (square + np.float32(0.12))
        facing = np.einsum("ij,ij->i", surface.normal, to)
        facing_shape = np.einsum("ij,ij->i", surface.shape, to)
        diffuse += arriving * np.clip((facing + 0.25) / 1.25, 0, None)
        half = to + view
        half /= np.linalg.norm(half, axis=1, keepdims=True)
        square_cos = np.clip(np.einsum("ij,ij->i", surface.film, half), 0, 1) ** 2
        alpha = surface.rough * surface.rough
        lobe = alpha / (np.pi * (square_cos * (alpha - 1) + 1) ** 2)
        fresnel = 0.028 + 0.972 * (1 - np.clip(np.einsum("ij,ij->i", half, to), 0, 1)) ** 5
        mirror += arriving * lobe * fresnel * 0.25 * (facing_shape > 0.02)
    return diffuse, mirror * surface.wet


def between_walls(radiance: F32, unit: float) -> F32:
    """Light from the other walls, estimated from the picture: `radiance` [h, w, 3] spread widely."""
    small = cv2.resize(radiance, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    wide = cv2.GaussianBlur(small, (0, 0), max(1.0, 7.0 * unit))
    spread = cv2.resize(wide, (radiance.shape[1], radiance.shape[0]), interpolation=cv2.INTER_LINEAR)
    return spread.astype(np.float32) * np.array([0.36, 0.18, 0.09], np.float32)
