"""Further data folders of a training: polyp-free images, and ones that nobody labelled.

They are learned from and never validated on, so the split and the figures of the first folder stay what they
are. Groups are shared between folders: what the first keeps out of training is kept out of the others, too.
Of groups that only they have, one fold of the labelled ones is left out as well, to judge by later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from distill.data.index import UNLABELLED, Index, Record, load_index
from distill.data.splits import TEST, VALIDATION, Split
from distill.recipe import DataPart
from engine.faults import FaultCode, FaultError


class Lists(NamedTuple):
    """What is learned from: with a mask or known to be polyp-free, and without any label."""

    labelled: tuple[Record, ...]
    unlabelled: tuple[Record, ...]


def with_more(index: Index, folders: Sequence[Path]) -> Index:
    """The index with those of further folders. Raises FaultError DATA_SET as `load_index`; for one twice."""
    more = tuple(load_index(folder.resolve()) for folder in folders)
    if len({one.sha256 for one in (index, *more)}) <= len(more):
        raise FaultError(
            FaultCode.DATA_SET,
            expected="data folders that differ",
            got=f"one index twice among {', '.join(str(one.root) for one in (index, *more))}",
            remedy="name each folder once, the first with --data, the others with --more-data",
        )
    return replace(index, more=tuple(replace(one, records=_absolute(one)) for one in more))


def training_lists(index: Index, split: Split, part: DataPart) -> Lists:
    """What the training side is made of; `split` is that of the first folder's records."""
    chosen = set(split.train)
    labelled = {i: record for i, record in enumerate(index.records) if record.label != UNLABELLED}
    held = {record.group for i, record in labelled.items() if i not in chosen}
    seen = {record.sha256 for record in labelled.values()} - {None}
    known = {record.group for record in labelled.values()}
    further = [record for one in index.more for record in one.records]
    judged = {record.group for record in further if record.label != UNLABELLED} - known

    def learned_from(record: Record) -> bool:
        kept = record.group in held or record.group in part.validation_groups
        kept = kept or record.split in (VALIDATION, TEST) or record.sha256 in seen
        return not kept and not (record.group in judged and is_held_out(record.group, part))

    more = [record for record in further if learned_from(record)]
    own = [record for record in index.records if record.label == UNLABELLED and learned_from(record)]
    sets = part.train_sets
    return Lists(
        (
            *(index.records[i] for i in split.train),
            *(r for r in more if r.label != UNLABELLED and (not sets or r.set in sets)),
        ),
        (*own, *(record for record in more if record.label == UNLABELLED)),
    )


def is_held_out(group: str, part: DataPart) -> bool:
    """Whether a group that only further folders have is in a fold kept out of training.

    Its fold follows from its name and the seed alone: the same whatever other folders there are.
    """
    if part.split != "grouped":
        return False
    drawn = hashlib.sha256(f"{part.split_seed}:{group}".encode()).digest()
    return int.from_bytes(drawn[:8]) % part.folds in (part.fold, *part.left_out_folds)


def _absolute(index: Index) -> tuple[Record, ...]:
    """Records that need no root."""
    root = index.root
    return tuple(
        replace(
            record,
            image=str(root / record.image),
            mask=None if record.mask is None else str(root / record.mask),
        )
        for record in index.records
    )
