"""Splits that do not leak: whole groups, every set in every fold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from distill.data.index import Record
from engine.faults import FaultCode, FaultError


@dataclass(frozen=True, slots=True)
class Split:
    """Positions in the list of records."""

    train: tuple[int, ...]
    validation: tuple[int, ...]


def grouped_split(
    records: Sequence[Record], folds: int, fold: int, seed: int, validation_groups: Collection[str] = ()
) -> Split:
    """One fold of StratifiedGroupKFold over `group`, stratified by `set`.

    Groups named in `validation_groups` are validation in every fold. Raises FaultError DATA_SET for fewer
    groups than folds or an unknown group, ARGUMENT for a fold that does not exist.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if not 0 <= fold < folds:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a fold of 0..{folds - 1}",
            got=str(fold),
            remedy="correct data.fold",
        )
    unknown = set(validation_groups) - {record.group for record in records}
    if unknown:
        raise FaultError(
            FaultCode.DATA_SET,
            expected="the groups that the recipe keeps for validation",
            got=f"no images of {', '.join(sorted(unknown))}",
            remedy="correct data.validation_groups, or use the data the recipe was written for",
        )
    pinned = [i for i, record in enumerate(records) if record.group in validation_groups]
    free = [i for i, record in enumerate(records) if record.group not in validation_groups]
    groups = [records[i].group for i in free]
    if len(set(groups)) < folds:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"at least {folds} groups of images",
            got=f"{len(set(groups))}",
            remedy="use fewer folds or more data",
        )
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    train, held = list(splitter.split(free, [records[i].set for i in free], groups))[fold]
    return Split(
        train=tuple(free[i] for i in train),
        validation=tuple(sorted([free[i] for i in held] + pinned)),
    )
