"""Images decoded once and kept in memory as uint8: 3,500 of them take 1.5 GB."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from distill.data.augment import augment
from distill.data.index import Record
from engine.faults import FaultCode, FaultError
from engine.types import U8


class Pictures:
    """`images[i]` uint8 [h, w, 3] RGB and `masks[i]` uint8 [h, w] of 0 and 1, at their stored sizes."""

    def __init__(
        self, root: Path, records: Sequence[Record], tick: Callable[[int], None] = lambda done: None
    ):
        """Raises FaultError DATA_SET for a missing or unreadable picture, or a mask of another size."""
        self.records = tuple(records)
        self.images: list[U8] = []
        self.masks: list[U8] = []
        for done, record in enumerate(records, start=1):
            image = _read(root / record.image, cv2.IMREAD_COLOR_RGB)
            mask: U8 = np.zeros(image.shape[:2], np.uint8)
            if record.mask is not None:
                mask = (_read(root / record.mask, cv2.IMREAD_GRAYSCALE) > 127).astype(np.uint8)
            if mask.shape != image.shape[:2]:
                raise FaultError(
                    FaultCode.DATA_SET,
                    expected=f"a mask of {image.shape[1]}x{image.shape[0]} for {record.image}",
                    got=f"{mask.shape[1]}x{mask.shape[0]}",
                    remedy="correct the mask or drop the image from the index",
                )
            self.images.append(image)
            self.masks.append(mask)
            tick(done)

    def __len__(self) -> int:
        return len(self.records)


def _read(path: Path, flag: int) -> U8:
    picture = cv2.imread(str(path), flag)
    if picture is None:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"a picture at {path}",
            got="none that can be read",
            remedy="restore the file",
        )
    return picture.astype(np.uint8, copy=False)


def squash(image: U8, size_px: int) -> U8:
    """The full frame at the network's size, aspect not kept: area filter, as the live path shrinks."""
    height, width = image.shape[:2]
    shrinks = size_px <= min(height, width)
    return cv2.resize(
        image, (size_px, size_px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    ).astype(np.uint8, copy=False)


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """A permutation that depends on seed and epoch alone, so a resumed run sees the same images."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def training_batch(
    pictures: Pictures, positions: Sequence[int], size_px: int, seed: int, epoch: int
) -> tuple[Tensor, Tensor]:
    """Augmented images float32 [B, 3, S, S] RGB 0..1 and masks float32 [B, 1, S, S] of 0 and 1.

    Every picture's augmentation depends on seed, epoch and position alone.
    """
    images = np.empty((len(positions), size_px, size_px, 3), np.uint8)
    masks = np.empty((len(positions), 1, size_px, size_px), np.uint8)
    for row, position in enumerate(positions):
        rng = np.random.default_rng([seed, epoch, int(position)])
        images[row], masks[row, 0] = augment(
            pictures.images[position], pictures.masks[position], size_px, rng
        )
    image = torch.from_numpy(images).permute(0, 3, 1, 2)  # channels last in memory, as the network likes it
    return image.float().div_(255.0), torch.from_numpy(masks).float()
