"""Near-duplicates by perceptual hash: the same picture at another size, quality or exposure, or mirrored.

Limits, from the 3,522 images of the project's collection, whose groups are their publishers' and those of
networks' features: 6 and 6 of 64 bits join 383 pairs, 6 of them across groups; 8 and 8 join 748, 77 across.
Mirrored pairs at 6 and 6 are accidental there (2); at 4 and 4 there are none.
Source: dHash (Krawetz 2013); signs of the low DCT coefficients against their median (pHash, Zauner 2010).
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from engine.types import U8

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

SIDE_PX = 32
LOW_DCT = 8
UPRIGHT_BITS = 6
MIRRORED_BITS = 4
CHUNK_HASHES = 1 << 22  # compared at a time: 32 MiB


def fingerprint(image: U8) -> U64:
    """uint64 [4, 2]: dHash and pHash of the picture, mirrored, upside down, and turned by half a turn.

    image: uint8 [h, w, 3], blue first, or [h, w].
    """
    small = cv2.resize(image, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    if small.ndim == 3:
        small = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    grey = small.astype(np.float32)
    views = (grey, grey[:, ::-1], grey[::-1], grey[::-1, ::-1])
    return np.array([_hashes(np.ascontiguousarray(view)) for view in views], np.uint64)


def near_pairs(prints: U64) -> I64:
    """int64 [p, 2]: positions, the smaller first, of pictures that are the same. prints: uint64 [n, 4, 2]."""
    count = len(prints)
    rows = max(1, CHUNK_HASHES // max(count, 1))
    found = [np.empty((0, 2), np.int64)]
    for start in range(0, count, rows):
        mine = prints[start : start + rows, 0]
        for view in range(prints.shape[1]):
            limit = MIRRORED_BITS if view else UPRIGHT_BITS
            others = prints[start:, view]
            near = np.bitwise_count(mine[:, None, 0] ^ others[None, :, 0]) <= limit
            first, second = np.nonzero(near)
            alike = np.bitwise_count(mine[first, 1] ^ others[second, 1]) <= limit
            keep = alike & (first < second)
            found.append(np.stack([first[keep], second[keep]], axis=1) + start)
    return np.unique(np.concatenate(found), axis=0)


def joined(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """For each of `count` things the smallest position that it is joined with, over any number of pairs."""
    root = list(range(count))

    def top(at: int) -> int:
        while root[at] != at:
            root[at] = root[root[at]]
            at = root[at]
        return at

    for first, second in pairs:
        low, high = sorted((top(first), top(second)))
        root[high] = low
    return [top(at) for at in range(count)]


def _hashes(grey: npt.NDArray[np.float32]) -> tuple[int, int]:
    steps = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA)
    low = cv2.dct(grey)[:LOW_DCT, :LOW_DCT]
    middle = np.median(low.ravel()[1:])  # the mean brightness is far from all others
    return _bits(steps[:, 1:] > steps[:, :-1]), _bits(low > middle)


def _bits(values: npt.NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(values).tobytes(), "big")
