"""Views made of two images: a polyp pasted where there is none, and the light of another hospital."""

from __future__ import annotations

import cv2
import numpy as np

from engine.types import U8

Rng = np.random.Generator
LOW_SHARE = 0.02  # of the spectrum's side: light and colour cast, no structure


def paste(image: U8, mask: U8, donor: U8, donor_mask: U8) -> tuple[U8, U8]:
    """The donor's polyp in the image, its colour moved to the surroundings', its rim soft.

    Pictures uint8 [s, s, 3], masks uint8 [s, s] of 0 and 1, all of one size.
    """
    if not donor_mask.any():
        return image, mask
    size_px = image.shape[0]
    there = donor_mask > 0
    shift = image[there].mean(axis=0) - donor[there].mean(axis=0)
    moved = np.clip(donor + 0.7 * shift, 0, 255).astype(np.float32)
    alpha = cv2.GaussianBlur(donor_mask.astype(np.float32), (0, 0), size_px / 120)[..., None]
    mixed = alpha * moved + (1 - alpha) * image
    return mixed.round().astype(np.uint8), np.maximum(mask, donor_mask)


def fourier_mix(image: U8, donor: U8, share: float) -> U8:
    """The image with a share of the donor's lowest amplitudes; phases, so edges and masks, stay.

    Both uint8 [s, s, 3]. Source: Yang and Soatto 2020 (FDA), blended instead of replaced.
    """
    spectrum = np.fft.rfft2(image.astype(np.float32), axes=(0, 1))
    other = np.fft.rfft2(donor.astype(np.float32), axes=(0, 1))
    reach = max(1, round(image.shape[0] * LOW_SHARE / 2))
    for rows in (slice(0, reach + 1), slice(-reach, None)):
        own = np.abs(spectrum[rows, : reach + 1])
        wished = (1 - share) * own + share * np.abs(other[rows, : reach + 1])
        spectrum[rows, : reach + 1] *= wished / np.maximum(own, 1e-6)
    mixed = np.fft.irfft2(spectrum, s=image.shape[:2], axes=(0, 1))
    mixed[image.max(axis=2) == 0] = 0  # the black frame of an endoscope stays black
    return np.clip(mixed, 0, 255).round().astype(np.uint8)
