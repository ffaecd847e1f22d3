"""The images of a training, decoded: both sides of the split, and what nobody labelled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from distill.data.dataset import Pictures
from distill.data.index import Index
from distill.data.more import training_lists
from distill.data.splits import split_of
from distill.data.unlabelled import Unlabelled
from distill.recipe import DataPart
from engine.faults import FaultCode, FaultError


@dataclass(frozen=True, slots=True)
class Datasets:
    """The decoded images, and those that nobody labelled, which are read when they are shown."""

    train: Pictures
    validation: Pictures
    unlabelled: Unlabelled | None = None


def decode(index: Index, part: DataPart, tick: Callable[[int, int], None]) -> Datasets:
    """Both sides of the split, decoded; `tick` hears how many images are done and how many there are.

    Raises FaultError DATA_SET.
    """
    split = split_of(index.records, part)
    labelled, unlabelled = training_lists(index, split, part)
    first, total = len(labelled), len(labelled) + len(split.validation)
    validation = [index.records[i] for i in split.validation]
    wanted = part.unlabelled_ratio > 0
    if wanted and not unlabelled:
        raise FaultError(
            FaultCode.DATA_SET,
            expected="unlabelled images for data.unlabelled_ratio",
            got=f"none among {len(index.all_records)} images",
            remedy="name a folder with some: --more-data DIR, or set that key to 0",
        )
    return Datasets(
        Pictures(index.root, labelled, lambda done: tick(done, total)),
        Pictures(index.root, validation, lambda done: tick(first + done, total)),
        Unlabelled(index.root, unlabelled) if wanted else None,
    )
