"""From light to a video frame: exposure, bloom, blur, sharpening, sensor noise, black frame."""

from __future__ import annotations

import cv2
import numpy as np

from engine.types import F32, U8


def gain(light: F32) -> np.float32:
    """Automatic gain as endoscopes do it, from the light [n, 3] of the visible pixels."""
    luma = light @ np.array([0.3, 0.6, 0.1], np.float32)
    middle, high, highest = np.percentile(luma, [50, 85, 97])
    level = 0.55 * middle + 0.35 * high + 0.06 * highest
    return np.float32(0.185 / max(float(level), 1e-4))


def moved(picture: F32, flow_x: F32, flow_y: F32) -> F32:
    """Motion blur: the mean of five looks along the path that each pixel takes while the shutter is open."""
    height, width = picture.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    total = np.zeros_like(picture)
    for part in (-0.5, -0.25, 0.0, 0.25, 0.5):
        total += cv2.remap(
            picture,
            x + np.float32(part) * flow_x,
            y + np.float32(part) * flow_y,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return total / np.float32(5)


def focused(picture: F32, depth_cm: F32, unit: float) -> F32:
    """Soft where it is nearer than the fixed focus reaches, and slightly in the distance."""
    near = np.clip((1.5 - depth_cm) / 0.9, 0, 1)
    far = 0.6 * np.clip((depth_cm - 7.0) / 8.0, 0, 1)
    share = cv2.GaussianBlur(np.maximum(near, far), (0, 0), 3 * unit)[..., None]
    soft = cv2.GaussianBlur(picture, (0, 0), 3.0 * unit)
    return picture * (1 - share) + soft * share


def developed(picture: F32, visible: F32, unit: float, rng: np.random.Generator) -> U8:
    """Linear light [h, w, 3] to the uint8 RGB frame."""
    bright = np.clip(picture - 0.9, 0, 2.5)
    glow = (
        cv2.GaussianBlur(bright, (0, 0), 2.2 * unit) * 0.10
        + cv2.GaussianBlur(bright, (0, 0), 14 * unit) * 0.04
    )
    veil = cv2.GaussianBlur(np.minimum(picture, 1.5), (0, 0), 60 * unit) * 0.008
    soft = cv2.GaussianBlur(picture + glow + veil, (0, 0), 0.75 * unit)
    tone = (1 - np.exp(-soft)) / np.float32(1 - np.exp(-1.15))
    tone = np.clip(tone, 0, 1) ** np.float32(1 / 2.1)
    tone += 0.55 * (tone - cv2.GaussianBlur(tone, (0, 0), 1.5 * unit))
    shape = tone.shape[:2]
    luma_noise = cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), 0.7)
    chroma_noise = cv2.GaussianBlur(rng.standard_normal((*shape, 3)).astype(np.float32), (0, 0), 1.4)
    tone += (0.016 * luma_noise[..., None] + 0.020 * chroma_noise) * (1.15 - 0.7 * np.clip(tone, 0, 1))
    frame = 0.03 + 0.97 * np.clip(tone, 0, 1)
    frame = frame * visible[..., None] + 0.03 * (1 - visible[..., None])
    return np.clip(frame * 255 + 0.5, 0, 255).astype(np.uint8)
