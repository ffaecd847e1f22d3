"""What is learned from which images: the tasks of an index, and the pool that teachers are shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from distill.data.index import INDEX_NAME, Index, Record, load_index
from distill.data.splits import TEST, TRAIN, VALIDATION, split_of
from distill.recipe import DataPart
from engine.faults import FaultCode, FaultError
from engine.files.whole import sha256_of
from engine.sources import IMAGE_SUFFIXES

UNLABELLED_SET = "unlabelled"


@dataclass(frozen=True, slots=True)
class Task:
    """The images of one task, by side. `judged`, "test" or "validation", is the side its figures are of."""

    name: str
    train: tuple[Record, ...]
    validation: tuple[Record, ...]
    test: tuple[Record, ...]
    judged: str

    @property
    def judged_records(self) -> tuple[Record, ...]:
        return self.test if self.judged == TEST else self.validation


def tasks_of(index: Index, part: DataPart, only: str = "") -> tuple[Task, ...]:
    """The tasks that the index names, sorted; `only` one of them.

    One split of all images, so that no group stands on two sides, whatever its tasks. Judged on the test list
    where every task has one, else on the validation side. Raises FaultError DATA_SET when a task has no image
    on a side or a name that no folder can have, ARGUMENT when there is no task `only`.
    """
    split = split_of(index.records, part)
    names = sorted({record.task for record in index.records})
    sides = {
        side: {name: tuple(r for i in where if (r := index.records[i]).task == name) for name in names}
        for side, where in ((TRAIN, split.train), (VALIDATION, split.validation), (TEST, split.test))
    }
    judged = TEST if all(sides[TEST].values()) else VALIDATION
    for side in (TRAIN, judged):
        bare = [name for name in names if not sides[side][name]]
        if bare:
            raise FaultError(
                FaultCode.DATA_SET,
                expected=f"{side} images of every task ({', '.join(names)})",
                got=f"none of {', '.join(bare)}",
                remedy="change data.fold or data.folds, or add groups of that task",
            )
    odd = [name for name in names if not re.fullmatch(r"\w[\w.-]*", name)]
    if odd:
        raise FaultError(
            FaultCode.DATA_SET,
            expected="tasks named by letters, digits, points and dashes: folders are named by them",
            got=repr(odd[0]),
            remedy="rename it in the index",
        )
    if only and only not in names:
        raise FaultError(
            FaultCode.ARGUMENT, expected=f"a task: {', '.join(names)}", got=only, remedy="correct its name"
        )
    return tuple(
        Task(name, sides[TRAIN][name], sides[VALIDATION][name], sides[TEST][name], judged)
        for name in ([only] if only else names)
    )


def pool_of(root: Path, tasks: Sequence[Task], unlabelled: Path | None) -> tuple[Record, ...]:
    """Every image the teachers are shown, once: the training sides, then those of the folder `unlabelled`.

    That folder has an index, or just pictures at any depth. An image that also stands on a validation or test
    side, by its bytes or its group, stays out: a score on what was looked at in training means nothing.
    Near-duplicates are for `audit`. Raises FaultError DATA_SET when it holds no picture.
    """
    labelled = {record.image: record for task in tasks for record in task.train}
    pool = [replace(record, mask=None) for record in labelled.values()]
    if unlabelled is None:
        return tuple(pool)
    held = [record for task in tasks for record in (*task.validation, *task.test)]
    seen = {record.sha256 or sha256_of(root / record.image) for record in [*held, *labelled.values()]}
    held_groups = {record.group for record in held}
    for record in _unlabelled(unlabelled):
        sha256 = record.sha256 or sha256_of(Path(record.image))
        if sha256 not in seen and record.group not in held_groups:
            seen.add(sha256)
            pool.append(replace(record, mask=None, sha256=sha256))
    return tuple(pool)


def _unlabelled(folder: Path) -> Iterator[Record]:
    """Paths are absolute."""
    folder = folder.resolve()
    if (folder / INDEX_NAME).is_file():
        for record in load_index(folder).records:
            yield replace(record, image=str(folder / record.image))
        return
    found = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in IMAGE_SUFFIXES]
    if not found:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"pictures or {INDEX_NAME} in {folder}",
            got="none",
            remedy="correct --unlabelled",
        )
    for path in found:
        group = f"{UNLABELLED_SET}/{path.parent.relative_to(folder)}"
        yield Record(image=str(path), mask=None, set=UNLABELLED_SET, group=group)
