"""The files of one shard of a teacher's cache: data first, to the disk, then its line in the index.

A crash leaves no half entry; `distill/teachers/cache/features.py` says what the files are.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from distill.teachers.base import TeacherCard
from engine.faults import FaultCode, FaultError
from engine.files.lock import held
from engine.files.whole import json_line, read_json_lines


def shards_of(folder: Path) -> list[Path]:
    """The indexes of all shards in a teacher's folder."""
    return sorted(folder.glob("shard-*.jsonl"))


def feature_bytes(card: TeacherCard, grid: tuple[int, int]) -> int:
    """Of one image's features, float16."""
    return 2 * card.channels * grid[0] * grid[1]


def mask_bytes(card: TeacherCard) -> int:
    """Of one image's mask, uint8; 0 for a teacher without."""
    return card.size_px**2 if card.has_mask else 0


class Shard:
    """Read access to one shard: `rows` by image, `features` float16 [n, C, h, w], `masks` uint8 [n, H, W]."""

    def __init__(self, index: Path, card: TeacherCard, grid: tuple[int, int]) -> None:
        self.index = index
        self.crcs: dict[str, int] = {}
        self.rows: dict[str, int] = {}
        feature_shape, mask_shape = (card.channels, *grid), (card.size_px, card.size_px)
        self.features = _mapped(index.with_suffix(".features"), np.float16, feature_shape)
        self.masks = _mapped(index.with_suffix(".masks"), np.uint8, mask_shape)
        self.whole = min(len(self.features), len(self.masks)) if card.has_mask else len(self.features)
        self.cut: list[str] = []  # told by the index, and not in the data
        for line in read_json_lines(index):
            if line["row"] < self.whole:
                self.rows[line["image"]], self.crcs[line["image"]] = line["row"], line["crc"]
            else:
                self.cut.append(line["image"])

    def crc(self, row: int) -> int:
        found = zlib.crc32(self.features[row].tobytes())
        return zlib.crc32(self.masks[row].tobytes(), found) if len(self.masks) else found


class ShardWriter:
    """Appends to one shard: data to the disk first, then the index."""

    def __init__(
        self, index: Path, features: IO[bytes], masks: IO[bytes], lines: IO[bytes], row: int
    ) -> None:
        self._features, self._masks, self._lines, self._row = features, masks, lines, row
        self.index = index

    def append(self, images: Sequence[str], features: np.ndarray, masks: np.ndarray | None) -> None:
        """features float16 [n, C, h, w], masks uint8 [n, H, W] or None."""
        said = []
        for place, image in enumerate(images):
            data = features[place].tobytes()
            self._features.write(data)
            crc = zlib.crc32(data)
            if masks is not None:
                data = masks[place].tobytes()
                self._masks.write(data)
                crc = zlib.crc32(data, crc)
            said.append(json_line({"image": image, "row": self._row + place, "crc": crc}))
        for stream in (self._features, self._masks):
            stream.flush()
            os.fsync(stream.fileno())
        self._lines.write("".join(said).encode())
        self._lines.flush()
        os.fsync(self._lines.fileno())
        self._row += len(images)


@contextlib.contextmanager
def appending(index: Path, card: TeacherCard, grid: tuple[int, int]) -> Iterator[ShardWriter]:
    """The shard cut back to its whole entries, and closed to other processes meanwhile.

    Raises FaultError OUTPUT when another process fills it.
    """
    with held(index.with_suffix(".lock"), _busy(index)), index.open("ab") as lines:
        _drop_torn_line(index)
        shard = Shard(index, card, grid)
        if shard.cut:
            _keep_lines(index, set(shard.rows))
        row = max(shard.rows.values(), default=-1) + 1
        with (
            index.with_suffix(".features").open("ab") as features,
            index.with_suffix(".masks").open("ab") as masks,
        ):
            features.truncate(row * feature_bytes(card, grid))
            masks.truncate(row * mask_bytes(card))
            yield ShardWriter(index, features, masks, lines, row)
    if not card.has_mask:
        index.with_suffix(".masks").unlink(missing_ok=True)


def _mapped(path: Path, kind: type[np.generic], shape: tuple[int, ...]) -> np.ndarray:
    bytes_a_row = int(np.prod(shape)) * np.dtype(kind).itemsize
    rows = path.stat().st_size // bytes_a_row if path.is_file() else 0
    return np.memmap(path, kind, "r", shape=(rows, *shape)) if rows else np.zeros((0, *shape), kind)


def _busy(index: Path) -> FaultError:
    return FaultError(
        FaultCode.OUTPUT,
        expected=f"to write {index} alone",
        got="another process that fills it",
        remedy="wait until it is through",
    )


def _drop_torn_line(index: Path) -> None:
    """A last line without its end was being written when the machine stopped: its entry does not count."""
    data = index.read_bytes()
    if data and not data.endswith(b"\n"):
        os.truncate(index, data.rfind(b"\n") + 1)


def _keep_lines(index: Path, images: set[str]) -> None:
    """Written in place: another name would be another file than the one that is locked."""
    kept = [line for line in read_json_lines(index) if line["image"] in images]
    with index.open("r+b") as stream:
        stream.truncate(0)
        stream.write("".join(map(json_line, kept)).encode())
