"""Near-duplicates: perceptual hashes find candidates, the thumbnails' detail decides.

The same picture at another size, quality or exposure, mirrored, or a moment later in its video.
Limits, from the 3,522 images of the project's collection, whose groups are their publishers' and those of
networks' features: 10 of 64 bits in both hashes and a correlation of 0.9 join 765 pairs, 7 across groups;
hashes alone join 383 and 6 at 6 bits, 1,628 and 521 at 10.
Source: dHash (Krawetz 2013); signs of the low DCT coefficients against their median (pHash, Zauner 2010).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.types import U8

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]

SIDE_PX = 32
DETAIL_SIGMA_PX = 4.0  # light and the shape of the field of view are wider than that
LOW_DCT = 8
BITS = 10
ALIKE = 0.9
CHUNK_HASHES = 1 << 22  # compared at a time: 32 MiB
BLOCK_PAIRS = 1 << 12  # correlated at a time: 2 x 16 MiB


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Of the picture as it is, mirrored, upside down, and turned by half a turn.

    `hashes` uint64 [4, 2]: dHash and pHash of each. `detail` float32 [32, 32]: the thumbnail without its low
    frequencies, of length 1; zeros for a flat picture.
    """

    hashes: U64
    detail: F32


def fingerprint(grey: U8) -> Fingerprint:
    """Of a picture, uint8 [h, w]."""
    thumbnail = cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    hashes = np.array([_hashes(np.ascontiguousarray(view)) for view in _views(thumbnail)], np.uint64)
    detail = thumbnail - cv2.GaussianBlur(thumbnail, (0, 0), DETAIL_SIGMA_PX)
    detail -= detail.mean()
    length = float(np.linalg.norm(detail))
    # Half a grey level a pixel is rounding, not a picture.
    flat = length < 0.5 * SIDE_PX
    return Fingerprint(hashes, np.zeros_like(detail) if flat else np.asarray(detail / length, np.float32))


def near_pairs(prints: Sequence[Fingerprint]) -> I64:
    """int64 [p, 2]: positions, the smaller first, of pictures that are the same."""
    found = [np.empty((0, 2), np.int64)]
    if not prints:
        return found[0]
    hashes = np.stack([one.hashes for one in prints])
    details = np.stack([one.detail for one in prints])
    rows = max(1, CHUNK_HASHES // len(prints))
    for start in range(0, len(prints), rows):
        mine = hashes[start : start + rows, 0]
        for view in range(hashes.shape[1]):
            others = hashes[start:, view]
            near = np.bitwise_count(mine[:, None, 0] ^ others[None, :, 0]) <= BITS
            first, second = np.nonzero(near)
            near_too = np.bitwise_count(mine[first, 1] ^ others[second, 1]) <= BITS
            keep = near_too & (first < second)
            candidates = np.stack([first[keep], second[keep]], axis=1) + start
            for block in range(0, len(candidates), BLOCK_PAIRS):
                pairs = candidates[block : block + BLOCK_PAIRS]
                one, other = details[pairs[:, 0]], _views(details[pairs[:, 1]])[view]
                found.append(pairs[(one * other).sum(axis=(1, 2)) >= ALIKE])
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


def _views(pictures: F32) -> tuple[F32, F32, F32, F32]:
    """[..., h, w] as it is, mirrored, upside down, turned by half a turn."""
    return pictures, pictures[..., ::-1], pictures[..., ::-1, :], pictures[..., ::-1, ::-1]


def _hashes(grey: F32) -> tuple[int, int]:
    steps = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA)
    low = cv2.dct(grey)[:LOW_DCT, :LOW_DCT]
    middle = np.median(low.ravel()[1:])  # the mean brightness is far from all others
    return _bits(steps[:, 1:] > steps[:, :-1]), _bits(low > middle)


def _bits(values: npt.NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(values).tobytes(), "big")
