"""What a teacher says of every image, once: a memory-mapped array and an index.

    FOLDER/<teacher>-<key>-<grid>/   the key is a hash of all that decides the values
      teacher.json                   that, in words
      shard-000.jsonl                one line an image that is whole: {"image": sha256, "row", "crc"}
      shard-000.features             float16 [rows, C, h, w]
      shard-000.masks                uint8 [rows, H, W], 255 = 1, of teachers that say masks
      shard-000.disagreement         the same of how far its members differ, where soft masks are learned from
      statistics-<key>.npz           mean and covariance over one list of images

Data first, to the disk, then its line in the index: a crash leaves no half entry. Entries go by the hash of
the image file, so that other lists of images, and the same images elsewhere, find them. A process of several
writes a shard of its own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from distill.data.index import Record
from distill.recipe import TeacherPart
from distill.teachers import make_teacher
from distill.teachers.base import TeacherCard
from distill.teachers.cache.fill import prepared, see
from distill.teachers.cache.plan import (
    PREPARATION,
    TEACHER_JSON,
    Plan,
    grids_of,
    image_hashes,
    plan_of,
    short_hash,
)
from distill.teachers.cache.shards import Shard, ShardWriter, appending, entry_bytes, shards_of
from engine.faults import FaultCode, FaultError
from engine.files.whole import write_bytes, write_json
from engine.jobs.events import RunFolder

log = logging.getLogger(__name__)

SPARE_BYTES = 256 * 2**20  # that stay free on the disk


class FeatureCache:
    """One teacher over one list of records. `card` is the teacher's, `grid` height and width of the maps."""

    def __init__(self, folder: Path, card: TeacherCard, grid: tuple[int, int], images: Sequence[str]) -> None:
        """`images`: sha256 of the files, in the records' order. Raises FaultError DATA_SET: not all there."""
        self.card, self.grid, self.channels = card, grid, card.channels
        self._folder = folder
        self._images = tuple(images)
        self._shards = [Shard(path, card, grid) for path in shards_of(folder)]
        places = {
            image: (s, row) for s, shard in enumerate(self._shards) for image, row in shard.rows.items()
        }
        absent = [image for image in images if image not in places]
        if absent:
            raise FaultError(
                FaultCode.DATA_SET,
                expected=f"the features of {len(images)} images by {card.name}",
                got=f"{len(images) - len(absent)} of them in {folder}",
                remedy="fill the cache first: python -m distill cache --recipe RECIPE",
            )
        self._places = [places[image] for image in images]

    def __len__(self) -> int:
        return len(self._places)

    def features(self, positions: Sequence[int]) -> Tensor:
        """float32 [n, C, h, w] of the records at those positions."""
        rows = [self._shards[shard].features[row] for shard, row in self._of(positions)]
        return torch.from_numpy(np.stack(rows)).float()

    def masks(self, positions: Sequence[int]) -> Tensor | None:
        """Soft masks float32 [n, 1, H, W] in 0..1, or None of a teacher without a task."""
        if not self.card.has_mask:
            return None
        return _unit([self._shards[shard].masks[row] for shard, row in self._of(positions)])

    def disagreement(self, positions: Sequence[int]) -> Tensor | None:
        """How far its members' masks differ, as `masks`; None where it is not kept."""
        if not self.card.has_disagreement:
            return None
        return _unit([self._shards[shard].disagreement[row] for shard, row in self._of(positions)])

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean [C] and covariance [C, C] over every cell of every record, float64; kept beside the data."""
        names = json.dumps([PREPARATION, sorted(self._images)])
        path = self._folder / f"statistics-{short_hash(names)}.npz"
        if path.is_file():
            with np.load(path) as stored:
                return torch.from_numpy(stored["mean"]), torch.from_numpy(stored["covariance"])
        mean, covariance = self._moments()
        stream = io.BytesIO()
        np.savez(stream, mean=mean.numpy(), covariance=covariance.numpy(), cells=self.cells)
        write_bytes(path, stream.getvalue())
        return mean, covariance

    @property
    def cells(self) -> int:
        """How many vectors the statistics are of."""
        return len(self) * self.grid[0] * self.grid[1]

    def _moments(self) -> tuple[Tensor, Tensor]:
        total = torch.zeros(self.channels, dtype=torch.float64)
        square = torch.zeros(self.channels, self.channels, dtype=torch.float64)
        # Around the first pictures' mean: sums of large squares would lose what the covariance is made of.
        some = self.features(range(min(8, len(self))))
        origin = some.mean((0, 2, 3))
        for start in range(0, len(self), 16):
            maps = self.features(range(start, min(start + 16, len(self))))
            vectors = (maps - origin[:, None, None]).movedim(1, -1).reshape(-1, self.channels)
            total += vectors.sum(0, dtype=torch.float64)
            square += (vectors.T @ vectors).double()
        mean = total / self.cells
        covariance = (square - self.cells * torch.outer(mean, mean)) / max(1, self.cells - 1)
        return mean + origin, covariance

    def _of(self, positions: Sequence[int]) -> list[tuple[int, int]]:
        return [self._places[position] for position in positions]


def _unit(rows: Sequence[np.ndarray]) -> Tensor:
    """uint8 [H, W] of each, 255 = 1, to float32 [n, 1, H, W]."""
    return torch.from_numpy(np.stack(rows))[:, None].float() / 255


def open_cache(
    folder: Path, part: TeacherPart, root: Path, records: Sequence[Record], grid_px: int = 0
) -> FeatureCache:
    """What `fill_cache` made, for these records in their order; without `grid_px` the finest grid there is.

    Raises FaultError DATA_SET (not filled, an image that is gone), ARGUMENT, MODEL_MISSING as `make_teacher`.
    """
    plan = plan_of(folder, part, root, grid_px)
    if not grid_px:
        plan = dataclasses.replace(plan, grid=max(grids_of(plan), default=plan.grid))
    return FeatureCache(plan.folder, plan.blueprint.card, plan.grid, image_hashes(root, records))


def fill_cache(
    folder: Path,
    part: TeacherPart,
    root: Path,
    records: Sequence[Record],
    run: RunFolder | None,
    accept_licence: bool = False,
    grid_px: int = 0,
) -> FeatureCache:
    """`fill_shard`, and when every process is through, the whole of it.

    Cancelled by `run`, it raises FaultError DATA_SET: what is there stays, and is skipped next time.
    """
    fill_shard(folder, part, root, records, run, accept_licence, grid_px)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()
    return open_cache(folder, part, root, records, grid_px)


def fill_shard(
    folder: Path,
    part: TeacherPart,
    root: Path,
    records: Sequence[Record],
    run: RunFolder | None,
    accept_licence: bool = False,
    grid_px: int = 0,
) -> bool:
    """Let the teacher see those images that no shard has yet; False when cancelled before the end.

    With RANK and WORLD_SIZE set (accelerate, torchrun) only every WORLD_SIZE-th image, into a shard of this
    rank. `grid_px`: maps larger than that are stored as area means; 0: as the teacher makes them.
    Raises FaultError as `make_teacher`, DATA_SET (an image that cannot be read), OUTPUT (the disk is too
    small, or another process fills this shard).
    """
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    plan = plan_of(folder, part, root, grid_px)
    images = image_hashes(root, records)
    by_image = dict(zip(images, records, strict=True))  # the same file twice is one entry
    mine = list(by_image)[rank::world]
    with _writing(plan, rank) as shard:
        there = {image for path in shards_of(plan.folder) for image in Shard(path, *plan.shape).rows}
        todo = [image for image in mine if image not in there]
        _say_size(plan, len(mine), todo)
        if not todo:
            return True
        teacher = make_teacher(plan.part, accept_licence).to("cuda" if torch.cuda.is_available() else "cpu")
        choose = teacher.chosen_for(root)
        # Every image of one committee after the other: a batch has one teacher.
        order = [(choose(by_image[image]), image) for image in todo]
        order.sort(key=lambda item: id(item[0]))
        pictures = ((one, image, prepared(one, root, by_image[image])) for one, image in order)
        return see(pictures, shard, len(todo), *plan.shape, run)


@contextlib.contextmanager
def _writing(plan: Plan, rank: int) -> Iterator[ShardWriter]:
    """The shard of this rank, cut back to its whole entries and closed to other processes meanwhile."""
    try:
        plan.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FaultError(
            FaultCode.OUTPUT,
            expected=f"to write into {plan.parent}",
            got=error.strerror or str(error),
            remedy="name another folder with --folder",
        ) from error
    if not (plan.folder / TEACHER_JSON).exists():
        described = {"spec": plan.spec, "grid": list(plan.grid), "part": plan.part.model_dump(mode="json")}
        write_json(plan.folder / TEACHER_JSON, described)
    with appending(plan.folder / f"shard-{rank:03d}.jsonl", *plan.shape) as shard:
        yield shard


def _say_size(plan: Plan, wanted: int, todo: Sequence[str]) -> None:
    """What it will take, before it starts. Raises FaultError OUTPUT when the disk has not that much."""
    card, grid = plan.shape
    one_bytes = sum(entry_bytes(card, grid).values())
    needed_bytes, free_bytes = one_bytes * len(todo), shutil.disk_usage(plan.folder).free
    log.info(
        "%s: %d images, %d x %d x %d float16%s, %.0f MB; %d there already, %.0f MB to write, %.0f MB free",
        card.name,
        wanted,
        card.channels,
        *grid,
        f" and masks of {card.size_px} x {card.size_px}" if card.has_mask else "",
        one_bytes * wanted / 1e6,
        wanted - len(todo),
        needed_bytes / 1e6,
        free_bytes / 1e6,
    )
    if todo and needed_bytes + SPARE_BYTES > free_bytes:
        raise FaultError(
            FaultCode.OUTPUT,
            expected=f"{(needed_bytes + SPARE_BYTES) / 1e6:.0f} MB free for the features of {card.name}",
            got=f"{free_bytes / 1e6:.0f} MB in {plan.folder.parent}",
            remedy="name another folder with --folder, or a coarser grid with --grid",
        )
