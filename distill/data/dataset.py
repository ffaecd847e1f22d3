"""Images decoded once and kept in memory as uint8: 3,500 of them take 1.5 GB."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from distill.data.index import Record
from distill.data.labelled import read_labelled
from distill.data.masks import Agreement
from distill.data.views.augment import FLIPS, Box, augment, cut, flipped
from distill.recipe import Recipe
from engine.faults import FaultCode, FaultError
from engine.types import U8, Rect, Region
from engine.view.region import box_of

IntArray = npt.NDArray[np.int64]


class Pictures:
    """`images[i]` uint8 [h, w, 3] RGB and `masks[i]` uint8 [h, w] of 0 and 1, at their stored sizes."""

    def __init__(
        self, root: Path, records: Sequence[Record], tick: Callable[[int], None] = lambda done: None
    ):
        """Raises FaultError DATA_SET as `read_labelled`."""
        self.records = tuple(records)
        self.images: list[U8] = []
        self.masks: list[U8] = []
        self._fields: dict[int, Rect] = {}
        agreement = Agreement()
        for done, record in enumerate(records, start=1):
            labelled = read_labelled(root, record, agreement)
            self.images.append(labelled.image)
            self.masks.append(labelled.mask)
            tick(done)

    def __len__(self) -> int:
        return len(self.records)

    def add(self, record: Record, image: U8, mask: U8) -> None:
        """One more that no file holds."""
        self.records += (record,)
        self.images.append(image)
        self.masks.append(mask)

    def box_of(self, position: int, region: Region) -> Rect:
        """As `engine.view.region.box_of`; the endoscope's picture is found once."""
        if region == "frame":
            return box_of(self.images[position], region)
        if position not in self._fields:
            self._fields[position] = box_of(self.images[position], region)
        return self._fields[position]


def fields_of(pictures: Pictures) -> Pictures:
    """The same without what a recorder adds: each cut to its field of view."""
    alone = Pictures(Path(), ())  # none that a file holds
    for position, record in enumerate(pictures.records):
        image, mask = pictures.images[position], pictures.masks[position]
        inside, covered, _ = cut(image, mask, pictures.box_of(position, "field"))
        alone.add(record, inside, covered)
    return alone


def squash(image: U8, size_px: int) -> U8:
    """The full frame at the network's size, aspect not kept: area filter, as the live path shrinks."""
    height, width = image.shape[:2]
    shrinks = size_px <= min(height, width)
    return cv2.resize(
        image, (size_px, size_px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    ).astype(np.uint8, copy=False)


class Batch(NamedTuple):
    """What one step looks at.

    image float32 [B, 3, S, S] RGB 0..1; mask float32 [B, 1, S, S] of 0 and 1; matrix float32 [B, 3, 3] from
    the stored frame to the view, both in 0..1; `hidden` the parts of each view that no teacher saw.
    """

    image: Tensor
    mask: Tensor
    matrix: Tensor
    hidden: tuple[tuple[Box, ...], ...]
    positions: tuple[int, ...]


def epoch_order(count: int, seed: int, epoch: int) -> IntArray:
    """A permutation that depends on seed and epoch alone, so a resumed run sees the same images."""
    order: IntArray = np.random.default_rng([seed, epoch]).permutation(count)
    return order


def views_an_image(recipe: Recipe) -> int:
    return len(FLIPS) if recipe.augment.views == "four_flips" else 1


def epoch_items(pictures: Pictures, recipe: Recipe, epoch: int, hard: Sequence[int] = ()) -> IntArray:
    """What an epoch shows, in order. `item % len(pictures)` is the position, the rest numbers its copies.
    `hard` are the positions that data.hard_negatives_share is for.

    Raises FaultError DATA_SET when a share of polyp-free images is wanted and there is none, or no other.
    """
    count, share = len(pictures), recipe.data.negatives_share
    items = count * views_an_image(recipe)
    if share is None:
        return epoch_order(items, recipe.seed, epoch)
    free = np.array([position for position, mask in enumerate(pictures.masks) if not mask.any()], np.int64)
    polyps = np.setdiff1d(np.arange(count), free)
    wanted = round(share * items)
    if (wanted and not len(free)) or (wanted < items and not len(polyps)):
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"images with and without polyps for data.negatives_share {share:g}",
            got=f"{len(polyps)} with and {len(free)} without",
            remedy="use other data, or leave that key out",
        )
    rng = np.random.default_rng([recipe.seed, epoch])
    easy = np.setdiff1d(free, np.array(hard, np.int64))
    often = round(recipe.data.hard_negatives_share * wanted) if len(hard) and len(easy) else 0
    drawn = [
        _drawn(easy if often else free, wanted - often, count, rng),
        _drawn(polyps, items - wanted, count, rng),
        _drawn(np.setdiff1d(free, easy), often, count, rng),
    ]
    order: IntArray = rng.permutation(np.concatenate(drawn))
    return order


