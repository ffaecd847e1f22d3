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

FEATURES, MASKS, DISAGREEMENT = ".features", ".masks", ".disagreement"


def shards_of(folder: Path) -> list[Path]:
    """The indexes of all shards in a teacher's folder."""
    return sorted(folder.glob("shard-*.jsonl"))


def entry_bytes(card: TeacherCard, grid: tuple[int, int]) -> dict[str, int]:
    """Of one image, by the ending of the file: features float16, masks and disagreement uint8 if any."""
    sizes = {FEATURES: 2 * card.channels * grid[0] * grid[1]}
    if card.has_mask:
        sizes[MASKS] = card.size_px**2
    if card.has_disagreement:
        sizes[DISAGREEMENT] = card.size_px**2
    return sizes


class Shard:
    """Read access to one shard: `rows` by image, `features` float16 [n, C, h, w], `masks` and `disagreement`
    uint8 [n, H, W], of no rows where the teacher has none."""

    def __init__(self, index: Path, card: TeacherCard, grid: tuple[int, int]) -> None:
        self.index = index
        self.crcs: dict[str, int] = {}
        self.rows: dict[str, int] = {}
        feature_shape, mask_shape = (card.channels, *grid), (card.size_px, card.size_px)
        self.features = _mapped(index.with_suffix(FEATURES), np.float16, feature_shape)
        self.masks = _mapped(index.with_suffix(MASKS), np.uint8, mask_shape)
        self.disagreement = _mapped(index.with_suffix(DISAGREEMENT), np.uint8, mask_shape)
        arrays = {FEATURES: self.features, MASKS: self.masks, DISAGREEMENT: self.disagreement}
        self._arrays = [arrays[ending] for ending in entry_bytes(card, grid)]
        self.whole = min(map(len, self._arrays))
        self.cut: list[str] = []  # told by the index, and not in the data
        for line in read_json_lines(index):
            if line["row"] < self.whole:
                self.rows[line["image"]], self.crcs[line["image"]] = line["row"], line["crc"]
            else:
                self.cut.append(line["image"])

    def crc(self, row: int) -> int:
        found = 0
        for array in self._arrays:
            found = zlib.crc32(array[row].tobytes(), found)
        return found


class ShardWriter:
    """Appends to one shard: data to the disk first, then the index."""

    def __init__(self, index: Path, data: Sequence[IO[bytes]], lines: IO[bytes], row: int) -> None:
        self._data, self._lines, self._row = data, lines, row
        self.index = index

    def append(self, images: Sequence[str], *arrays: np.ndarray) -> None:
        """One array for each file of `entry_bytes`: float16 [n, C, h, w], then uint8 [n, H, W] ones."""
        said = []
        for place, image in enumerate(images):
            crc = 0
            for stream, array in zip(self._data, arrays, strict=True):
                data = array[place].tobytes()
                stream.write(data)
                crc = zlib.crc32(data, crc)
            said.append(json_line({"image": image, "row": self._row + place, "crc": crc}))
        for stream in self._data:
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
    with (
        held(index.with_suffix(".lock"), _busy(index)),
        index.open("ab") as lines,
        contextlib.ExitStack() as files,
    ):
        _drop_torn_line(index)
        shard = Shard(index, card, grid)
        if shard.cut:
            _keep_lines(index, set(shard.rows))
        row = max(shard.rows.values(), default=-1) + 1
        data = []
        for ending, size_bytes in entry_bytes(card, grid).items():
            data.append(files.enter_context(index.with_suffix(ending).open("ab")))
            data[-1].truncate(row * size_bytes)
        yield ShardWriter(index, data, lines, row)


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
