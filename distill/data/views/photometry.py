"""What light, lens, sensor and recorder do to a picture: uint8 [s, s, 3] RGB in, the same out."""

from __future__ import annotations

import cv2
import numpy as np

from distill.recipe import AugmentPart
from engine.types import U8

Rng = np.random.Generator


def colour(image: U8, part: AugmentPart, rng: Rng) -> U8:
    """White balance, brightness, contrast and gamma in one table; hue and saturation now and then."""
    if rng.random() < part.hue:
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)
        hue = int(rng.normal(0, 6))
        hsv[..., 0] = (hsv[..., 0].astype(np.int16) + hue) % 256  # wraps, as a hue should
        hsv[..., 1] = cv2.convertScaleAbs(hsv[..., 1], alpha=rng.uniform(0.55, 1.4))
        image = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL).astype(np.uint8, copy=False)
    if rng.random() < part.colour:
        gamma = np.exp(rng.uniform(-0.35, 0.35))
        contrast, brightness = rng.uniform(0.75, 1.25), rng.uniform(-0.12, 0.12)
        balance = rng.uniform(0.88, 1.12, 3)
        level = np.linspace(0, 1, 256)[:, None] ** gamma
        table = ((level - 0.5) * contrast + 0.5 + brightness) * balance
        table[0] = 0  # the black frame of an endoscope stays black
        lut = (np.clip(table, 0, 1) * 255).round().astype(np.uint8)
        image = cv2.LUT(image, lut[None]).astype(np.uint8, copy=False)
    return image


def lamp(image: U8, part: AugmentPart, rng: Rng) -> U8:
    """Too much light: over-exposed folds, glare in a part of the picture, highlights of a wet wall."""
    if part.exposure and rng.random() < part.exposure:
        gain = rng.uniform(1.3, 2.5)
        image = cv2.convertScaleAbs(image, alpha=gain).astype(np.uint8, copy=False)
    if part.glare and rng.random() < part.glare:
        image = _glare(image, rng)
    if part.highlights and rng.random() < part.highlights:
        image = _highlights(image, rng)
    return image


def optics(image: U8, part: AugmentPart, rng: Rng) -> U8:
    """Blur, motion or a soft source; sensor noise."""
    size_px = image.shape[0]
    kind = rng.random()
    if kind < part.blur:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 2.0) * size_px / 352).astype(
            np.uint8, copy=False
        )
    elif kind < part.blur + part.motion:
        image = cv2.filter2D(image, -1, _streak(int(rng.integers(*part.motion_px)), rng)).astype(
            np.uint8, copy=False
        )
    elif kind < part.blur + part.motion + part.soft:
        small_px = int(size_px * rng.uniform(0.4, 0.8))
        small = cv2.resize(image, (small_px, small_px), interpolation=cv2.INTER_LINEAR)
        image = cv2.resize(small, (size_px, size_px), interpolation=cv2.INTER_LINEAR).astype(
            np.uint8, copy=False
        )
    if rng.random() < part.noise:
        noise = rng.normal(0, rng.uniform(2, 10), image.shape[:2])[..., None]
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return image


def jpeg(image: U8, quality: int) -> U8:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None  # it was encoded one line above
    return decoded.astype(np.uint8, copy=False)


def _glare(image: U8, rng: Rng) -> U8:
    """A soft white blot, brightest in its middle."""
    size_px = image.shape[0]
    middle = rng.uniform(0.1, 0.9, 2) * size_px
    radii = rng.uniform(0.1, 0.35, 2) * size_px
    y, x = np.ogrid[:size_px, :size_px]
    far = ((x - middle[0]) / radii[0]) ** 2 + ((y - middle[1]) / radii[1]) ** 2
    veil = (rng.uniform(0.4, 1.0) * np.exp(-far)).astype(np.float32)[..., None]
    return np.asarray(image + veil * (255 - image.astype(np.float32)), np.uint8)


def _highlights(image: U8, rng: Rng) -> U8:
    """Small sharp reflections with a soft rim, where the picture is bright already."""
    size_px = image.shape[0]
    bright = np.argwhere(image[::8, ::8].max(axis=2) > 90) * 8
    if not len(bright):
        return image
    spots = np.zeros(image.shape[:2], np.uint8)
    for _ in range(int(rng.integers(3, 20))):
        y, x = bright[int(rng.integers(len(bright)))]
        radii = np.maximum(1, rng.uniform(0.003, 0.02, 2) * size_px).astype(int)
        cv2.ellipse(
            spots, (int(x), int(y)), (int(radii[0]), int(radii[1])), rng.uniform(0, 180), 0, 360, 255, -1
        )
    alpha = cv2.GaussianBlur(spots, (0, 0), max(0.6, size_px / 350)).astype(np.float32)[..., None] / 255
    return np.asarray(image + alpha * (250 - image.astype(np.float32)).clip(0), np.uint8)


def _streak(length_px: int, rng: Rng) -> np.ndarray:
    kernel = np.zeros((length_px, length_px), np.float32)
    kernel[length_px // 2] = 1
    turn = cv2.getRotationMatrix2D((length_px / 2 - 0.5, length_px / 2 - 0.5), rng.uniform(0, 180), 1)
    turned = cv2.warpAffine(kernel, turn, (length_px, length_px))
    return np.asarray(turned / turned.sum())