def _drawn(positions: IntArray, wanted: int, count: int, rng: np.random.Generator) -> IntArray:
    """`wanted` items: every position once before any comes again, as another copy of it."""
    copies = -(-wanted // max(1, len(positions)))
    rounds = [rng.permutation(positions) + copy * count for copy in range(copies)]
    drawn: IntArray = np.concatenate([*rounds, np.empty(0, np.int64)])[:wanted].astype(np.int64)
    return drawn


class Donors:
    """Other images of the training side, for views that are made of two."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._polyps = [position for position, mask in enumerate(pictures.masks) if mask.any()]
        sets: dict[str, list[int]] = {}
        for position, record in enumerate(pictures.records):
            sets.setdefault(record.set, []).append(position)
        self._sets = [positions for _, positions in sorted(sets.items())]

    def polyp(self, rng: np.random.Generator) -> tuple[U8, U8]:
        """An image with a polyp and its mask; any image when none has one."""
        position = _any(self._polyps or list(range(len(self._pictures))), rng)
        return self._pictures.images[position], self._pictures.masks[position]

    def stranger(self, rng: np.random.Generator) -> U8:
        """An image of any set, small sets as often as large ones."""
        return self._pictures.images[_any(self._sets[int(rng.integers(len(self._sets)))], rng)]


def _any(positions: Sequence[int], rng: np.random.Generator) -> int:
    return positions[int(rng.integers(len(positions)))]


def training_batch(
    pictures: Pictures, items: Sequence[int], size_px: int, recipe: Recipe, epoch: int, donors: Donors
) -> Batch:
    """Views of the items of an epoch; each depends on the recipe's seed, the epoch and the item alone."""
    images = np.empty((len(items), size_px, size_px, 3), np.uint8)
    masks = np.empty((len(items), 1, size_px, size_px), np.uint8)
    matrices = np.empty((len(items), 3, 3), np.float32)
    hidden = []
    for row, item in enumerate(items):
        copy, position = divmod(int(item), len(pictures))
        image, mask = pictures.images[position], pictures.masks[position]
        if recipe.augment.views == "four_flips":
            view = flipped(image, mask, size_px, copy % len(FLIPS))
        else:
            rng = np.random.default_rng([recipe.seed, epoch, int(item)])
            field = pictures.box_of(position, "field") if recipe.augment.field else None
            view = augment(image, mask, size_px, rng, recipe.augment, donors, field)
        images[row], masks[row, 0], matrices[row] = view.image, view.mask, view.matrix
        hidden.append(view.hidden)
    positions = tuple(int(item) % len(pictures) for item in items)
    return _batch(images, masks, matrices, tuple(hidden), positions)


def plain_batch(
    pictures: Pictures, positions: Sequence[int], size_px: int, region: Region = "frame"
) -> Batch:
    """The frames, or that region of them, squashed: what validation and the dry step look at."""
    images = np.empty((len(positions), size_px, size_px, 3), np.uint8)
    masks = np.empty((len(positions), 1, size_px, size_px), np.uint8)
    matrices = np.empty((len(positions), 3, 3), np.float32)
    for row, position in enumerate(positions):
        image = pictures.images[position]
        image, mask, matrices[row] = cut(image, pictures.masks[position], pictures.box_of(position, region))
        images[row], masks[row, 0] = squash(image, size_px), _small_mask(mask, size_px)
    return _batch(images, masks, matrices, ((),) * len(positions), tuple(positions))


def _small_mask(mask: U8, size_px: int) -> U8:
    small = cv2.resize(mask, (size_px, size_px), interpolation=cv2.INTER_NEAREST_EXACT)
    return small.astype(np.uint8, copy=False)


def _batch(
    images: U8,
    masks: U8,
    matrices: npt.NDArray[np.float32],
    hidden: tuple[tuple[Box, ...], ...],
    positions: tuple[int, ...],
) -> Batch:
    image = torch.from_numpy(images).permute(0, 3, 1, 2)  # channels last in memory, as the network likes it
    return Batch(
        image.float().div_(255.0),
        torch.from_numpy(masks).float(),
        torch.from_numpy(matrices),
        hidden,
        positions,
    )
