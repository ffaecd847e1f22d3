"""A teacher looks at pictures, batch by batch, and what it says goes into a shard."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from distill.data.index import Record
from distill.data.pictures import read_picture
from distill.teachers.base import Teacher, TeacherCard
from distill.teachers.cache.shards import ShardWriter
from distill.teachers.geometry import area_resize
from engine.faults import FaultCode, FaultError
from engine.jobs.events import RunFolder
from engine.types import U8

log = logging.getLogger(__name__)

HEARTBEAT_S = 2.0
PIXELS_A_BATCH = 8 * 352 * 352  # of the teacher's input; one picture at 1024 px
LARGEST_FLOAT16 = 65504.0
OUTLIER_FACTOR, OUTLIER_SHARE = 4.0, 0.01  # cells with a norm so many times their picture's median (DINOv2)


def prepared(teacher: Teacher, root: Path, record: Record) -> Tensor:
    """float32 [1, 3, H, W] RGB 0..1, as the teacher wants it. Raises FaultError DATA_SET."""
    try:
        picture = cv2.cvtColor(read_picture(root / record.image, colour=True).pixels, cv2.COLOR_BGR2RGB)
    except ValueError as error:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"a picture at {root / record.image}",
            got=str(error),
            remedy="restore the file",
        ) from error
    image = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]
    return teacher.prepare(image.float() / 255)


def see(
    pictures: Iterator[tuple[Teacher, str, Tensor]],
    shard: ShardWriter,
    total: int,
    card: TeacherCard,
    grid: tuple[int, int],
    run: RunFolder | None,
) -> bool:
    """Append to the shard what the teachers say of (teacher, sha256 of the file, what it prepared).

    True when all were seen, False when cancelled between two batches. Raises FaultError INFERENCE for
    features that float16 cannot hold, and what the shard raises.
    """
    batch_size = max(1, PIXELS_A_BATCH // card.size_px**2)
    started_s = said_s = time.monotonic()
    done, outliers = 0, 0.0
    with tqdm(total=total, unit="image", desc=card.name) as bar:
        for batch in _batches(pictures, batch_size):
            teacher, images = batch[0][0], [image for _, image, _ in batch]
            device = next(teacher.parameters()).device
            answer = teacher(torch.cat([picture for _, _, picture in batch]).to(device))
            features = answer.features
            _check_range(features, card)
            outliers += _outliers(features)
            if features.shape[-2:] != grid:
                features = area_resize(features, *grid)
            maps = [answer.masks] if card.has_mask else []
            maps += [answer.disagreement] if card.has_disagreement else []
            shard.append(images, features.half().cpu().numpy(), *map(_bytes_of, maps))
            done += len(images)
            bar.update(len(images))
            if run and time.monotonic() - said_s >= HEARTBEAT_S:
                said_s = time.monotonic()
                eta_s = (said_s - started_s) / done * (total - done)
                run.event("progress", done=done, total=total, unit="image", eta_s=round(eta_s))
            if run and run.is_cancelled():
                return done == total
    if outliers / total > OUTLIER_SHARE:
        # Registers of a kind (2309.16588): they dominate plain MSE; PHI-S alone does not tame them.
        log.info("%s: %.1f %% of its cells are outliers of %g times the median norm", card.name,
                 100 * outliers / total, OUTLIER_FACTOR)  # fmt: skip
    if run:
        run.event("progress", done=done, total=total, unit="image", eta_s=0)
        run.event("metric", step=done, split="cache", name="outlier_share", value=round(outliers / total, 5))
    return True


def _bytes_of(maps: Tensor | None) -> U8:
    """[n, 1, H, W] in 0..1 to uint8 [n, H, W], 255 = 1."""
    assert maps is not None  # the card says that there are some
    return np.asarray((maps[:, 0] * 255).round().byte().cpu().numpy())


def _batches(
    pictures: Iterator[tuple[Teacher, str, Tensor]], size: int
) -> Iterator[list[tuple[Teacher, str, Tensor]]]:
    """Lists of at most `size`, of one teacher each."""
    for _, group in groupby(pictures, key=lambda item: id(item[0])):
        batch: list[tuple[Teacher, str, Tensor]] = []
        for item in group:
            batch.append(item)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch


def _check_range(features: Tensor, card: TeacherCard) -> None:
    # NaN compares false, too.
    if not bool(features.abs().amax() <= LARGEST_FLOAT16):
        raise FaultError(
            FaultCode.INFERENCE,
            expected=f"features of {card.name} that float16 can hold",
            got=f"{float(features.abs().amax()):g}",
            remedy="check that its weights and its mean and std belong together",
        )


def _outliers(features: Tensor) -> float:
    """The share of cells with an outlying norm, summed over the pictures of [B, C, h, w]."""
    norm = features.norm(dim=1).flatten(1)
    return float((norm > OUTLIER_FACTOR * norm.median(dim=1, keepdim=True).values).float().mean(1).sum())
