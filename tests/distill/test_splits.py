"""Splits never part a group."""

import pytest

from distill.data.index import Record
from distill.data.splits import grouped_split
from engine.faults import FaultCode, FaultError

RECORDS = tuple(
    Record(image=f"{name}{group}{i}.jpg", mask=None, set=name, group=f"{name}-{group}")
    for name in ("a", "b")
    for group in range(20)
    for i in range(1 + group % 3)
)


def groups_at(positions):
    return {RECORDS[i].group for i in positions}


@pytest.mark.parametrize("fold", range(5))
def test_no_group_is_on_both_sides(fold):
    split = grouped_split(RECORDS, folds=5, fold=fold, seed=0)

    assert not groups_at(split.train) & groups_at(split.validation)
    assert sorted(split.train + split.validation) == list(range(len(RECORDS)))


def test_every_group_is_validation_in_exactly_one_fold():
    held = [i for fold in range(5) for i in grouped_split(RECORDS, 5, fold, seed=0).validation]

    assert sorted(held) == list(range(len(RECORDS)))


def test_every_set_is_in_the_validation_split():
    split = grouped_split(RECORDS, folds=5, fold=0, seed=0)

    assert {RECORDS[i].set for i in split.validation} == {"a", "b"}


@pytest.mark.parametrize("fold", range(3))
def test_a_group_kept_for_validation_is_never_trained_on(fold):
    split = grouped_split(RECORDS, folds=3, fold=fold, seed=0, validation_groups=["a-2", "b-7"])

    assert {"a-2", "b-7"} <= groups_at(split.validation)
    assert not {"a-2", "b-7"} & groups_at(split.train)


def test_the_same_seed_gives_the_same_split():
    assert grouped_split(RECORDS, 5, 0, seed=3) == grouped_split(RECORDS, 5, 0, seed=3)
    assert grouped_split(RECORDS, 5, 0, seed=3) != grouped_split(RECORDS, 5, 0, seed=4)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"folds": 5, "fold": 5, "seed": 0}, FaultCode.ARGUMENT),
        ({"folds": 100, "fold": 0, "seed": 0}, FaultCode.DATA_SET),
        ({"folds": 5, "fold": 0, "seed": 0, "validation_groups": ["c-1"]}, FaultCode.DATA_SET),
    ],
)
def test_a_split_that_cannot_be_made_is_told(arguments, code):
    with pytest.raises(FaultError) as caught:
        grouped_split(RECORDS, **arguments)

    assert caught.value.code is code
