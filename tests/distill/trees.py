"""Tiny data sets as their publishers lay them out, drawn into a temporary folder."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

WIDTH_PX, HEIGHT_PX = 48, 36


def picture(seed: int) -> np.ndarray:
    """uint8 [36, 48, 3]: blobs that differ with the seed, so that no two are near-duplicates."""
    noise = np.random.default_rng(seed).normal(size=(9, 12, 3)).astype(np.float32)
    smooth = cv2.resize(noise, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 60 * smooth, 0, 255).astype(np.uint8)


def disc(x_px: int = 20, y_px: int = 16, radius_px: int = 8) -> np.ndarray:
    """uint8 [36, 48], 0 and 255."""
    mask = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    cv2.circle(mask, (x_px, y_px), radius_px, 255, -1)
    return mask


def write(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return path


def pair(root: Path, image: str, mask: str | None, seed: int, pixels: np.ndarray | None = None) -> None:
    write(root / image, picture(seed))
    if mask is not None:
        write(root / mask, disc() if pixels is None else pixels)


def folders(root: Path, count: int = 3) -> Path:
    """`images/` and `masks/` of a.png, b.png, ..."""
    for seed in range(count):
        name = f"{'abcdefgh'[seed]}.png"
        pair(root, f"images/{name}", f"masks/{name}", seed)
    return root


def write_lines(root: Path, lines: list[dict]) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return root


def read_lines(root: Path) -> list[dict]:
    return [json.loads(line) for line in (root / "index.jsonl").read_text().splitlines()]
