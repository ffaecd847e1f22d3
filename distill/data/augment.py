"""Augmentation on uint8 pictures with OpenCV: about 3 ms a picture, against 100 for its training step."""

from __future__ import annotations

import cv2
import numpy as np

from engine.types import U8

Rng = np.random.Generator


def augment(image: U8, mask: U8, size_px: int, rng: Rng) -> tuple[U8, U8]:
    """One random view.

    image: uint8 [h, w, 3] RGB; mask: uint8 [h, w] of 0 and 1. Returns both at [size_px, size_px].
    Geometry moves both alike, light touches the picture only, panels cover both.
    """
    image, mask = _geometry(image, mask, size_px, rng)
    image = _colour(image, rng)
    image = _optics(image, rng)
    if rng.random() < 0.12:
        image, mask = _panel(image, mask, rng)
    if rng.random() < 0.25:
        image = _jpeg(image, int(rng.integers(25, 90)))
    return image, mask


def _geometry(image: U8, mask: U8, size_px: int, rng: Rng) -> tuple[U8, U8]:
    """Flips and quarter turns always; two thirds of the views also turn, zoom, stretch and shift."""
    height, width = image.shape[:2]
    squash = np.diag([size_px / width, size_px / height, 1.0])
    move = _flip_and_quarter_turn(size_px, rng)
    filter_area = True
    if rng.random() < 0.67:
        zoom = float(np.exp(rng.uniform(np.log(0.6), np.log(1.6))))
        move = _affine(size_px, zoom, rng) @ move
        filter_area = zoom < 1
    if filter_area and min(height, width) >= size_px:
        # Shrink with the area filter of the live path first, then move at the network's size.
        image = cv2.resize(image, (size_px, size_px), interpolation=cv2.INTER_AREA).astype(
            np.uint8, copy=False
        )
        mask = cv2.resize(mask, (size_px, size_px), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        matrix = move
    else:
        matrix = move @ squash
    border = cv2.BORDER_CONSTANT if rng.random() < 0.7 else cv2.BORDER_REFLECT_101
    size = (size_px, size_px)
    # Pixel centres sit at +0.5: without the shift a flip would move the picture by one pixel.
    matrix = _shift(-0.5) @ matrix @ _shift(0.5)
    moved = cv2.warpAffine(image, matrix[:2], size, flags=cv2.INTER_LINEAR, borderMode=border)
    moved_mask = cv2.warpAffine(
        mask * np.uint8(255), matrix[:2], size, flags=cv2.INTER_LINEAR, borderMode=border
    )
    return moved.astype(np.uint8, copy=False), (moved_mask > 127).astype(np.uint8)


def _shift(by_px: float) -> np.ndarray:
    return np.array([[1.0, 0.0, by_px], [0.0, 1.0, by_px], [0.0, 0.0, 1.0]])


def _flip_and_quarter_turn(size_px: int, rng: Rng) -> np.ndarray:
    sign_x, sign_y = rng.choice([-1.0, 1.0], 2)
    turn = np.diag([sign_x, sign_y, 1.0])
    if rng.random() < 0.5:
        turn = turn[[1, 0, 2]]
    centre = size_px / 2
    return np.asarray(_shift(centre) @ turn @ _shift(-centre))


def _affine(size_px: int, zoom: float, rng: Rng) -> np.ndarray:
    angle = np.deg2rad(rng.uniform(-35, 35))
    stretch = np.exp(rng.uniform(-0.18, 0.18))
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    turn = np.array([[cos * stretch, -sin, 0.0], [sin * stretch, cos, 0.0], [0.0, 0.0, 1.0]])
    away_px = rng.uniform(-0.15, 0.15, 2) * size_px
    centre = size_px / 2
    turn = _shift(centre) @ turn @ _shift(-centre)
    turn[:2, 2] += away_px
    return np.asarray(turn)


def _colour(image: U8, rng: Rng) -> U8:
    """White balance, brightness, contrast and gamma in one table; hue and saturation for a third."""
    if rng.random() < 0.35:
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)
        hue = int(rng.normal(0, 6))
        hsv[..., 0] = (hsv[..., 0].astype(np.int16) + hue) % 256  # wraps, as a hue should
        hsv[..., 1] = cv2.convertScaleAbs(hsv[..., 1], alpha=rng.uniform(0.55, 1.4))
        image = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL).astype(np.uint8, copy=False)
    if rng.random() < 0.8:
        gamma = np.exp(rng.uniform(-0.35, 0.35))
        contrast, brightness = rng.uniform(0.75, 1.25), rng.uniform(-0.12, 0.12)
        balance = rng.uniform(0.88, 1.12, 3)
        level = np.linspace(0, 1, 256)[:, None] ** gamma
        table = ((level - 0.5) * contrast + 0.5 + brightness) * balance
        table[0] = 0  # the black frame of an endoscope stays black
        lut = (np.clip(table, 0, 1) * 255).round().astype(np.uint8)
        image = cv2.LUT(image, lut[None]).astype(np.uint8, copy=False)
    return image


def _optics(image: U8, rng: Rng) -> U8:
    """Blur, motion, a soft source, sensor noise."""
    size_px = image.shape[0]
    kind = rng.random()
    if kind < 0.10:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 2.0) * size_px / 352).astype(
            np.uint8, copy=False
        )
    elif kind < 0.18:
        image = cv2.filter2D(image, -1, _streak(int(rng.integers(3, 10)), rng)).astype(np.uint8, copy=False)
    elif kind < 0.28:
        small_px = int(size_px * rng.uniform(0.4, 0.8))
        small = cv2.resize(image, (small_px, small_px), interpolation=cv2.INTER_LINEAR)
        image = cv2.resize(small, (size_px, size_px), interpolation=cv2.INTER_LINEAR).astype(
            np.uint8, copy=False
        )
    if rng.random() < 0.15:
        noise = rng.normal(0, rng.uniform(2, 10), image.shape[:2])[..., None]
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return image


def _streak(length_px: int, rng: Rng) -> np.ndarray:
    kernel = np.zeros((length_px, length_px), np.float32)
    kernel[length_px // 2] = 1
    turn = cv2.getRotationMatrix2D((length_px / 2 - 0.5, length_px / 2 - 0.5), rng.uniform(0, 180), 1)
    turned = cv2.warpAffine(kernel, turn, (length_px, length_px))
    return np.asarray(turned / turned.sum())


def _panel(image: U8, mask: U8, rng: Rng) -> tuple[U8, U8]:
    """A black border or corner of the recorder, sometimes with bright lines of text; no polyp under it."""
    size_px = image.shape[0]
    image, mask = image.copy(), mask.copy()
    wide, high = (rng.uniform(0.05, 0.3, 2) * size_px).astype(int)
    rows, columns = {
        0: (slice(None), slice(0, wide)),
        1: (slice(None), slice(size_px - wide, None)),
        2: (slice(0, high), slice(None)),
        3: (slice(size_px - high, None), slice(0, wide)),
    }[int(rng.integers(4))]
    image[rows, columns] = 0
    mask[rows, columns] = 0
    if rng.random() < 0.6:
        panel = image[rows, columns]
        for y in rng.integers(0, panel.shape[0], 5):
            start, stop = sorted(rng.integers(0, panel.shape[1] + 1, 2))
            panel[y : y + 2, start:stop:2] = rng.integers(120, 255)
    return image, mask


def _jpeg(image: U8, quality: int) -> U8:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None  # it was encoded one line above
    return decoded.astype(np.uint8, copy=False)
