"""Rendered frames among the real ones: exact masks, no patient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assets.scene import Scene
from distill.data.dataset import Pictures
from distill.data.index import Record
from engine.types import U8

WIDTH_PX, HEIGHT_PX = 416, 312  # as large as the real images are stored
SCENE_S = 24.0
FRAMES_A_SCENE = 12
TEXTURE_PX = 512


def add_synthetic(pictures: Pictures, count: int, seed: int, tick: Callable[[int], None]) -> None:
    """Add `count` frames of set "synthetic" to the end, one group a scene; `tick` hears how many are done."""
    scene = None
    for number in range(count):
        rank, frame = divmod(number, FRAMES_A_SCENE)
        if frame == 0 or scene is None:
            scene = Scene(seed=seed * 10_000 + rank, duration_s=SCENE_S, texture_px=TEXTURE_PX)
        image, found = scene.render((frame + 0.5) * SCENE_S / FRAMES_A_SCENE, WIDTH_PX, HEIGHT_PX)
        mask: U8 = found.astype(np.uint8)
        name = f"synthetic/{seed}-{rank}-{frame}"
        pictures.add(Record(image=name, mask=name, set="synthetic", group=f"synthetic-{rank}"), image, mask)
        tick(number + 1)
