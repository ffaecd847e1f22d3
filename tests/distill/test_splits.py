"""Splits never part a group."""

from dataclasses import replace

import pytest

from distill.data.index import Record
from distill.data.splits import REVIEWED, grouped_split, held_out_by, split_of
from distill.recipe import DataPart
from engine.faults import FaultCode, FaultError
from engine.model_card import TrainingCard

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


@pytest.mark.parametrize("fold", range(5))
def test_a_reviewed_recording_on_the_side_of_validation_is_never_trained_on(fold):
    reviewed = tuple(
        Record(
            image=f"{n}.png", mask=None, set=REVIEWED, group=f"recording-{n}", split=side, label="no-polyp"
        )
        for n, side in enumerate(("train", "validation", "train", "validation"))
    )
    labelled = tuple(replace(record, label="no-polyp") for record in RECORDS)
    split = split_of((*labelled, *reviewed), DataPart(fold=fold, left_out_folds=((fold + 1) % 5,)))

    never = {len(RECORDS) + 1, len(RECORDS) + 3}
    assert never <= set(split.validation)
    assert not never & set(split.train)


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


def test_left_out_folds_are_neither_trained_nor_validated_on():
    part = DataPart(folds=5, fold=0, left_out_folds=(3, 4))
    whole = split_of(RECORDS, DataPart(folds=5, fold=0))
    left_out = [i for fold in (3, 4) for i in grouped_split(RECORDS, 5, fold, seed=0).validation]

    split = split_of(RECORDS, part)

    assert split.validation == whole.validation
    assert sorted([*split.train, *left_out]) == sorted(whole.train)


def test_halves_of_the_training_side_cover_it_once():
    halves = [
        split_of(RECORDS, DataPart(folds=5, fold=0, left_out_folds=folds)).train for folds in ((3, 4), (1, 2))
    ]

    assert sorted(halves[0] + halves[1]) == sorted(split_of(RECORDS, DataPart(folds=5, fold=0)).train)


def test_only_the_named_sets_are_trained_on_and_all_are_validated_on():
    split = split_of(RECORDS, DataPart(folds=5, fold=0, train_sets=("b",)))

    assert {RECORDS[i].set for i in split.train} == {"b"}
    assert {RECORDS[i].set for i in split.validation} == {"a", "b"}


@pytest.mark.parametrize("part", [DataPart(train_sets=("c",)), DataPart(folds=3, left_out_folds=(1, 2))])
def test_nothing_left_to_train_on_is_told(part):
    with pytest.raises(FaultError, match="train_sets") as caught:
        split_of(RECORDS, part)

    assert caught.value.code is FaultCode.DATA_SET


@pytest.mark.parametrize(
    "values", [{"fold": 1, "left_out_folds": (1,)}, {"split": "listed", "left_out_folds": (1,)}]
)
def test_a_fold_that_cannot_be_left_out_is_refused(values):
    with pytest.raises(ValueError, match="left_out_folds"):
        DataPart(**values)


def listed(split, group, name="a"):
    return Record(image=f"{name}{group}{split}.jpg", mask=None, set=name, group=group, split=split)


def test_without_lists_the_grouped_split_of_a_recipe_is_the_fold_of_all_images():
    part = DataPart(folds=4, fold=1, split_seed=3, validation_groups=("a-2",))

    split = split_of(RECORDS, part)

    assert split == grouped_split(RECORDS, 4, 1, 3, ["a-2"])
    assert split.test == ()


def test_an_image_on_a_test_list_is_never_trained_on_nor_is_its_group_by_the_grouped_split():
    records = [listed("train", f"g{i}") for i in range(8)]
    records += [listed("test", "g0"), listed("test", "t1")]

    split = split_of(records, DataPart(folds=4))

    assert split.test == (8, 9)
    assert sorted(split.train + split.validation) == [1, 2, 3, 4, 5, 6, 7]


def test_published_lists_are_kept_as_they_are():
    records = [listed("train", "a"), listed("validation", "a"), listed("test", "b"), listed("train", "c")]

    split = split_of(records, DataPart(split="listed"))

    assert (split.train, split.validation, split.test) == ((0, 3), (1,), (2,))


def test_without_a_validation_list_one_fold_of_the_training_list_is_held_back_by_whole_groups():
    records = [listed("train", f"g{i // 2}") for i in range(20)] + [listed("test", "t")] * 3

    split = split_of(records, DataPart(split="listed", folds=5))

    assert split.test == (20, 21, 22)
    assert sorted(split.train + split.validation) == list(range(20))
    assert len(split.validation) == 4
    assert not {records[i].group for i in split.train} & {records[i].group for i in split.validation}


def test_an_image_on_no_list_is_named_when_lists_are_asked_for():
    records = [listed("train", "a"), Record(image="stray.jpg", mask=None, set="a", group="b")]

    with pytest.raises(FaultError, match=r"stray\.jpg") as caught:
        split_of(records, DataPart(split="listed"))

    assert caught.value.code is FaultCode.DATA_SET


@pytest.mark.parametrize(("recipe", "left_out"), [("field", ()), ("half", (3, 4)), ("light", ())])
def test_a_card_that_names_its_recipe_alone_is_still_understood(recipe, left_out):
    card = TrainingCard(recipe=recipe, seed=1, data="d", split="s", run_id="r")

    part = held_out_by(card)

    assert (part.folds, part.fold, part.split_seed, part.left_out_folds) == (5, 0, 0, left_out)
