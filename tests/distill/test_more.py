"""Further data folders: learned from, never validated on, and held out with the groups of the first."""

import json

import pytest

from distill.data.index import load_index
from distill.data.more import is_held_out, training_lists, with_more
from distill.data.splits import split_of
from distill.recipe import DataPart
from engine.faults import FaultCode, FaultError


def folder(path, *rows):
    """A data folder with an index and no pictures; a row: group, label, and more keys of its line."""
    path.mkdir()
    lines = []
    for number, (group, label, *more) in enumerate(rows):
        mask = f"{number}.png" if label == "polyp" else None
        line = {"image": f"{number}.jpg", "mask": mask, "set": "made", "group": group, "label": label}
        lines.append(json.dumps(line | (more[0] if more else {})))
    (path / "index.jsonl").write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def first(tmp_path):
    return folder(
        tmp_path / "first", *((f"g{number}", "polyp", {"sha256": f"{number}"}) for number in range(12))
    )


def lists_of(first, part, *more):
    index = with_more(load_index(first), more)
    split = split_of(index.records, part)
    groups = {index.records[i].group for i in split.validation}
    return training_lists(index, split, part), groups, split


def test_polyp_free_images_of_a_further_folder_are_learned_from_and_unlabelled_ones_stand_apart(
    first, tmp_path
):
    more = folder(tmp_path / "more", *((f"m{n}", "no-polyp") for n in range(20)), ("u", "unlabelled"))
    part = DataPart(folds=4)

    lists, _, split = lists_of(first, part, more)

    ours = [record for record in lists.labelled if record.image.startswith(str(more))]
    assert {record.label for record in ours} == {"no-polyp"}
    assert len(lists.labelled) == len(split.train) + len(ours)
    assert [record.group for record in lists.unlabelled] == ["u"]


def test_the_split_of_the_first_folder_stays_what_it_is(first, tmp_path):
    more = folder(tmp_path / "more", ("m", "no-polyp"))
    part = DataPart(folds=4)

    _, _, split = lists_of(first, part, more)

    assert split == split_of(load_index(first).records, part)


@pytest.mark.parametrize("label", ["no-polyp", "unlabelled"])
def test_a_group_that_one_folder_validates_on_is_learned_from_in_no_other(first, tmp_path, label):
    more = folder(tmp_path / "more", *((f"g{number}", label) for number in range(12)))

    lists, validated, split = lists_of(first, DataPart(folds=4, left_out_folds=(2,)), more)

    ours = {r.group for r in (*lists.labelled, *lists.unlabelled) if r.image.startswith(str(more))}
    assert ours
    assert not ours & validated
    assert len(ours) == len(split.train)  # left-out folds are kept out as well


def test_unlabelled_images_of_the_first_folder_obey_its_split_too(tmp_path):
    rows = [(f"g{number}", "polyp") for number in range(12)]
    first = folder(
        tmp_path / "first", *rows, *((group, "unlabelled") for group, _ in rows), ("new", "unlabelled")
    )

    lists, validated, _ = lists_of(first, DataPart(folds=4))

    groups = {record.group for record in lists.unlabelled}
    assert "new" in groups
    assert len(groups) > 5
    assert not groups & validated


def test_an_image_that_the_first_folder_labels_comes_from_no_other(first, tmp_path):
    more = folder(tmp_path / "more", ("elsewhere", "unlabelled", {"sha256": "3"}))

    assert lists_of(first, DataPart(folds=4), more)[0].unlabelled == ()


def test_one_fold_of_the_labelled_groups_that_only_it_has_is_left_to_judge_by(first, tmp_path):
    groups = [f"m{number}" for number in range(200)]
    more = folder(tmp_path / "more", *((group, "no-polyp") for group in groups))
    folds = []
    for fold in range(5):
        part = DataPart(folds=5, fold=fold)
        lists, _, _ = lists_of(first, part, more)
        learned = {record.group for record in lists.labelled}
        folds.append({group for group in groups if group not in learned})
        assert folds[-1] == {group for group in groups if is_held_out(group, part)}

    assert sorted(group for fold in folds for group in fold) == sorted(groups)
    assert all(20 < len(fold) < 60 for fold in folds)


def test_a_further_folder_on_a_test_list_is_not_learned_from(first, tmp_path):
    more = folder(tmp_path / "more", ("m", "unlabelled", {"split": "test"}), ("n", "unlabelled"))

    assert [r.group for r in lists_of(first, DataPart(folds=4), more)[0].unlabelled] == ["n"]


def test_the_same_folder_twice_is_refused(first):
    with pytest.raises(FaultError) as caught:
        with_more(load_index(first), [first])

    assert caught.value.code is FaultCode.DATA_SET
