"""Images that nobody labelled, as `Pictures` without anything drawn in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from distill.data.dataset import IntArray, Pictures
from distill.data.index import Record
from distill.data.labelled import read_image
from distill.recipe import Recipe
from engine.types import U8


class Unlabelled(Pictures):
    """Read when they are asked for: there may be more of them than fit in memory.

    The masks are empty, and say nothing: only what a teacher says of an image counts.
    """

    def __init__(self, root: Path, records: Sequence[Record]) -> None:
        super().__init__(root, ())
        self.records = tuple(records)
        images = _Unread(root, self.records)
        self.images = images  # type: ignore[assignment]
        self.masks = _Empty(images)  # type: ignore[assignment]


class _Unread(Sequence[U8]):
    def __init__(self, root: Path, records: Sequence[Record]) -> None:
        self._root = root
        self._records = records
        self._last: tuple[int, U8] | None = None  # its mask is asked for next

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, position):  # type: ignore[no-untyped-def]
        last = self._last
        if last is None or last[0] != position:
            last = (position, read_image(self._root, self._records[position]))
            self._last = last
        return last[1]


class _Empty(Sequence[U8]):
    def __init__(self, images: Sequence[U8]) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, position):  # type: ignore[no-untyped-def]
        return np.zeros(self._images[position].shape[:2], np.uint8)


def unlabelled_items(count: int, recipe: Recipe, step: int) -> IntArray:
    """What a step shows beside its labelled images, `data.unlabelled_ratio` of them: each of `count` images
    once before any comes again. `item % count` is the position, as of `epoch_items`; the step alone decides.
    """
    wanted = round(recipe.data.unlabelled_ratio * recipe.batch)
    ranks = range(step * wanted, (step + 1) * wanted)
    orders = {
        turn: np.random.default_rng([recipe.seed, turn, 2]).permutation(count)
        for turn in {rank // count for rank in ranks}
    }
    items = [rank // count * count + int(orders[rank // count][rank % count]) for rank in ranks]
    return np.array(items, np.int64)
